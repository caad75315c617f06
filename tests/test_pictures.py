"""A step as a picture: the signs are those of the page, the words those of the trace, the pixels those of the SVG."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect
from support.app_page import PLAYER, take_along
from support.player_page import MadeUp, hostile, page_html, story
from support.watching import watched

from logitspec import LogitSpecError, Trace
from logitspec.publish import picture as drawing
from logitspec.publish.picture import picture, render

SVG = "{http://www.w3.org/2000/svg}"
TRACES = {"story": story(), "hostile": hostile()}
STEP = 19  # in which drafts met every fate
WIDE, HIGH = 1280, 720
MARGIN = 40


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def groups(root: ElementTree.Element, attribute: str) -> list[ElementTree.Element]:
    return [each for each in root.iter(f"{SVG}g") if each.get(attribute) is not None]


@pytest.fixture(scope="module")
def pictures() -> dict[str, list[ElementTree.Element]]:
    """The picture of every step of both traces."""
    return {name: all_steps(trace) for name, trace in TRACES.items()}


def all_steps(trace: Trace) -> list[ElementTree.Element]:
    """All steps by one process of Node; `picture` would start one for each."""
    texts = render("picture", trace).split("</svg>\n")[:-1]
    return [parsed(text + "</svg>") for text in texts]


@pytest.mark.parametrize("name", TRACES)
def test_a_picture_says_what_the_trace_says(
    name: str, pictures: dict[str, list[ElementTree.Element]]
) -> None:
    trace = TRACES[name]
    for number, (step, root) in enumerate(zip(trace.steps, pictures[name], strict=True), 1):
        assert root.findtext(f"{SVG}title") == f"Step {number} of {len(trace.steps)}"
        nodes = {int(each.get("data-node") or 0): each for each in groups(root, "data-node")}
        assert sorted(nodes) == list(range(len(step.tree)))
        for node, group in nodes.items():
            origin = step.tree.provenance[node]
            assert group.get("data-origin") == origin.origin.value
            assert group.get("data-state") == step.states()[node]
            texts = [each.text or "" for each in group.iter(f"{SVG}text")]
            rank = [str(origin.rank)] if origin.origin.value == "logit" else []
            assert texts[: len(rank)] == rank
            *walked, last = step.path
            drafted = [
                step.tree.tokens[child]
                for child, parent in enumerate(step.tree.parents)
                if parent == last
            ]
            wanted = "✓" if node in walked else "" if step.choices[last] in drafted else "✗"
            assert len(texts) == len(rank) + (2 if node in step.path else 1)
            if node in step.path:
                assert texts[-1].startswith("→ ")
                assert texts[-1][-1] == wanted or not wanted
        framed = [each.get("data-origin") for each in groups(root, "data-origin")]
        assert framed.count("prompt") <= len(trace.prompt_ids)
        assert {each.tag for each in root.iter()} == {
            SVG + tag for tag in ("svg", "title", "desc", "rect", "path", "text", "g")
        }


def test_a_picture_is_as_wide_as_a_slide_and_nothing_leaves_it(
    pictures: dict[str, list[ElementTree.Element]],
) -> None:
    for root in pictures["story"] + pictures["hostile"]:
        assert (root.get("width"), root.get("height")) == (str(WIDE), str(HIGH))
        (tree,) = [each for each in groups(root, "class") if each.get("class") == "tree"]
        x, y = map(float, re.findall(r"[\d.]+", tree.get("transform") or "")[:2])
        scale = float((re.findall(r"scale\(([\d.]+)\)", tree.get("transform") or "") or ["1"])[0])
        boxes = [box_of(each) for each in groups(tree, "data-node")]
        sentences = [each for each in root.findall(f"{SVG}text") if each.get("font-size") == "17"]
        assert all(len(each.text or "") * 17 * 0.5 <= WIDE - 2 * MARGIN for each in sentences)
        for left, top, right, bottom in boxes:
            assert x + scale * left >= MARGIN - 1
            assert x + scale * right <= WIDE - MARGIN + 1
            assert y + scale * top >= 0
            assert y + scale * bottom <= HIGH - 60
        for number, (left, top, right, bottom) in enumerate(boxes):
            over = [
                1
                for other in boxes[:number]
                if other[0] < right - 0.1
                and left < other[2] - 0.1
                and other[1] < bottom - 0.1
                and top < other[3] - 0.1
            ]
            assert not over


def test_no_word_is_too_long_and_no_language_too_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGITSPEC_LANGUAGE", "de")
    rules = [b"=" * 64, b"-" * 64, b"\n" * 40, b" " * 64] * 6
    headlines = 0
    for root in all_steps(MadeUp(rules[:8], rules[8:], ranks=4).trace):
        for each in root.findall(f"{SVG}text"):
            bold = each.get("font-weight") == "bold"
            letter = float(each.get("font-size") or 0) * (0.6 if bold else 0.5)
            assert len(each.text or "") * letter <= WIDE - 2 * MARGIN
            headlines += bold and "Vorwärtsdurchlauf" in (each.text or "")
    assert headlines


def test_the_frame_around_a_step_s_tokens_stays_within_the_margins() -> None:
    long = [f" considerable{number}".encode() for number in range(13)]
    trace = MadeUp(long, long * 2, ranks=3).trace
    assert max(len(step.path) for step in trace.steps) == 13  # more than there is room for
    for step, root in zip(trace.steps, all_steps(trace), strict=True):
        (text,) = [each for each in groups(root, "class") if each.get("class") == "text"]
        (frame,) = text.findall(f"{SVG}path")
        (left, _, right, _), _ = corners_of(frame.get("d") or "")
        own = groups(text, "data-origin")[-len(step.path) :]
        assert abs(left - float(own[0][-1].get("x") or 0)) <= 1
        assert MARGIN <= left < right <= WIDE - MARGIN


def box_of(group: ElementTree.Element) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a node's box, as far as the middle of its border."""
    path = group.find(f"{SVG}path")
    assert path is not None
    return corners_of(path.get("d") or "")[0]


