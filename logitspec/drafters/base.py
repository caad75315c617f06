"""What a drafter is, how its options describe themselves, and the registry of methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from typing import Any, ClassVar, TypeVar

from logitspec.errors import LogitSpecError
from logitspec.trace.costs import ForwardCosts
from logitspec.trace.results import ForwardResult, TopK
from logitspec.trace.tree import DraftTree, Origin, Provenance

METHODS: dict[str, type[Drafter]] = {}


@dataclass
class Drafter:
    """Guesses what follows the root, from token ids and the last logits alone.

    Subclasses are dataclasses whose fields are their options. One drafter serves one sequence at a
    time: `reset` starts a new one.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    paper: ClassVar[str] = ""

    def __post_init__(self) -> None:
        self.costs: ForwardCosts | None = None  # the target's, for methods with `sizes_trees`
        for each in option_fields(type(self)):
            check(each, getattr(self, each.name))

    @property
    def reads_prompt(self) -> bool:
        """Whether `learn` wants to be called."""
        return False

    def reset(self, prompt_ids: Sequence[int]) -> None:
        """Start a new sequence with the tokens of the prompt."""
        raise NotImplementedError

    def learn(self, ids: Sequence[int], topk: Sequence[TopK]) -> None:
        """Take what the target put after each of the prompt's `ids`: one TopK per token.

        Called after `reset`, with a target that tells it, for methods with `reads_prompt`.
        """

    def draft(self, root: int, last: TopK) -> DraftTree:
        """A tree of guesses under `root`, the next token; `last` is the best of the logits that
        chose it."""
        raise NotImplementedError

    def observe(self, tree: DraftTree, path: Sequence[int], result: ForwardResult | None) -> None:
        """Learn what became of the last tree: `path` (nodes, root first) was accepted."""
        raise NotImplementedError

    @property
    def sizes_trees(self) -> bool:
        """Whether it draws up its trees by what forwards cost, and so wants `costs`."""
        return False

    def options(self) -> dict[str, Any]:
        """The values of the options by name."""
        return asdict(self)


_D = TypeVar("_D", bound=type[Drafter])


def register(drafter: _D) -> _D:
    """Class decorator: make the method available under its name."""
    METHODS[drafter.name] = drafter
    return drafter


def option(
    default: Any,
    text: str,
    low: Any = None,
    high: Any = None,
    unit: str = "",
    choices: Sequence[str] = (),
) -> Any:
    """A dataclass field that describes itself: help text, inclusive bounds and unit, or choices."""
    about = {"help": text, "low": low, "high": high, "unit": unit, "choices": tuple(choices)}
    return field(default=default, metadata=about)


def option_fields(method: type[Drafter]) -> list[Field[Any]]:
    """The options of a method in the order of their declaration."""
    return [each for each in fields(method) if each.init and each.default is not MISSING]


def described(each: Field[Any]) -> str:
    """What an option is, with its bounds and unit, for help texts."""
    about = each.metadata
    if about["choices"]:
        return f"{about['help']} ({' or '.join(about['choices'])})"
    if about["low"] is None:
        return str(about["help"])
    return f"{about['help']} ({about['low']} to {about['high']} {about['unit']})".replace(" )", ")")


def check(each: Field[Any], value: Any) -> None:
    """Raise LogitSpecError unless `value` has the type and lies in the bounds of the option."""
    choices = each.metadata.get("choices", ())
    if choices and value not in choices:
        raise LogitSpecError(f"{each.name} must be {' or '.join(choices)}; got {value!r}.")
    wanted = type(each.default)
    low, high, unit = (each.metadata.get(key) for key in ("low", "high", "unit"))
    accepted = (int, float) if wanted is float else wanted
    right_type = isinstance(value, accepted) and isinstance(value, bool) == (wanted is bool)
    if not right_type or (low is not None and not low <= value <= high):
        bounds = "" if low is None else f" from {low} to {high}"
        raise LogitSpecError(
            f"{each.name} must be {_kinds.get(wanted, wanted.__name__)}{bounds}"
            f"{' ' + unit if unit else ''}; got {value!r}."
        )


_kinds = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}


def make(method: str, options: dict[str, Any]) -> Drafter:
    """The drafter `method` with `options`; LogitSpecError for an unknown method or option."""
    if method not in METHODS:
        raise LogitSpecError(f"There is no method {method!r}; choose one of {', '.join(METHODS)}.")
    known = [each.name for each in option_fields(METHODS[method])]
    if unknown := [name for name in options if name not in known]:
        offer = f"it has {', '.join(known)}" if known else "it has none"
        raise LogitSpecError(f"{method} has no option {unknown[0]!r}; {offer}.")
    return METHODS[method](**options)


def plant(root: int, last: TopK) -> DraftTree:
    """A tree of the root alone, with its rank and probability in the last logits."""
    rank = last.rank(root)
    probability = None if rank is None else last.probs[rank]
    return DraftTree(root, Provenance(Origin.ROOT, rank, probability))
