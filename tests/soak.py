"""Many visitors at once, for some minutes: `python tests/soak.py [--seconds S] [--clients N] [--halls]`.

It starts the app and visits it by HTTP as pages and scripts do. Some visitors stop their runs, some send
rubbish, some vanish, and pages open and close all the time. It prints figures as a table and exits with 1 when
a promise is broken: every output is what this machine writes with no other visitors, nothing is stuck, memory
stays steady, and while somebody waits nobody else has more than their share of turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from statistics import quantiles
from time import monotonic
from typing import Any

import httpx
import psutil
from support.app import serving_app
from support.awaited import awaited
from support.visiting import API, Buttons, PageVisitor, Ran, ScriptVisitor, Wanted

ROOT = Path(__file__).resolve().parents[1]
PROMPTS = (
    "Write a short story about a fox who found a red kite near the river.",
    "Translate to German: The old clock in the kitchen is slow.",
    "What is 17 + 25?",
    "List five things to take on a walk in the rain.",
)
METHODS = ("logitspec", "logitspec_paper", "prompt_lookup", "autoregressive")
STUCK_SECONDS = 120  # after the end, for runs under way
MEMORY_GROWTH = 1.10  # after the first minute
SHARE = 2.0  # turns that each other visitor has while one waits
HALL_PAGES, HALL_RUNS, HALL_SECONDS = 200, 30, 60.0
ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")  # of the visitors; all are this machine


@cache
def runs() -> list[Wanted]:
    """The runs that visitors ask for."""
    sampled = [(0.0, 0), (0.8, 3)]
    return [
        Wanted(prompt, method, 24 + 12 * number, temperature, seed)
        for number, prompt in enumerate(PROMPTS)
        for method in METHODS
        for temperature, seed in sampled
    ]


@cache
def alone() -> dict[Wanted, list[int]]:
    """What each run writes on this machine with no other visitors, by plain decoding."""
    sys.path.insert(0, str(ROOT))  # when this file is run as a script
    from logitspec import decode, load
    from logitspec.models import encode_prompt

    target, tokenizer = load()
    plain: dict[Wanted, list[int]] = {}
    for expected in {replace(each, method="autoregressive") for each in runs()}:
        steps = decode(
            target,
            encode_prompt(tokenizer, expected.prompt),
            expected.method,
            expected.tokens,
            expected.temperature,
            expected.seed,
        )
        plain[expected] = [token for step in steps for token in step.tokens]
    return {each: plain[replace(each, method="autoregressive")] for each in runs()}


@dataclass
class Figures:
    """What the visitors saw. ran: all runs that were read to their ends. refused: answers to rubbish, by
    their status. memory: of the app, in MB, second by second. stuck: visitors that did not come back."""

    ran: list[Ran] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    stuck: int = 0
    faults: list[str] = field(default_factory=list)

    def broken(self, right: dict[Wanted, list[int]]) -> list[str]:
        """The promises that did not hold, one line each."""
        wrong = [ran for ran in self.ran if not ran.error and ran.output != right[ran.wanted]]
        lines = [f"{ran.wanted} wrote something else" for ran in wrong]
        lines += [f"a run ended with: {ran.error}" for ran in self.ran if ran.error]
        lines += [f"{self.stuck} visitors are stuck"] * bool(self.stuck)
        lines += [f"rubbish was answered with {status}" for status in self.refused if status >= 500]
        if (share := self.share()) >= SHARE:
            lines.append(f"somebody had {share:.1f} turns while another visitor waited for one")
        if (growth := self.growth()) > MEMORY_GROWTH:
            lines.append(f"memory grew to {growth:.2f} times that of the first minute")
        return lines + sorted(set(self.faults))

    def share(self) -> float:
        """The most turns that each other visitor had on average while somebody waited."""
        begun = sorted((ran.begun, ran.session) for ran in self.ran if ran.begun)
        shares = [0.0]
        for ran in self.ran:
            if ran.begun:
                between = [s for at, s in begun if ran.asked < at < ran.begun and s != ran.session]
                shares.append(len(between) / max(1, len(set(between))))
        return max(shares)

    def growth(self) -> float:
        """The app's memory at the end, as a multiple of the first minute's maximum."""
        first = self.memory[: max(60, len(self.memory) // 5)]
        return self.memory[-1] / max(first) if self.memory else 1.0

    def table(self) -> Iterator[tuple[str, str]]:
        """Names and values."""
        waits = [ran.stepped - ran.asked for ran in self.ran if ran.stepped]
        places = [ran.placed - ran.asked for ran in self.ran if ran.placed]
        yield "runs read to their ends", str(len(self.ran))
        yield "runs stopped, given up or left", str(sum(self.left.values()))
        yield "visitors that are stuck", str(self.stuck)
        yield "to the first step, p50 / p95 / maximum", _spread(waits)
        yield "to the place in the queue, p50 / p95 / maximum", _spread(places)
        yield "most turns of another visitor while one waits", f"{self.share():.2f}"
        yield "answers to rubbish", ", ".join(f"{n} × {s}" for s, n in sorted(self.refused.items()))
        if self.memory:
            yield (
                "memory at the end and first minute's maximum",
                f"{self.memory[-1]:.0f} of {max(self.memory[:60]):.0f} MB",
            )


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "none"
    cuts = quantiles(seconds, n=20, method="inclusive")
    return f"{cuts[9]:.2f} / {cuts[18]:.2f} / {max(seconds):.2f} s"


class Soak:
    """Visitors at `url`, until `end`."""

    def __init__(self, url: str, seconds: float, seed: int = 1) -> None:
        self.figures = Figures()
        self._url, self._end = url, monotonic() + seconds
        self._draw = random.Random(seed)
        config = httpx.get(f"{url}/config", timeout=60).json()
        self._buttons = Buttons(config)

    @property
    def goes_on(self) -> bool:
        return monotonic() < self._end

    def client(self, number: int) -> httpx.AsyncClient:
        """A visitor's connections, from their own address."""
        address = ADDRESSES[number % len(ADDRESSES)] if sys.platform == "linux" else None
        transport = httpx.AsyncHTTPTransport(local_address=address)
        return httpx.AsyncClient(base_url=self._url, transport=transport, timeout=300)

    async def reads(self, client: httpx.AsyncClient) -> None:
        """A page that runs one prompt after another and reads each to its end."""
        page = PageVisitor(client, self._buttons)
        while self.goes_on:
            ran = await page.press_run(self._draw.choice(runs()))
            async for _ in page.listen(ran):
                pass
            self.figures.ran.append(ran)
            await asyncio.sleep(self._draw.uniform(0, 2))

    async def calls(self, client: httpx.AsyncClient) -> None:
        """A script that does the same."""
        script = ScriptVisitor(client)
        while self.goes_on:
            ran, event = await script.ask(self._draw.choice(runs()))
            async for _ in script.listen(ran, event):
                pass
            self.figures.ran.append(ran)
            await asyncio.sleep(self._draw.uniform(0, 2))

    async def stops(self, client: httpx.AsyncClient) -> None:
        """A page that stops its runs, queued ones and others."""
        page = PageVisitor(client, self._buttons)
        while self.goes_on:
            ran = await page.press_run(self._draw.choice(runs()))
            patience = self._draw.choice([0, 1, 5])
            async for _ in page.listen(ran):
                patience -= 1
                if patience == 0:
                    await page.press_stop()
            self.figures.left["stopped"] += 1

    async def vanishes(self, client: httpx.AsyncClient) -> None:
        """Pages and scripts that ask and never listen, or hang up."""
        while self.goes_on:
            page, script = PageVisitor(client, self._buttons), ScriptVisitor(client)
            ran = await page.press_run(self._draw.choice(runs()))
            if self._draw.random() < 0.5:
                async for _ in page.listen(ran):
                    break
            if self._draw.random() < 0.5:
                await script.ask(self._draw.choice(runs()))
            self.figures.left["vanished"] += 1
            await asyncio.sleep(self._draw.uniform(0, 4))

    async def opens(self, client: httpx.AsyncClient) -> None:
        """A page that is opened, stays for a moment and is closed."""
        while self.goes_on:
            for path in ("/", "/theme.css", f"{API}/info"):
                (await client.get(path)).raise_for_status()
            session = f"open{self._draw.randrange(10**9)}"
            async with client.stream("GET", f"{API}/heartbeat/{session}"):
                await asyncio.sleep(self._draw.uniform(0, 2))
            self.figures.left["closed"] += 1

    async def sends_rubbish(self, client: httpx.AsyncClient) -> None:
        """What no page would send, and what other sites and strangers would."""
        foreign = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
        join, call = f"{API}/queue/join", f"{API}/call/generate"
        rubbish: list[Callable[[], Coroutine[Any, Any, httpx.Response]]] = [
            lambda: client.post(join, content=b"\xff" * 1000),
            lambda: client.post(join, content=b"[" * 100_000),
            lambda: client.post(join, json={"data": ["x" * 10**6], "session_hash": "a"}),
            lambda: client.post(join, json={"data": [], "session_hash": "x" * 10_000}),
            lambda: client.post(call, content=json.dumps({"data": []}), headers=foreign),
            lambda: client.post(f"{API}/upload", files={"files": ("x", b"x" * 10**6)}),
            lambda: client.get("/config", headers={"Host": "evil.example"}),
            lambda: client.get("/monitoring/summary"),
            lambda: client.post(call, json={"data": []}),
            lambda: client.post(join, json={"data": [], "session_hash": "a", "fn_index": 10**6}),
            lambda: client.get(f"{API}/file=/etc/passwd"),
            lambda: client.get(f"{API}/heartbeat/" + "x" * 5_000),
        ]
        while self.goes_on:
            answer = await self._draw.choice(rubbish)()
            self.figures.refused[answer.status_code] += 1
            if answer.status_code < 400:
                self.figures.faults.append(f"{answer.url} let rubbish pass")
            await asyncio.sleep(self._draw.uniform(0, 0.5))

    def parts(
        self, clients: int
    ) -> Sequence[Callable[[httpx.AsyncClient], Coroutine[Any, Any, None]]]:
        """The visitors' parts: of 40, 20 pages and 8 scripts that read, 3 that stop, 3 that vanish, 3 pages
        that open and close, and 3 that send rubbish; with fewer visitors, at least one of each."""
        others = [self.stops, self.vanishes, self.opens, self.sends_rubbish]
        few = max(1, round(clients * 3 / 40))
        readers = max(2, clients - few * len(others))
        scripts = max(1, round(readers * 2 / 7))
        return [self.reads] * (readers - scripts) + [self.calls] * scripts + others * few

    async def play(self, clients: int, watch: Callable[[], float] | None = None) -> Figures:
        """Run all visitors until the end, and runs under way to theirs. watch: returns the app's memory in MB."""

        async def visit(number: int, part: Any) -> None:
            async with self.client(number) as client:
                await part(client)

        visits = [asyncio.create_task(visit(*each)) for each in enumerate(self.parts(clients))]
        while self.goes_on:
            await asyncio.sleep(1)
            if watch is not None:
                self.figures.memory.append(watch())
        _, late = await asyncio.wait(visits, timeout=STUCK_SECONDS)
        self.figures.stuck = len(late)
        for each in visits:
            if each not in late and (error := each.exception()):
                self.figures.faults.append(f"a visitor got {error!r}")
        return self.figures

    async def halls(
        self, pages: int = HALL_PAGES, presses: int = HALL_RUNS, seconds: float = HALL_SECONDS
    ) -> Figures:
        """Two lecture halls: `pages` are open, and `presses` of them press Run, once, within `seconds`."""

        async def sit(number: int) -> None:
            async with self.client(number) as client:
                (await client.get("/")).raise_for_status()
                page = PageVisitor(client, self._buttons)
                async with client.stream("GET", f"{API}/heartbeat/{page.session}"):
                    if number < presses:
                        await asyncio.sleep(number * seconds / presses)
                        ran = await page.press_run(runs()[number % len(runs())])
                        async for _ in page.listen(ran):
                            pass
                        self.figures.ran.append(ran)
                        ready.release()
                    await everybody.wait()

        ready, everybody = asyncio.Semaphore(0), asyncio.Event()
        seats = [asyncio.create_task(sit(number)) for number in range(pages)]
        for _ in range(presses):
            await ready.acquire()
        everybody.set()
        await asyncio.gather(*seats)
        return self.figures


@contextmanager
def app() -> Iterator[tuple[str, Callable[[], float]]]:
    """The address of a separate app, and a function that returns its memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        before = {child.pid for child in psutil.Process().children()}
        with serving_app(Path(folder) / "log") as url:
            (server,) = [each for each in psutil.Process().children() if each.pid not in before]
            yield url, lambda: server.memory_info().rss / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--halls", action="store_true", help="two lecture halls instead")
    options = parser.parse_args()
    right = alone()
    with app() as (url, memory):
        soak = Soak(url, options.seconds)
        if options.halls:
            figures = awaited(soak.halls())
        else:
            figures = awaited(soak.play(options.clients, memory))
    for name, value in figures.table():
        print(f"| {name} | {value} |")
    if options.halls:
        _, last = max((ran.begun or 0.0, ran) for ran in figures.ran)
        print(
            f"the last one was told {last.outlook}, and saw a step after {(last.stepped or 0) - last.asked:.1f} s"
        )
    broken = figures.broken(right)
    print("\n".join(broken) or "Every promise held.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