def corners_of(d: str) -> tuple[tuple[float, float, float, float], list[float]]:
    """An outline's box, and its radii clockwise from the top left."""
    moves = re.findall(r"([MHVAZ])([^MHVAZ]*)", d)
    (left, top), radii = _pair(moves[0][1]), [0.0] * 4
    xs: list[float] = []
    ys: list[float] = []
    side = -1
    for kind, numbers in moves[1:]:
        if kind in "HV":
            side += 1
            (xs if kind == "H" else ys).append(float(numbers))
        if kind == "A":
            radii[(side + 1) % 4] = float(numbers.split()[0])
            x, y = _pair(" ".join(numbers.split()[-2:]))
            xs.append(x)
            ys.append(y)
    return (min([*xs, left]), min([*ys, top]), max(xs), max(ys)), radii


def _pair(text: str) -> tuple[float, float]:
    x, y = map(float, text.split())
    return x, y


def test_hidden_letters_are_visible(pictures: dict[str, list[ElementTree.Element]]) -> None:
    texts = [ElementTree.tostring(each, encoding="unicode") for each in pictures["hostile"]]
    text = "".join(texts)
    for shown_as in ("⟨202e⟩", "⟨ff⟩", "&lt;script&gt;alert(1)", "⟨0000⟩⟨0007⟩"):
        assert shown_as in text
    assert not re.search("[\u202e\u2067\u200f\x00]", text)


def test_before_the_verdict_a_picture_does_not_tell_it() -> None:
    trace = TRACES["story"]
    early = [parsed(picture(trace, STEP, beat)) for beat in (1, 2, 3)]
    assert [len(groups(each, "data-node")) for each in early] == [
        1,
        *[len(trace.steps[STEP - 1].tree)] * 2,
    ]
    for root in early:
        states = [each.get("data-state") for each in groups(root, "data-node")]
        assert states == ["accepted"] + [None] * (len(states) - 1)
        assert not {each.get("data-legend") for each in groups(root, "data-legend")} & {
            "accepted",
            "rejected",
            "uncompared",
        }
        assert not {"✓", "✗"} & set(ElementTree.tostring(root, encoding="unicode"))


# The page's own signs

LOOKS = """all => all.map(each => {
  const style = getComputedStyle(each);
  return {
    key: each.dataset.node ?? each.dataset.legend ?? each.dataset.edge,
    text: each.textContent,
    border: style.borderTopStyle, width: style.borderTopWidth, colour: style.borderTopColor,
    ground: style.backgroundColor, size: style.fontSize, weight: style.fontWeight, ink: style.color,
    radii: [style.borderTopLeftRadius, style.borderTopRightRadius, style.borderBottomRightRadius,
            style.borderBottomLeftRadius],
    stroke: style.stroke, dashes: style.strokeDasharray, thick: style.strokeWidth, cap: style.strokeLinecap,
    under: [style.borderBottomStyle, style.textDecorationLine, style.textDecorationStyle], origin: each.dataset.origin,
  };
})"""


