"""The models that visitors may choose: their names, their loading, and a line about each."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, NamedTuple

from logitspec.errors import LogitSpecError, sentence
from logitspec.models.catalogue import CATALOGUE
from logitspec.models.devices import TooLargeError, release
from logitspec.models.loader import fetch, load
from logitspec.models.names import HUB as HUB_ADDRESS
from logitspec.models.sources import BUILTIN, display_name
from logitspec.models.tokens import Speller
from logitspec.runtime.runner import Runner
from logitspec.serving import zerogpu
from logitspec.serving.thread import HungError, in_a_thread
from logitspec.serving.turn import Turn
from logitspec.trace.exactness import promise

MAX_OTHER_MODELS = 3  # loaded at a time, besides those on offer
SECONDS_PER_LINE = 0.3

HUB = "https://huggingface.co/"
HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w.:@/%-]+(?:[?#].*)?")

ABOUT_BUILTIN = "The built-in model knows the seven tasks of the examples; free-form prompts need a larger model."

log = logging.getLogger(__name__)


class Loaded(NamedTuple):
    """A model that is ready to run."""

    target: Runner
    tokenizer: Any
    speller: Speller


class LoadedModels:
    """Loads each model once.

    Visitors may ask for `model`, an id or a folder, or for the built-in one; with `others`, for any model
    of the hub; with `folders` too, for any in a folder of this machine. loading: device_map,
    offload and exact, as `load` takes them.
    """

    def __init__(
        self,
        turn: Turn,
        model: str,
        device: str,
        dtype: str,
        others: bool,
        folders: bool,
        **loading: Any,
    ) -> None:
        self._sources = {display_name(model): model}
        self._sources.setdefault(BUILTIN, BUILTIN)
        self.others = others
        self._folders = folders
        self._turn = turn
        self._device, self._dtype = device, dtype
        # A captured graph would belong to a process without a GPU.
        self._loading = {**loading, "graphs": False} if zerogpu.HERE else loading
        self.load_seconds: float | None = None  # limit for loading a model; None: no limit
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._free: dict[str, Runner] = {}  # by model, the target that is not on loan

    @property
    def names(self) -> list[str]:
        """The models on offer without `others`, the default first."""
        return list(self._sources)

    @property
    def default(self) -> str:
        return self.names[0]

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Lines for a list of models, each with the model's name."""
        catalogue = CATALOGUE if self.others else ()
        return [(name, name) for name in self.names] + [
            (each.line, each.name) for each in catalogue
        ]

    def prepare(self) -> None:
        """Load the models that the page needs from the start: the default one, and on ZeroGPU all on
        offer, because the process with the GPU there is a copy of this one."""
        for name in self.names if zerogpu.HERE else [self.default]:
            self.load(name)

    def load(self, name: str) -> Loaded:
        """A model, loaded on first use. When that fails, the models already loaded stay."""
        if name not in self._sources and not self.others:
            raise LogitSpecError(
                f"The model {name!r} is not offered here; choose one of {', '.join(self.names)}."
            )
        if name not in self._loaded:
            source = self._source(name)
            try:
                loaded = self._in_time(name, lambda: self._load(source))
            except TooLargeError as error:
                self._make_room(error)
                loaded = self._in_time(name, lambda: self._load(source))
            self._loaded[name] = loaded
            self._free[name] = loaded.target
            self._unload_oldest()
        self._loaded.move_to_end(name)
        return self._loaded[name]

    def _load(self, source: str) -> Loaded:
        target, tokenizer = load(source, self._device, self._dtype, **self._loading)
        if not zerogpu.HERE:
            target.measure_costs()  # now, so that the first run begins immediately
        return Loaded(target, tokenizer, Speller(tokenizer))

    def _in_time(self, name: str, work: Callable[[], Loaded]) -> Loaded:
        """The result of `work`, which is abandoned after `load_seconds`: later turns would wait for good."""
        if self.load_seconds is None or zerogpu.HERE:
            return work()
        try:
            return in_a_thread(work, self.load_seconds)
        except HungError:
            log.error("loading %s hangs", name)
            raise LogitSpecError(
                f"The model {name} was not loaded within {self.load_seconds:.0f} seconds, so loading was given up;"
                " choose another one, or try again."
            ) from None

    def _source(self, name: str) -> str:
        """Where a model comes from. A visitor who may not use this machine's folders doesn't learn of any: every
        folder's name gets the same answer, and all other names are looked up on the hub only."""
        if name in self._sources:
            return self._sources[name]
        if self._folders or any(name == each.name for each in CATALOGUE):
            return name
        without_address = HUB_ADDRESS.sub("", name.strip())
        if not HUB_NAME.fullmatch(without_address):
            raise LogitSpecError(
                "That is not a model on Hugging Face, and folders on this machine are not offered; give an id"
                " such as user/model."
            )
        return f"{HUB}{without_address}"

    def _unload_oldest(self) -> None:
        """Drop the least recently used models; those on offer stay."""
        others = [name for name in self._loaded if name not in self._sources]
        for name in others[:-MAX_OTHER_MODELS]:
            self.forget(name)

    def _make_room(self, error: TooLargeError) -> None:
        """Drop the least recently used models that nobody is using, so that another one fits; those on offer
        stay. Raises `error`, and drops none, where that would not be enough."""
        missing, dropped = error.missing, []
        for name in self._loaded:
            if missing and missing > 0 and name in self._free and name not in self._sources:
                missing -= sum(each.nbytes for each in self._free[name].model.parameters())
                dropped.append(name)
        if missing is None or missing > 0:
            raise error
        for name in dropped:
            self.forget(name)
        release()

    def forget(self, name: str) -> None:
        """Drop a model; it is reloaded when it is next needed."""
        self._loaded.pop(name, None)
        self._free.pop(name, None)

    @contextmanager
    def lend(self, name: str) -> Iterator[Runner]:
        """A target of the model for the length of a block. Work that has given way keeps its target, with
        its text, so other work gets another target over the same weights."""
        loaded = self.load(name)
        target = self._free.pop(name, None) or loaded.target.with_new_cache()
        try:
            yield target
        finally:
            if self._loaded.get(name) is loaded:
                self._free[name] = target

    def about(self, name: str) -> str:
        """One line about a model; empty if it is not loaded."""
        loaded = self._loaded.get(name)
        if loaded is None:
            return ABOUT_BUILTIN if name == BUILTIN else ""
        info = loaded.target.info
        line = (
            f"{info['id']}: {info['parameters'] / 1e6:,.0f} million parameters in {info['dtype']},"
            f" {info['attention']} attention, on {info['device']}."
            f" {info.get('weights', '')} {info.get('context', '')}"
        ).rstrip()
        return f"{ABOUT_BUILTIN if name == BUILTIN else line} {promise(info)}".rstrip()

    def loading(self, name: str) -> Iterator[str]:
        """Load a model and report progress line by line; the last line is about the model, or about the
        error. Loading goes on without a reader."""
        if not self.others:
            yield self.about(name)
            return
        lines = [f"{name} is being looked up."]
        if name not in self._loaded:
            loader = Thread(target=self._load_in_background, args=[name, lines], daemon=True)
            loader.start()
            while loader.is_alive():
                yield lines[-1]
                loader.join(SECONDS_PER_LINE)
        yield self.about(name) if name in self._loaded else lines[-1]

    def _load_in_background(self, name: str, lines: list[str]) -> None:
        def progress(done: int, total: int) -> None:
            share = done / total if total else 1.0
            lines.append(
                f"{name} is being downloaded: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB ({share:.0%})."
            )

        try:
            source, place = self._source(name), (self._device, self._dtype)
            try:
                fetch(source, *place, progress=progress, **self._loading)
            except TooLargeError as error:
                with self._turn.hold(Event()):
                    self._make_room(error)
                fetch(source, *place, progress=progress, **self._loading)
            lines.append(f"{name} is being loaded; this waits while a run is in progress.")
            with self._turn.hold(Event()):
                self.load(name)
        except Exception as error:
            if not isinstance(error, LogitSpecError):
                log.exception("loading %s failed", name)
            lines.append(sentence(error))
