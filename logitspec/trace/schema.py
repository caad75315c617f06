"""What a trace file may hold: types, bounds, and how its parts must fit together.

    read(text) -> size -> JSON -> kind and schema -> types and bounds -> coherence -> the document

Types and bounds are in `assets/schema.json`, which the page's reader uses as well: assets/player/schema.js has
the same functions in the same order, and a test gives both the same files. So a file opens in both or in
neither, and a file that opens can be shown, exported and drawn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import count, pairwise, zip_longest
from operator import lt
from typing import Any, NoReturn

from logitspec.errors import LogitSpecError
from logitspec.paths import ASSETS
from logitspec.trace.sampling import SEEDS
from logitspec.trace.tree import Origin

FILE = ASSETS / "schema.json"
SCHEMA = 1

Rule = dict[str, Any]

_TYPES = {
    bool: "boolean", dict: "object", float: "number", int: "integer", list: "array", str: "string",
    type(None): "null",
}  # fmt: skip
_WORDS = {
    "array": "a list", "boolean": "true or false", "integer": "a whole number", "number": "a number",
    "object": "an object", "string": "a text",
}  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
_ORIGINS = {origin.value for origin in Origin}


class SchemaError(ValueError):
    """What is wrong in a document, and where."""

    def __init__(self, words: str) -> None:
        self.words, self.place = words, ""

    def at(self, part: str) -> SchemaError:
        """Prepend the part that holds the place so far."""
        self.place = part + self.place
        return self

    def __str__(self) -> str:
        return f"{self.place.lstrip('.') or 'it'} {self.words}"


def read(
    text: str | bytes, kind: str = "trace", check: Callable[[Any], None] | None = None
) -> dict[str, Any]:
    """The document of a file, with whole numbers as int. kind: trace, race or another kind in the schema, for
    which `check` raises SchemaError if the parts don't fit together.

    Raises LogitSpecError with one sentence if it is not of this kind, has another schema, or is out of bounds.
    """
    document = _parsed(text, kind)
    if not isinstance(document, dict) or "schema" not in document:
        raise LogitSpecError(f"This JSON is not a LogitSpec {kind}; open a file saved here.")
    if kind == "trace" and document.get("kind") == "race":
        raise LogitSpecError("This is a race, not a run; open it in the page, under Compare.")
    if (theirs := document["schema"]) != SCHEMA:
        known = type(theirs) is int and 0 <= theirs < 10**6
        raise LogitSpecError(
            f"This {kind} has schema {theirs if known else 'unknown'} and this version reads schema"
            f" {SCHEMA}; open it with the version that wrote it."
        )
    try:
        _checked(document, RULES[kind])
        (check or _COHERE[kind])(document)
    except SchemaError as fault:
        advice = "correct it and open it again" if kind == "lesson" else "save it again"
        raise LogitSpecError(f"This {kind} is damaged ({fault}); {advice}.") from fault
    return document


def too_large(kind: str = "trace") -> LogitSpecError:
    """The error for a file that has more bytes, unpacked, than are read."""
    return LogitSpecError(
        f"This {kind} has more than {LIMITS['bytes'] >> 20} MB; save a shorter run."
    )


def unopenable(text: bytes) -> str:
    """Why a trace that was written can't be opened again, in a sentence; empty if it can."""
    if len(text) > LIMITS["bytes"]:
        why = f"has {len(text) / 2**20:.0f} MB, and files of up to {LIMITS['bytes'] >> 20} MB can be opened"
    elif _brackets(text) > LIMITS["brackets"]:
        why = "has more steps and nodes than can be opened"
    else:
        return ""
    return f"This trace {why}; ask for fewer new tokens to have one that can be opened again."