@pytest.fixture(scope="module")
def stand(visitor: BrowserContext) -> Iterator[Page]:
    page = visitor.new_page()
    with watched(page):
        page.set_content(page_html())
        page.evaluate("text => player.receive(text)", TRACES["story"].to_json())
    yield page
    page.close()


@pytest.fixture
def player(stand: Page) -> Iterator[Page]:
    """The player with a run, at rest, in a page that tests reuse; its menu is shut."""
    with watched(stand):
        menu = stand.locator(PLAYER).get_by_role("button", name="Export")
        if menu.get_attribute("aria-expanded") == "true":
            menu.click()
        stand.mouse.move(0, 0)
        yield stand


def shown(page: Page, number: int, beat: int, selector: str) -> list[dict[str, Any]]:
    page.evaluate("([number, beat]) => player.still(number, beat)", [number, beat])
    expect(page.locator(PLAYER)).to_have_attribute("data-cursor", str(number))
    expect(page.locator(PLAYER)).to_have_attribute("data-beat", str(beat))
    found: list[dict[str, Any]] = page.locator(f"{PLAYER} {selector}").evaluate_all(LOOKS)
    return found


def rgb(colour: str) -> list[int]:
    """Red, green and blue of an opaque colour, in any notation of browsers and pictures."""
    if colour.startswith("#"):
        return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    numbers = [float(each) for each in re.findall(r"[\d.]+", colour)]
    return [
        round(each * 255) if colour.startswith("color(") else round(each) for each in numbers[:3]
    ]


def alike(one: str, other: str) -> bool:
    return all(abs(a - b) <= 2 for a, b in zip(rgb(one), rgb(other), strict=True))


def style_of(path: ElementTree.Element, lines: int) -> str:
    """What CSS would call a border that is drawn like this."""
    if lines == 2:
        return "double"
    dashes = path.get("stroke-dasharray")
    if not dashes:
        return "solid"
    return "dotted" if dashes.startswith("0 ") else "dashed"


def check_box(paths: list[ElementTree.Element], page: dict[str, Any], size: float) -> None:
    """A box of the picture looks like an element of the page."""
    first = paths[0]
    assert style_of(first, len(paths)) == page["border"], page
    assert alike(first.get("stroke") or "", page["colour"]), page
    assert alike(first.get("fill") or "", page["ground"]), page
    inset = float(first.get("stroke-width") or 0) / 2
    (_, top, _, bottom), radii = corners_of(first.get("d") or "")
    half = (bottom - top) / 2 + inset
    letters = float(page["size"].removesuffix("px"))
    for radius, css in zip(radii, page["radii"], strict=True):
        wanted = min(float(css.split("px")[0]) / letters * size, half)
        assert max(0, wanted - inset) == pytest.approx(radius, abs=0.6), page


@pytest.mark.parametrize("beat", [2, 3, 5])
def test_nodes_look_as_on_the_page(player: Page, beat: int) -> None:
    nodes = {each["key"]: each for each in shown(player, STEP, beat, ".ls-branches .ls-node")}
    root = parsed(picture(TRACES["story"], STEP, beat))
    drawn = groups(root, "data-node")
    assert len(drawn) == len(nodes) > 5
    for group in drawn:
        page = nodes[group.get("data-node")]
        texts = list(group.iter(f"{SVG}text"))
        token = texts[1 if page["origin"] == "logit" else 0]
        size = float(token.get("font-size") or 0)
        check_box([each for each in group.findall(f"{SVG}path") if each.get("stroke")], page, size)
        assert alike(token.get("fill") or "", page["ink"])
        assert (token.get("font-weight") == "bold") == (page["weight"] == "700")
        words = "".join(each.text or "" for each in texts if each.text)
        seen = visible_text(page["text"], beat, group.get("data-state"))
        # A box has an end, in the picture as on the page.
        pattern = re.escape(re.sub(r"[\s·]", "", words)).replace("…", ".*")
        assert re.fullmatch(pattern, re.sub(r"\s", "", seen)), words


def visible_text(text: str, beat: int, state: str | None) -> str:
    """The part of a node's text on the page that its style shows."""
    token, _, rest = text.partition("→")
    if beat < 3 or (beat > 3 and state != "accepted"):
        return token
    return f"{token}→{rest.rstrip('✓✗') if beat == 3 else rest}"


