"""The page's texts: complete in every language, all of them used, and none left outside the catalogue."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from support import accessibility, machine, strings
from support.app_page import try_your_own, unfold

from logitspec.decoding.race import _titles, _words
from logitspec.drafters import METHODS, describe, option_fields
from logitspec.measure.benchmark.block import compact
from logitspec.measure.benchmark.paper import beside, is_spec_bench
from logitspec.measure.benchmark.published import by_task, conditions, overall, published
from logitspec.models import dense, info
from logitspec.models.catalogue import CATALOGUE
from logitspec.paths import ASSETS
from logitspec.publish.catalogue import LANGUAGES, PLACE, say, texts
from logitspec.publish.demos import galleries, opening_race, opening_scene
from logitspec.publish.modules import WORDS, inline_modules
from logitspec.serving.models import ABOUT_BUILTIN, LoadedModels
from logitspec.serving.turn import Turn
from logitspec.trace.exactness import promise
from logitspec.trace.origins import LOOKS
from logitspec.ui import words
from logitspec.ui.options import label

ENGLISH = texts("en")
OTHERS = [each for each in LANGUAGES if each != "en"]

# Strings that read like texts but are none, or none of the page's.
NO_TEXTS = {
    "as it ran": "a speed's name in the code",
    "beat by beat": "a speed's name in the code",
    "beat by beat, slowly": "a speed's name in the code",
    "Files": "a kind of what is dragged",
    "Enter": "a key's name in events",
    "Tab": "a key's name in events",
    "input, select, textarea, [contenteditable]": "a selector",
    "ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace": "fonts",
    "IBM Plex Sans, system-ui, sans-serif": "fonts",
    "There is no such function here.": "an answer to a script",
    "This takes ": "an answer to a script",
    "No such file.": "an answer to a script",
    "LogitSpec Live": "a name",
    "LogitSpec step player": "a name that programs read",
    "Escape": "a key's name in events",
    "End": "a key's name in events",
    "Home": "a key's name in events",
    "Esc": "a key's name on keyboards",
    "learn-predict learn-number": "classes",
    "lp-part lp-part-": "classes",
    "${LATIN}, ${HAN}, system-ui, sans-serif": "fonts",
    "${LATIN_MONO}, ${HAN}, ui-monospace, monospace": "fonts",
    "'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', 'Liberation Sans'": "fonts",
    "'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono'": "fonts",
    "'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', 'Noto Sans CJK SC', 'Source Han Sans SC'": "fonts",
    "python -m logitspec benchmark": "a command",
    "Name, length from 0 to 1, and whether the bar is what the claim is about.": "a docstring",
    "no size to draw at": "an error for callers of the scripts",
    "None": "Python's name for no value",
}
FUNCTIONS = re.compile(r"^(?:translate|scale|rotate|rgb)\(")
# Written by the player as it starts, over what the markup says until then.
NO_MARKUP = {"Race of methods"}


def forms(text: str | dict[str, str]) -> list[str]:
    return list(text.values()) if isinstance(text, dict) else [text]


def places(text: str | dict[str, str]) -> set[str]:
    return {name for form in forms(text) for name, _, _ in PLACE.findall(form)}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_says_all_that_english_says(language: str) -> None:
    for file in sorted((WORDS / "en").glob("*.json")):
        own = json.loads((WORDS / language / file.name).read_text(encoding="utf-8"))
        english = json.loads(file.read_text(encoding="utf-8"))
        assert own.keys() == english.keys(), file.name
        assert {key.split(".")[0] for key in own} <= {file.stem}
        for key, text in english.items():
            assert places(own[key]) == places(text), key
            assert all(form.strip() or not form for form in forms(own[key])), key


def test_the_scripts_import_every_room_of_every_language() -> None:
    text = (WORDS / "catalogue.js").read_text(encoding="utf-8")
    named = set(re.findall(r'from "\./([\w-]+/[\w-]+\.json)"', text))
    assert named == {str(file.relative_to(WORDS)) for file in WORDS.glob("*/*.json")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_of_the_language(language: str) -> None:
    node = machine.node()
    assert node is not None
    program = f'console.log(new Intl.PluralRules("{language}").resolvedOptions().pluralCategories)'
    shown = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True).stdout
    categories = set(re.findall(r"\w+", shown))
    assert "other" in categories
    for key, text in texts(language).items():
        if isinstance(text, dict):
            assert text.keys() == categories, key


def about_models() -> set[str]:
    """What is said about a model while it is being loaded and once it is."""
    about: dict[str, Any] = {"id": "a/b", "parameters": 10**8, "attention": "sdpa", "device": "cpu"}
    models = LoadedModels(Turn(), "builtin", "cpu", "float32", others=True, folders=False)
    models._loaded["a/b"] = SimpleNamespace(
        target=SimpleNamespace(info={**about, "dtype": "float32"})
    )  # type: ignore[assignment]
    busy = SimpleNamespace(start=lambda: None, is_alive=lambda: True)
    with mock.patch("logitspec.serving.models.Thread", return_value=busy):
        lines: list[str] = [next(models.loading("builtin"))]

    def fetch(*_: Any, progress: Any, **__: Any) -> None:
        progress(10**9, 2 * 10**9)

    with mock.patch("logitspec.serving.models.fetch", fetch), mock.patch.object(models, "load"):
        models._load_in_background("a/b", lines)
    halves = [{"dtype": "bfloat16", "environment": {"exact": each}} for each in ("yes", "no")]
    text = SimpleNamespace(max_position_embeddings=4096)
    short = SimpleNamespace(config=SimpleNamespace(get_text_config=lambda: text))
    file: Any = SimpleNamespace(path=Path(__file__), parameters=10**9, quantisation="Q4_1")
    return {
        *lines,
        models.about("a/b"),
        *map(promise, halves),
        info.context(short, 9),
        dense.line(file, torch.float32),
    }


def written_by_python() -> set[str]:
    """What Python writes in English without naming a key: words that other parts of the project choose."""
    found = {ABOUT_BUILTIN, *(each.label for each in LOOKS.values())}
    found |= {prompt.title for gallery in galleries() for prompt in gallery.prompts}
    for model in CATALOGUE:
        found |= {model.line, model.licence, *re.findall(r"[\d.]+ [MB]\b", model.line)}
    found |= {*about_models(), *_titles([("autoregressive", {})] * 2)}
    found |= {_words(each) for each in (True, False)}
    for method in METHODS.values():
        found |= {method.title}
        for field in option_fields(method):
            found |= {label(field), describe(field), *map(str, field.metadata["choices"])}
    for document in published():
        said = conditions(document)
        which, decoding = said.split("; ")[1].split(", at most")[0].rsplit(", ", 1)
        found |= {said, which, decoding, which.partition(" but ")[0]}
        tables = [overall(document), by_task(document), *compact(document)]
        if is_spec_bench(document):
            tables.append(beside(document))
        for table in tables:
            found |= {table.caption, *table.heads, *(row[0] for row in table.rows)}
    return found | {f"{each} (model, float32)" for each in found}


def fits(text: str | dict[str, str], found: set[str]) -> bool:
    """Whether one of `found` is the text with something in its places."""
    pattern = "|".join(
        "(.+?)".join(re.escape(piece) for piece in re.split(r"\{[^}]*\}", form))
        for form in forms(text)
    )
    return any(re.fullmatch(pattern, each) for each in found)


def test_every_key_is_used_and_every_used_key_is_there() -> None:
    used: set[str] = set()
    begun: set[str] = set()
    for file in [*strings.scripts(), *strings.python(), *strings.markup()]:
        whole, beginnings = strings.keys(file.read_text(encoding="utf-8"))
        used |= whole
        begun |= beginnings
    assert used - ENGLISH.keys() == set()
    assert [each for each in begun if not any(key.startswith(each) for key in ENGLISH)] == []
    unused = {
        key: text
        for key, text in ENGLISH.items()
        if key not in used
        and not key.startswith(("errors.", *begun))  # tests/test_error_words.py has those
    }
    found = written_by_python()
    assert {key for key, text in unused.items() if not fits(text, found)} == set()


def test_every_gloss_stands_somewhere_and_every_term_has_one() -> None:
    sources = [file.read_text(encoding="utf-8") for file in [*strings.scripts(), *strings.python()]]
    used = {name for text in sources for name in re.findall(r'\bterm\("([\w-]+)"', text)}
    used |= set(words.GLOSSES.values())
    for text in sources:
        for table in re.findall(r"const GLOSSES = \{(.*?)\}", text, re.S):
            used |= set(re.findall(r': "([\w-]+)"', table))
        used |= set(re.findall(r'\bpanel\([^;]*, "([\w-]+)"\)', text))
        used |= set(re.findall(r'^  \["\w+", t\([^)]*\), "[^"]*", "([\w-]+)"\]', text, re.M))
    glosses = {
        key.removeprefix("gloss.").removesuffix("-name")
        for key in texts("en")
        if key.startswith("gloss.")
    }
    assert used == glosses
    assert all({f"gloss.{name}", f"gloss.{name}-name"} <= ENGLISH.keys() for name in glosses)


def test_options_of_all_methods_have_words_in_all_languages() -> None:
    known = {form for text in ENGLISH.values() for form in forms(text)}
    for method in METHODS.values():
        for field in option_fields(method):
            assert {label(field), describe(field)} <= known, (method.name, field.name)


def test_no_text_is_left_outside_the_catalogue() -> None:
    left = {
        (file.name, text)
        for file in strings.scripts()
        for text in strings.left_in_script(file.read_text(encoding="utf-8"))
    }
    left |= {
        (file.name, text)
        for file in strings.python()
        for text in strings.left_in_python(file.read_text(encoding="utf-8"))
    }
    left = {
        (name, text) for name, text in left if text not in NO_TEXTS and not FUNCTIONS.match(text)
    }
    left |= {
        (file.name, text)
        for file in strings.markup()
        for text in strings.left_in_markup(file.read_text(encoding="utf-8"))
        if text not in NO_MARKUP
    }
    assert left == set()
    said = re.compile(r'content: "[^"\\]*[A-Za-z]{2}')
    assert [
        file.name for file in ASSETS.glob("*/*.css") if said.search(file.read_text("utf-8"))
    ] == []


def test_a_text_that_is_left_behind_is_found() -> None:
    script = (
        'el("p", {}, "Nothing here yet");  // a remark\nconst fits = `Step ${n} of ${all}`;\n'
        "const rest = ` and ${n} more`;\n"
    )
    assert list(strings.left_in_script(script)) == [
        "Nothing here yet",
        "Step ${n} of ${all}",
        " and ${n} more",
    ]
    python = '"""A docstring."""\ngr.Button("Press me", variant="primary")\nraise E("It fails.")\n'
    assert list(strings.left_in_python(python)) == ["Press me"]
    assert list(strings.left_in_markup('<p title="Some words">{{why.intro}}</p>')) == ["Some words"]


def test_python_writes_english_by_the_same_rules() -> None:
    assert say("why.depth", depth=3) == "Depth 3"
    assert say("why.ranks", count=4745, low="1%", all="2%", beyond="3%", root="4%").startswith(
        "Of 4,745 next-next tokens, 1% are"
    )
    assert "1 run is" in say("why.runs-ahead", n=1)
    assert "2 runs are" in say("why.runs-ahead", n=2)
    with pytest.raises(KeyError):
        say("why.depth")


# Another language, as the documentation adds it


def test_the_documented_example_adds_a_language(tmp_path: Path) -> None:
    folder = tmp_path / "assets"
    shutil.copytree(ASSETS / "page", folder / "page")
    shutil.copytree(ASSETS / "words", folder / "words")
    readme = (WORDS / "README.md").read_text(encoding="utf-8")
    for name, text in re.findall(r"`(fr/\w+\.json)`[^\n]*:\n\n```json\n(.*?)```", readme, re.S):
        (folder / "words" / name).parent.mkdir(exist_ok=True)
        (folder / "words" / name).write_text(text, encoding="utf-8")
    catalogue = folder / "words" / "catalogue.js"
    imports, entry = re.findall(r"```js\n(.*?)```", readme, re.S)[-2:]
    lines = catalogue.read_text(encoding="utf-8")
    lines = lines.replace("import enPage", imports + "import enPage", 1)
    lines = lines.replace("= {\n", "= {\n" + entry, 1)
    catalogue.write_text(lines, encoding="utf-8")
    main = folder / "main.js"
    main.write_text(
        'import { language, languageName, t } from "./page/i18n.js";\n'
        'console.log(JSON.stringify([language, languageName("fr"), t("player.tokens", { n: 0 }),'
        ' t("player.tokens", { n: 1234567 }), t("player.detail")]));\n',
        encoding="utf-8",
    )
    browser = (
        "globalThis.document = { querySelector: () => null };\n"
        'globalThis.location = { search: "?lang=fr-CA" };\n'
        'Object.defineProperty(globalThis, "navigator", { value: { languages: [] } });\n'
        + inline_modules(main, ["en", "fr"])
    )
    node = machine.node()
    assert node is not None
    done = subprocess.run(
        [node, "--input-type=module", "-"],
        input=browser,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [
        "fr",
        "Français",
        "0 token",
        "1\u202f234\u202f567 tokens",
        str(ENGLISH["player.detail"]),  # English stands in
    ]


# In a browser

VISIBLE = """() => {
  const seen = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (parent.closest(".ls-token, .ls-node-text, .ls-choice-text, .ls-rank-token, .ls-quote, .language, code, script, style")) continue;
    const range = document.createRange();
    range.selectNodeContents(walk.currentNode);
    const box = range.getBoundingClientRect();
    const text = walk.currentNode.data.trim().replace(/\\s+/g, " ");
    if (text && box.width > 1 && box.height > 1 && box.top < innerHeight && parent.checkVisibility()) seen.push(text);
  }
  return seen;
}"""


def english_left(page: Page, language: str) -> list[str]:
    """What the first screen says in English that has other words in the language."""
    own = texts(language)
    other = {
        form
        for key, text in ENGLISH.items()
        if own[key] != text
        for form in forms(text)
        if not places(form) and re.search(r"[A-Za-z]{3}", form)
    }
    known = {form for text in own.values() for form in forms(text)}
    return [each for each in page.evaluate(VISIBLE) if each in other - known]


def opened(chromium: Browser, url: str, locale: str, width: int = 1440) -> Page:
    context = chromium.new_context(
        locale=locale, viewport={"width": width, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(url)
    # Longer than an expectation waits, for a busy machine.
    page.locator("[data-logitspec-player] .ls-frame").wait_for()
    expect(page.locator(".language")).to_be_visible()
    return page


VIEWS = {
    "learn": ".learn-player .ls-story",
    "compare": "[data-logitspec-race] .lr-lane",
    "why": ".why-claim",
    "watch": "[data-logitspec-player] .ls-frame",
}


PLOTS_APART = {"exclude": [[".why-plot"]]}  # they are many elements, and drawn late


def faults_in_tabs(page: Page, *names: str) -> list[tuple[str, str, str]]:
    """What axe finds wrong in tabs, apart from colours: the tab, the rule and where."""
    faults = []
    for name in names or VIEWS:
        page.locator(f"[role=tab][data-tab-id={name}]:visible").first.click()
        expect(page.locator(VIEWS[name]).first).to_be_visible(timeout=30_000)
        page.evaluate(accessibility.SETTLED)
        found = accessibility.violations(page, accessibility.WORDS_OPTIONS, PLOTS_APART)
        faults += [(name, each["id"], str(each["nodes"][0]["target"])) for each in found]
    return faults


@pytest.mark.parametrize(("locale", "language"), [("de-AT", "de"), ("zh-CN", "zh-Hans")])
def test_the_page_follows_the_browser_and_the_switch(
    chromium: Browser, url: str, locale: str, language: str
) -> None:
    page = opened(chromium, url, locale)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("#run")).to_have_text(str(texts(language)["watch.run"]))
    assert english_left(page, language) == []
    page.evaluate(accessibility.SETTLED)
    found = accessibility.violations(page, accessibility.OPTIONS)
    assert [each["id"] for each in found] == []
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function("document.documentElement.scrollWidth <= 400")
    page.set_viewport_size({"width": 1440, "height": 900})
    # Chinese is shorter than German, in the same places.
    assert faults_in_tabs(page, *(VIEWS if language == "de" else ("learn", "watch"))) == []
    if language == "de":
        every_language_is_chosen(page)
    page.context.close()


def every_language_is_chosen(page: Page) -> None:
    """By a visitor who begins in German; each choice loads the page again."""
    german = cells_of_every_tab(page)
    for language in ("en", "zh-Hans", "de"):
        page.locator('[data-tab-id="watch"]').click()
        page.select_option(".language", language)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("#run")).to_have_text(str(texts(language)["watch.run"]))
        if language == "en":
            a_term_says_what_it_means(page)
            # The other tabs are checked elsewhere, as whole pages.
            assert faults_in_tabs(page, "learn", "why") == []
            numbers_have_german_marks(cells_of_every_tab(page), german)


CELLS = """() => [...document.querySelectorAll("td, .why-number")]
  .filter(each => !each.closest(".ls-player, [data-own-words]")).map(each => each.textContent.trim())"""
NUMBER = re.compile(r"-?[\d,]*\d(\.\d+)?(%| ×)?")


def cells_of_every_tab(page: Page) -> list[str]:
    tabs = page.locator("[data-tab-id]")
    names = [each.get_attribute("data-tab-id") for each in tabs.all()]
    for name in [*names, "why"]:
        page.locator(f'[data-tab-id="{name}"]').click(timeout=30_000)
        expect(page.locator(f'[data-tab-id="{name}"]')).to_have_attribute("aria-selected", "true")
    expect(page.locator("td").first).to_be_attached()
    page.wait_for_function(f"({CELLS})().length > 100")
    found: list[str] = page.evaluate(CELLS)
    return found


def numbers_have_german_marks(in_english: list[str], in_german: list[str]) -> None:
    swapped = str.maketrans(",.", ".,")
    numbers = [
        (english.translate(swapped), german.replace("\u00a0", ""))
        for english, german in zip(in_english, in_german, strict=True)
        if NUMBER.fullmatch(english)
    ]
    assert sum("." in english for english, _ in numbers) > 3  # thousands
    assert sum("," in english for english, _ in numbers) > 20
    assert [german for _, german in numbers] == [english for english, _ in numbers]


def sent(page: Page, button: str) -> list[Any]:
    """The values of the inputs that a press on a button sends."""
    with page.expect_request(
        lambda each: "queue/join" in each.url and "builtin" in str(each.post_data)
    ) as request:
        page.locator(button).click()
    values = (request.value.post_data_json or {})["data"]
    assert 5000 in values
    return [each for each in values if not re.fullmatch("[0-9a-f]{16}", str(each))]


def test_what_is_shown_in_german_is_sent_as_it_was_written(chromium: Browser, url: str) -> None:
    own = texts("de")
    page = opened(chromium, url, "de-AT")

    def fill(fold: str, name: str) -> None:
        unfold(page, str(own[fold]), str(own[name]))
        length = page.get_by_label(str(own[name]), exact=True)
        length.fill("5000")
        length.blur()

    try_your_own(page)
    page.get_by_role("radio", name=str(own["step.method-logitspec"]), exact=True).check()
    unfold(page, str(own["watch.options"]), str(own["watch.choice-measured"]))
    page.get_by_role("radio", name=str(own["watch.choice-measured"]), exact=True).check()
    fill("watch.sampling", "watch.length")
    *watched, options = sent(page, "#run")
    error = page.locator("[data-logitspec-player] .ls-error")
    expect(error).to_have_text(re.compile(r"4\.096.*5\.000"))
    scene, race = opening_scene(), opening_race()
    assert scene is not None
    assert race is not None
    assert watched == [scene[0].text, "logitspec", "builtin", 5000, 0, 0]
    assert json.loads(options)["logitspec"]["tree_size"] == "measured"

    page.locator('[data-tab-id="compare"]').click()
    lane = page.locator(".lane input").nth(2)
    lane.click()
    page.get_by_role("option", name=str(own["step.method-logitspec_paper"])).click()
    expect(lane).to_have_value(str(own["step.method-logitspec_paper"]))
    fill("compare.settings", "compare.length")
    lanes = ["autoregressive", "logitspec", "logitspec_paper", ""]
    assert sent(page, "#race") == [
        race.text, "builtin", 5000, *(each for lane in lanes for each in (lane, "{}"))
    ]  # fmt: skip
    a_race_fits_a_phone(page)
    page.context.close()


def a_race_fits_a_phone(page: Page) -> None:
    """Nothing of it sticks out, and the long names of methods end before the arrows of their drop-downs."""
    page.locator("[data-logitspec-race] .lr-lane").first.wait_for()
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function("document.documentElement.scrollWidth <= 400")
    sticks_out = """() => [...document.querySelectorAll("[data-logitspec-race] *")]
      .filter(each => each.getBoundingClientRect().right > innerWidth).map(each => each.className)"""
    assert page.evaluate(sticks_out) == []
    room = """lane => {
      const [field, arrow] = ["input", ".icon-wrap path"].map(each => lane.querySelector(each));
      const end = field.getBoundingClientRect().right - parseFloat(getComputedStyle(field).paddingRight);
      return arrow.getBoundingClientRect().left - end;
    }"""
    assert all(each.evaluate(room) > 0 for each in page.locator(".lane:visible").all())


def a_term_says_what_it_means(page: Page) -> None:
    button = page.locator("[data-logitspec-player] .ls-legend button.gloss").first
    expect(button).to_be_visible()
    button.focus()
    page.keyboard.press("Enter")
    note = page.locator(".gloss-note:popover-open")
    expect(note).to_have_text(button.get_attribute("aria-description") or "-")
    page.keyboard.press("Escape")
    expect(note).to_have_count(0)