def _brackets(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _parsed(text: str | bytes, kind: str) -> Any:
    try:
        data = text.encode() if isinstance(text, str) else text
        if len(data) > LIMITS["bytes"]:
            raise too_large(kind)
        if _brackets(data) > LIMITS["brackets"]:
            raise ValueError("it has too many brackets")
        return json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except LogitSpecError:
        raise
    except UnicodeError:
        why = "it is not UTF-8"
    except RecursionError:
        why = "its brackets are nested too deeply"
    except ValueError as error:
        why = str(error).partition(";")[0]
    raise LogitSpecError(f"This is not a {kind}: {why}; open a file saved here.")


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


# Types and bounds


def _resolved(rule: Any, names: dict[str, Rule]) -> Any:
    """The rule with every reference replaced by the rule that it names."""
    if isinstance(rule, list):
        return [_resolved(each, names) for each in rule]
    if not isinstance(rule, dict):
        return rule
    if "$ref" in rule:
        return _resolved(names[rule["$ref"].rpartition("/")[2]], names)
    resolved = {name: _resolved(value, names) for name, value in rule.items()}
    if isinstance(kinds := rule.get("type"), (str, list)):
        resolved["type"] = frozenset([kinds] if isinstance(kinds, str) else kinds)
    if "pattern" in resolved:
        resolved["pattern"] = re.compile(resolved["pattern"], re.ASCII)
    return resolved


_DATA = json.loads(FILE.read_text(encoding="utf-8"))
LIMITS: dict[str, Any] = _DATA["limits"]
MEASURES: dict[str, list[str]] = _DATA["measures"]
RULES: dict[str, Rule] = _resolved(_DATA["$defs"], _DATA["$defs"])


def _checked(value: Any, rule: Any) -> Any:
    """`value`, with whole numbers as int; SchemaError if it breaks the rule."""
    if rule is True:
        return _plain(value, LIMITS["depth"])
    kind, wanted = _TYPES[type(value)], rule["type"]
    if kind == "number" and "number" not in wanted and value.is_integer():
        value, kind = int(value), "integer"  # as in a page, where 1.0 and 1 are the same
    if kind not in wanted and not (kind == "integer" and "number" in wanted):
        raise SchemaError(
            f"is not {' or '.join(_WORDS[each] for each in sorted(wanted) if each in _WORDS)}"
        )
    if kind in ("integer", "number"):
        _check_number(value, rule)
    elif kind == "string":
        _check_string(value, rule)
    elif kind == "array":
        _check_array(value, rule)
    elif kind == "object":
        _check_object(value, rule)
    if "enum" in rule and value not in rule["enum"]:
        raise SchemaError("is unknown")
    return value


def _check_number(value: float, rule: Rule) -> None:
    low, above = rule.get("minimum", value), rule.get("exclusiveMinimum")
    if not low <= value <= rule.get("maximum", value) or (above is not None and value <= above):
        raise SchemaError("is out of bounds")


def _check_string(value: str, rule: Rule) -> None:
    if not rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", len(value)):
        raise SchemaError("is too long" if value else "is empty")
    if _broken(value):
        raise SchemaError("has half a character")
    if "pattern" in rule and not rule["pattern"].fullmatch(value):
        raise SchemaError("is not written as it should be")


def _broken(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None


def whole(text: str) -> str:
    """`text` with a question mark for each half of a character, as a browser or a terminal may send one: no file
    may hold it, and no tokenizer takes it."""
    return text.encode("utf-8", "replace").decode()


def _check_array(values: list[Any], rule: Rule) -> None:
    if not rule.get("minItems", 0) <= len(values) <= rule["maxItems"]:
        raise SchemaError("is too long" if values else "is empty")
    if "prefixItems" in rule:
        rules = rule["prefixItems"]
    elif _fits(values, rule["items"]):
        return
    else:
        rules = [rule["items"]] * len(values)
    for number, (value, each) in enumerate(zip(values, rules, strict=False)):
        try:
            values[number] = _checked(value, each)
        except SchemaError as fault:
            raise fault.at(f"[{number}]") from None


def _check_object(values: dict[str, Any], rule: Rule) -> None:
    if len(values) > rule.get("maxProperties", len(values)):
        raise SchemaError("has too many entries")
    known, other = rule.get("properties", {}), rule["additionalProperties"]
    for name in rule.get("required", ()):
        if name not in values:
            raise SchemaError("is missing").at(f".{name}")
    if "propertyNames" in rule:
        _check_entries(values, rule)
        return
    for name, value in values.items():
        if name not in known:
            if other is False:
                raise SchemaError("has one entry too many")
            if _broken(name):
                raise SchemaError("has half a character")
            _checked(value, other)
            continue
        try:
            values[name] = _checked(value, known[name])
        except SchemaError as fault:
            raise fault.at(f".{name}") from None


def _check_entries(values: dict[str, Any], rule: Rule) -> None:
    """Check an object whose names are data."""
    if not all(map(rule["propertyNames"]["pattern"].fullmatch, values)):
        raise SchemaError("has an entry with a wrong name")
    each = rule["additionalProperties"]
    texts = [value for value in values.values() if isinstance(value, str)]
    fit = _fits(texts, each)
    for name, value in values.items():
        if fit and isinstance(value, str):
            continue
        try:
            _checked(value, each)
        except SchemaError as fault:
            raise fault.at(f".{name}") from None


def _fits(values: list[Any], rule: Rule) -> bool:
    """Whether all values keep the rule, at the speed of C; also False if only `_checked` can tell."""
    kinds, wanted = set(map(type, values)), rule["type"]
    if "null" in wanted and type(None) in kinds:
        kinds.discard(type(None))
        values = [value for value in values if value is not None]
    if not values:
        return True
    if kinds == {list} and "prefixItems" in rule:
        lengths = set(map(len, values))
        if not rule["minItems"] <= min(lengths) <= max(lengths) <= rule["maxItems"]:
            return False
        columns = zip(zip_longest(*values), rule["prefixItems"], strict=False)
        return all(_fits(list(column), each) for column, each in columns)
    if kinds <= ({int, float} if "number" in wanted else {int}) and wanted & {"integer", "number"}:
        return bool(rule["minimum"] <= min(values) and max(values) <= rule["maximum"])
    if kinds == {str} and "string" in wanted and not {"pattern", "minLength"} & rule.keys():
        if "enum" in rule:
            return set(values) <= set(rule["enum"])
        return max(map(len, values)) <= rule["maxLength"] and not _broken("".join(values))
    return False


def _plain(value: Any, depth: int) -> Any:
    """A value that no rule describes: bounded, and JSON in any program."""
    if isinstance(value, (list, dict)) and depth == 0:
        raise SchemaError("is nested too deeply")
    if isinstance(value, dict):
        for name, each in value.items():
            _plain(name, depth - 1)
            _plain(each, depth - 1)
    elif isinstance(value, list):
        for each in value:
            _plain(each, depth - 1)
    elif isinstance(value, str):
        if _broken(value):
            raise SchemaError("has half a character")
    elif isinstance(value, (int, float)) and abs(value) > LIMITS["number"]:
        raise SchemaError("is out of bounds")
    return value


# How parts fit together


def _cohere_race(race: dict[str, Any]) -> None:
    """Every lane has a title, and an end."""
    if len(race["titles"]) != len(race["lanes"]):
        raise SchemaError("does not have as many titles as lanes")
    for number, lane in enumerate(race["lanes"]):
        try:
            cohere(lane)
            if lane["finish"] is None:
                raise SchemaError("has not finished")
        except SchemaError as fault:
            raise fault.at(f"lanes[{number}]") from None


def cohere(trace: dict[str, Any]) -> None:
    """Steps follow each other, and the text has a length that can be drawn."""
    if int(trace["sampling"].get("seed", 0)) >= SEEDS:
        raise SchemaError("is out of bounds").at(".sampling.seed")
    sizes = {int(token): _size(spelling) for token, spelling in trace["vocabulary"].items()}
    text = sum(sizes.get(token, 0) for token in trace["prompt_ids"])
    position = len(trace["prompt_ids"])
    for number, step in enumerate(trace["steps"]):
        try:
            _cohere_step(step, position)
        except SchemaError as fault:
            raise fault.at(f"steps[{number}]") from None
        position += len(step["path"])
        text += sum(sizes.get(step["tokens"][node], 0) for node in step["path"])
    if text > LIMITS["text"]:
        raise SchemaError("spells too long a text")


def _size(spelling: str | dict[str, str]) -> int:
    """Bytes of a token."""
    return len(spelling.encode()) if isinstance(spelling, str) else len(spelling["hex"]) // 2


def _cohere_step(step: dict[str, Any], position: int) -> None:
    tokens, parents, rows = step["tokens"], step["parents"], step["provenance"]
    if step["position"] != position:
        raise SchemaError("does not begin where the text ends").at(".position")
    if len(step["last"]["ids"]) != len(step["last"]["probs"]):
        raise SchemaError("does not have as many ids as probs").at(".last")
    for name in ("parents", "provenance", "choices"):
        if len(step[name]) != len(tokens):
            raise SchemaError("does not have an entry for every token").at(f".{name}")
    if parents[0] != -1 or min(parents[1:], default=0) < 0 or not all(map(lt, parents, count())):
        raise SchemaError("does not name earlier nodes, the root's being -1").at(".parents")
    _check_path(step)
    _check_sources(rows, parents, position)


def _check_path(step: dict[str, Any]) -> None:
    """The path leads down from the root, and the target chose each node after the one before."""
    tokens, parents, choices, path = (
        step[name] for name in ("tokens", "parents", "choices", "path")
    )
    if path[0] != 0 or max(path) >= len(tokens):
        raise SchemaError("is not in the tree").at(".path")
    for above, node in pairwise(path):
        if parents[node] != above or tokens[node] != choices[above]:
            raise SchemaError("is not what the target chose").at(".path")


def _check_sources(rows: Sequence[Sequence[Any]], parents: list[int], position: int) -> None:
    """Every origin is known, and every copied token comes before its copy."""
    depths: list[int] = []
    for node, (row, parent) in enumerate(zip(rows, parents, strict=True)):
        depths.append(depths[parent] + 1 if node else 0)
        if row[0] not in _ORIGINS:
            raise SchemaError("is of an unknown origin").at(f".provenance[{node}]")
        if len(row) > 4 and row[4] is not None and row[4] >= position + depths[node]:
            raise SchemaError("is a copy of what comes later").at(f".provenance[{node}]")


_COHERE = {"trace": cohere, "race": _cohere_race}