def test_edges_look_as_on_the_page(player: Page) -> None:
    edges = {each["key"]: each for each in shown(player, STEP, 5, ".ls-edge[data-edge]")}
    root = parsed(picture(TRACES["story"], STEP))
    drawn = [each for each in root.iter(f"{SVG}path") if each.get("data-edge")]
    assert len(drawn) == len(edges) > 5
    for path in drawn:
        page = edges[path.get("data-edge")]
        assert alike(path.get("stroke") or "", page["stroke"]), page
        assert float(path.get("stroke-width") or 0) == pytest.approx(
            float(page["thick"].removesuffix("px")), abs=0.001
        )
        dashes = [float(each) for each in re.findall(r"[\d.]+", path.get("stroke-dasharray") or "")]
        assert dashes == [float(each) for each in re.findall(r"[\d.]+", page["dashes"])]
        assert (path.get("stroke-linecap") or "butt") == page["cap"]


def test_the_legend_has_the_signs_in_sight_as_on_the_page(player: Page) -> None:
    shown(player, STEP, 5, ".ls-node")
    items = {
        each["key"]: each["text"].partition(",")[0]
        for each in player.locator(f"{PLAYER} .ls-legend-item").evaluate_all(LOOKS)
    }
    boxes = {
        each["key"]: each
        for each in player.locator(f"{PLAYER} .ls-legend-item .ls-chip").evaluate_all(
            LOOKS.replace("each.dataset.edge", "each.parentElement.dataset.legend")
        )
    }
    root = parsed(picture(TRACES["story"], STEP))
    step = TRACES["story"].steps[STEP - 1]
    drawn = {each.get("data-legend") or "": each for each in groups(root, "data-legend")}
    in_sight = {each.origin.value for each in step.tree.provenance} | set(step.states()[1:])
    assert in_sight <= set(drawn)
    for name in in_sight:
        group = drawn[name]
        words = "".join(each.text or "" for each in group.iter(f"{SVG}text"))
        assert words == items[name]
        check_box(list(group.findall(f"{SVG}path")), boxes[name], 14)


def test_lines_under_tokens_are_those_of_the_page(player: Page) -> None:
    tokens = shown(player, STEP, 5, "[data-token]")
    on_page = {each["origin"]: each["under"] for each in tokens}
    root = parsed(picture(TRACES["story"], STEP))
    (text,) = [each for each in groups(root, "class") if each.get("class") == "text"]
    seen = set()
    for group in groups(text, "data-origin"):
        origin = group.get("data-origin") or ""
        paths = group.findall(f"{SVG}path")
        if origin == "prompt":
            assert not paths
            continue
        lines = (paths[0].get("d") or "").count("M")
        style = "wavy" if "q" in (paths[0].get("d") or "") else style_of(paths[0], lines)
        border, _, decoration = on_page[origin]
        assert style == (decoration if decoration == "wavy" else border)
        seen.add(origin)
    assert {"root", "logit", "retrieved"} <= seen


# Pixels


@pytest.mark.parametrize("beat", [3, 5])
def test_a_png_of_the_page_is_the_picture(player: Page, beat: int) -> None:
    player.evaluate("([number, beat]) => player.still(number, beat)", [STEP, beat])
    with player.expect_download() as saved:
        take_along(player, "Save picture (PNG)")
    with Image.open(saved.value.path()) as image:
        assert (image.format, image.size) == ("PNG", (1920, 1080))
        pixels = image.convert("RGB")
    assert pixels.getpixel((3, 3)) == (255, 255, 255)
    root = parsed(picture(TRACES["story"], STEP, beat))
    (tree,) = [each for each in groups(root, "class") if each.get("class") == "tree"]
    x, y = map(float, re.findall(r"[\d.]+", tree.get("transform") or "")[:2])
    for group in groups(tree, "data-node"):
        path = group.find(f"{SVG}path")
        assert path is not None
        if path.get("stroke-dasharray"):
            continue
        left, top, right, bottom = box_of(group)
        # The border in the middle of the box's left and upper sides.
        for at in [(x + left, y + (top + bottom) / 2), (x + (left + right) / 2, y + top)]:
            pixel = pixels.getpixel((round(1.5 * at[0]), round(1.5 * at[1])))
            assert isinstance(pixel, tuple)
            close = [
                abs(a - b) <= 40 for a, b in zip(pixel, rgb(path.get("stroke") or ""), strict=True)
            ]
            assert all(close), group.attrib


