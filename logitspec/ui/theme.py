"""The page's look: the player's colours and type, and no text with a contrast below 4.5:1."""

from __future__ import annotations

import gradio as gr
from gradio.themes.utils.colors import Color
from gradio.themes.utils.fonts import LocalFont

# Okabe and Ito's blue; controls have 600 in light mode, 300 in dark.
BLUE = Color(
    name="okabe-blue",
    c50="#eef6fc",
    c100="#d8eaf7",
    c200="#aed5f0",
    c300="#6cbdf0",
    c400="#3a9fdb",
    c500="#0079c0",
    c600="#0063a0",
    c700="#005286",
    c800="#00416b",
    c900="#003152",
    c950="#0b1520",
)

# Gradio's own fonts are complete at weights 400 and 700; its 600 has only a few letters.
WEIGHTS = (400, 700)


def theme() -> gr.themes.Base:
    """Blue for controls, grey lines, and no card inside a card."""
    return gr.themes.Default(
        primary_hue=BLUE,
        neutral_hue="gray",
        font=[LocalFont("IBM Plex Sans", WEIGHTS), "system-ui", "sans-serif"],
        font_mono=[LocalFont("IBM Plex Mono", WEIGHTS), "ui-monospace", "monospace"],
    ).set(
        body_background_fill="#f6f7f9",
        body_background_fill_dark="#0d1014",
        body_text_color="#1b2430",
        body_text_color_dark="#eef1f4",
        body_text_color_subdued="#4b5563",
        body_text_color_subdued_dark="#b4bcc8",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#14171c",
        background_fill_secondary="#f4f6f8",
        background_fill_secondary_dark="#1e232b",
        border_color_primary="#dfe3e8",
        border_color_primary_dark="#353c47",
        border_color_accent="*primary_600",
        border_color_accent_dark="*primary_300",
        block_background_fill="*background_fill_primary",
        block_background_fill_dark="*background_fill_primary",
        block_info_text_color="*body_text_color_subdued",
        block_info_text_color_dark="*body_text_color_subdued",
        block_info_text_size="14px",
        block_label_text_color="*body_text_color",
        block_label_text_color_dark="*body_text_color",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_title_text_weight="700",
        block_radius="12px",
        container_radius="12px",
        prose_header_text_weight="700",
        section_header_text_weight="700",
        input_background_fill="*background_fill_primary",
        input_background_fill_dark="*background_fill_primary",
        input_border_color="#868f9d",
        input_border_color_dark="#6f7987",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_300",
        input_placeholder_color="#5b6572",
        input_placeholder_color_dark="#9aa4b2",
        input_radius="8px",
        checkbox_background_color_selected="*primary_600",
        checkbox_background_color_selected_dark="*primary_500",
        checkbox_border_color="#868f9d",
        checkbox_border_color_dark="#6f7987",
        checkbox_border_color_selected="*primary_600",
        checkbox_border_color_selected_dark="*primary_300",
        checkbox_label_background_fill_dark="*background_fill_primary",
        checkbox_label_background_fill_hover_dark="*background_fill_secondary",
        link_text_color="*primary_600",
        link_text_color_dark="*primary_300",
        link_text_color_hover="*primary_800",
        link_text_color_hover_dark="*primary_200",
        link_text_color_visited="*primary_600",
        link_text_color_visited_dark="*primary_300",
        loader_color="*primary_600",
        loader_color_dark="*primary_300",
        slider_color="*primary_600",
        slider_color_dark="*primary_300",
        button_large_radius="8px",
        button_medium_radius="8px",
        button_small_radius="8px",
        button_large_text_weight="700",
        button_medium_text_weight="700",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_300",
        button_primary_background_fill_hover_dark="*primary_200",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="*primary_950",
        button_secondary_background_fill="#e8ebef",
        button_secondary_background_fill_hover="#dde1e7",
        button_secondary_background_fill_dark="#2a313b",
        button_secondary_background_fill_hover_dark="#353c47",
        button_secondary_text_color="*body_text_color",
        button_secondary_text_color_dark="*body_text_color",
    )
