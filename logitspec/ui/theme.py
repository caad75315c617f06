"""Gradio's default theme with the contrast that text needs."""

from __future__ import annotations

import gradio as gr


def theme() -> gr.themes.Base:
    """Blue for what acts, and no text paler than 4.5:1."""
    return gr.themes.Default(primary_hue="blue", neutral_hue="slate").set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
    )


# Gradio's radio buttons show no sign of the keyboard's focus.
STYLE = """
input[type="radio"]:focus-visible {
  outline: 3px solid var(--primary-600) !important;
  outline-offset: 2px;
}
"""