PLACES = """(svg) => {
  const frame = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  document.body.append(frame);
  const lines = [...frame.querySelectorAll("text")].map((line) => [...line.textContent].map((letter, at) =>
    [letter, line.getStartPositionOfChar(at).x]));
  frame.remove();
  return lines;
}"""


def test_hebrew_and_arabic_are_read_from_the_right_and_other_letters_from_the_left(
    player: Page,
) -> None:
    tokens = [
        each.encode() for each in ("go", " \u05e9\u05dc\u05d5\u05dd", " \u0633\u0644\u0627\u0645")
    ]
    lines = player.evaluate(PLACES, picture(MadeUp(tokens, [*tokens, *tokens], ranks=2).trace, 1))
    ways = set()
    for line in lines:
        for script, first, last in (("Latin", "a", "z"), ("others", "\u05d0", "\u064a")):
            at = [place for letter, place in line if first <= letter <= last]
            if len(at) > 2 and len(at) == len([each for each, _ in line if each.isalpha()]):
                ways.add((script, at == sorted(at), at == sorted(at, reverse=True)))
    assert ways == {("Latin", True, False), ("others", False, True)}


def test_a_film_of_the_page_has_the_beats_of_its_steps(player: Page) -> None:
    player.locator(PLAYER).get_by_role("button", name="Export").click()
    player.get_by_role("textbox", name="Steps").fill("2-3")
    with player.expect_download() as saved:
        take_along(player, "Save film")
    stills = [
        picture(TRACES["story"], number, beat) for number in (2, 3) for beat in (1, 2, 3, 4, 5)
    ]
    with Image.open(saved.value.path()) as film:
        assert (film.format, film.size, film.n_frames) == ("WEBP", (WIDE, HIGH), len(stills))  # type: ignore[attr-defined]
        times = []
        for number, still in enumerate(stills):
            film.seek(number)
            film.load()
            times.append(film.info["duration"])
            assert same_pixels(film.convert("RGB"), of_browser(player, still))
        assert film.info["loop"] == 0
    assert all(1000 <= time <= 4000 for time in times)


def of_browser(page: Page, svg: str) -> Image.Image:
    """The picture as the browser shows it, without the page's own scripts."""
    page.evaluate(
        "svg => { const image = document.createElement('img'); image.id = 'whole'; image.style = 'position: fixed;"
        " inset: 0; z-index: 99'; image.src = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));"
        " document.body.append(image); return image.decode(); }",
        svg,
    )
    whole = page.screenshot(clip={"x": 0, "y": 0, "width": WIDE, "height": HIGH})
    page.evaluate("document.getElementById('whole').remove()")
    return Image.open(io.BytesIO(whole)).convert("RGB")


def same_pixels(one: Image.Image, other: Image.Image) -> bool:
    """Whether nearly all pixels are alike; letters may be smoothed in two ways."""
    from PIL import ImageChops

    strong = ImageChops.difference(one, other).convert("L").point(lambda value: 255 * (value > 96))
    return sum(strong.histogram()[128:]) < one.width * one.height / 500


def test_too_many_steps_for_a_film_are_refused_in_the_page(player: Page) -> None:
    player.locator(PLAYER).get_by_role("button", name="Export").click()
    player.get_by_role("textbox", name="Steps").fill(f"1-{min(len(TRACES['story'].steps), 25)}")
    take_along(player, "Save film")
    expect(player.locator(".ls-said")).to_contain_text("24 steps at most")


# Without Node or a browser


def test_without_node_a_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logitspec.publish.picture.find_node", lambda: None)
    with pytest.raises(LogitSpecError, match="written by Node"):
        picture(TRACES["story"], 1)


def test_without_a_browser_pixels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logitspec.publish.browser.find_browser", lambda: None)
    with pytest.raises(LogitSpecError, match="Chromium, Chrome or Edge"):
        drawing.rasterize([{"svg": "<svg/>", "time": 1}], "png")


def test_a_step_that_is_not_there_is_refused() -> None:
    for number in (0, 999):
        with pytest.raises(LogitSpecError, match=f"choose from them, not {number}"):
            picture(TRACES["story"], number)


def test_frames_of_a_film_are_the_stills_of_the_beats() -> None:
    frames = json.loads(render("frames", TRACES["story"], "2"))
    assert [each["svg"] for each in frames] == [
        picture(TRACES["story"], 2, beat) for beat in (1, 2, 3, 4, 5)
    ]
