"""Lectures that other pages follow: the lecturer's page reports its place, followers go there, votes are counted.

Nobody's text comes here: a place is a few numbers and names of recordings, and a vote is a number: that of a choice,
or a prediction within bounds. A lecture lives in memory, and ends when nobody has led it for a while.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from hmac import compare_digest
from time import monotonic
from typing import Any

from logitspec.errors import LogitSpecError

MAX_LECTURES = 32  # at a time
MAX_FOLLOWERS = 500  # of a lecture, at a time
MAX_TICKETS = 2000  # of a lecture: all followers that it ever had
MAX_STREAMS = 3  # of a follower: an old one may hang while a new one begins
MAX_PLACE = 800  # bytes
MAX_CHOICES = 64
MAX_VALUES = 16  # predicted values counted one by one for the page; the others are summed
MAX_QUESTIONS = 200  # of a lecture
MAX_NUMBER = 2**53  # the largest that a page reads exactly
MAX_VOTES = 20_000  # of a lecture
MAX_CHANGES = 20  # of one vote
UNLED_SECONDS = 900.0  # without a lecturer, after which a lecture ends
MAX_SECONDS = 6 * 3600.0  # of a lecture
STILL_SECONDS = 15.0  # after which a stream says that it is still there
PAUSE_SECONDS = 0.1  # between two places, however fast the lecturer moves

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that looks like another
CODE_LETTERS = 6
CHOICE = {"key", "choices", "revealed"}  # a question with choices
VALUE = {"key", "least", "most", "whole", "revealed"}  # one for a number, or a node or row
WORD = re.compile(r"[\w:.-]{0,80}", re.ASCII)

UNKNOWN = "This lecture is over, or its code is mistyped; ask for the link again."
NOT_LEADING = "Only the page that opened this lecture can lead it."
BAD_PLACE = "This is not a place in a lecture."
BAD_VOTE = "There is no such question to vote on now."
FULL = "This lecture is full; follow it on the lecturer's screen."
NO_ROOM = "Too many lectures are running to open another; try again in a few minutes."

Counts = list[Any]  # votes by choice, or pairs of a value and its votes


class FollowError(LogitSpecError):
    """A sentence for the client, and the HTTP status of the answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Lecture:
    """One lecture. digest: of the lecturer's secret."""

    def __init__(self, digest: bytes, now: float) -> None:
        self.digest = digest
        self.begun = self.led = now
        self.over = False
        self.place: dict[str, Any] | None = None
        self.version = 0
        self.message = b""  # what followers get
        self.tickets: dict[str, int] = {}  # the number of each follower
        self.streams: dict[str, int] = {}  # open now, by ticket
        self.ballots: dict[str, Ballot] = {}  # by question
        self.votes = 0
        self.changed = asyncio.Event()

    def tell(self) -> None:
        """Wake all followers with the newest message."""
        self.version += 1
        about = {"place": self.place, "counts": self._shown_counts()}
        self.message = _event(about)
        woken, self.changed = self.changed, asyncio.Event()
        woken.set()

    @property
    def question(self) -> dict[str, Any] | None:
        """The current question: its key, the votes it allows, and whether its answer is revealed."""
        return self.place["question"] if self.place else None

    def ask(self, question: dict[str, Any]) -> None:
        """Make a ballot for a question that is asked for the first time."""
        key, asked = question["key"], {**question, "revealed": False}
        if key not in self.ballots and len(self.ballots) >= MAX_QUESTIONS:
            raise FollowError(
                429, "This lecture has asked so many questions that no more are counted."
            )
        if self.ballots.setdefault(key, Ballot(asked)).asked != asked:
            raise FollowError(400, BAD_PLACE)

    def _shown_counts(self) -> Counts | None:
        asked = self.question
        if asked is None or not asked["revealed"] or asked["key"] not in self.ballots:
            return None
        return self.ballots[asked["key"]].shown()

    def report(self) -> dict[str, Any]:
        """For the lecturer: the number of followers, and the votes on the current question so far."""
        asked = self.question
        ballot = self.ballots.get(asked["key"]) if asked else None
        return {"followers": len(self.streams), "counts": ballot.shown() if ballot else None}


class Ballot:
    """The votes on one question: each follower's, and how often it was changed. asked: the question."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.chosen: dict[int, tuple[float, int]] = {}

    def takes(self, said: Any) -> bool:
        """Whether `said` is a valid vote."""
        if "choices" in self.asked:
            return type(said) is int and 0 <= said < self.asked["choices"]
        if type(said) not in ((int,) if self.asked["whole"] else (int, float)):
            return False
        return bool(self.asked["least"] <= said <= self.asked["most"])

    def counts(self) -> Counts:
        """Votes by choice, or pairs of a value and its votes, the smallest value first."""
        counted = Counter(said for said, _ in self.chosen.values())
        if "choices" in self.asked:
            return [counted[choice] for choice in range(self.asked["choices"])]
        return [(value, counted[value]) for value in sorted(counted)]

    def shown(self) -> Counts:
        """Counts of a bounded size: of more than MAX_VALUES values those with the most votes, and last a pair of
        None and the votes for all others."""
        counts = self.counts()
        if "choices" in self.asked or len(counts) <= MAX_VALUES:
            return counts
        common = sorted(counts, key=lambda pair: -pair[1])[:MAX_VALUES]
        others = sum(count for _, count in counts) - sum(count for _, count in common)
        return [*sorted(common), (None, others)]


class Lectures:
    """All lectures, by code. Everything happens in one event loop. now: a clock, in seconds."""

    def __init__(self, now: Callable[[], float] = monotonic, still: float = STILL_SECONDS) -> None:
        self._now, self._still = now, still
        self._lectures: dict[str, Lecture] = {}

    def open(self) -> tuple[str, str]:
        """Open a lecture. Returns its code, which followers type, and the secret for leading it."""
        self._sweep()
        if len(self._lectures) >= MAX_LECTURES:
            self._end_idle()
        code = self._new_code()
        secret = secrets.token_urlsafe(24)
        lecture = self._lectures[code] = Lecture(_digest(secret), self._now())
        lecture.tell()
        return code, secret

    def lead(self, code: str, secret: Any, place: Any) -> dict[str, Any]:
        """Go to `place`; None only says that somebody still leads. Returns a report."""
        lecture = self._led(code, secret)
        lecture.led = self._now()
        if place is not None:
            place = checked_place(place)
            if place != lecture.place:
                if place["question"]:
                    lecture.ask(place["question"])
                lecture.place = place
                lecture.tell()
        return lecture.report()

    def vote(self, code: str, ticket: Any, question: Any, choice: Any) -> None:
        """Count a follower's vote on the current question; a later one replaces it."""
        lecture = self._open(code)
        follower = lecture.tickets.get(ticket) if isinstance(ticket, str) else None
        asked = lecture.question
        if follower is None or asked is None or asked["revealed"] or asked["key"] != question:
            raise FollowError(409, BAD_VOTE)
        ballot = lecture.ballots[question]
        if not ballot.takes(choice):
            raise FollowError(400, BAD_VOTE)
        _, changes = ballot.chosen.get(follower, (0, -1))
        if changes < 0:
            if lecture.votes >= MAX_VOTES:
                raise FollowError(429, FULL)
            lecture.votes += 1
        elif changes >= MAX_CHANGES:
            raise FollowError(429, "This vote has changed too often; it stays as it is.")
        ballot.chosen[follower] = (choice, changes + 1)

    def votes(self, code: str, secret: Any) -> list[dict[str, Any]]:
        """The counts of every question, in the order in which they were asked."""
        lecture = self._led(code, secret)
        return [{"question": key, "counts": each.counts()} for key, each in lecture.ballots.items()]

    def end(self, code: str, secret: Any) -> None:
        self._led(code, secret)
        self._close(code)

    async def follow(self, code: str, ticket: str = "") -> AsyncIterator[bytes]:
        """Events for a follower: first the ticket for voting and returning, then every place.

        ticket: of a follower who returns. Raises FollowError before the first event.
        """
        lecture = self._open(code)
        if ticket not in lecture.tickets:
            ticket = secrets.token_urlsafe(12)
            if len(lecture.tickets) >= MAX_TICKETS:
                raise FollowError(503, FULL)
        if ticket not in lecture.streams and len(lecture.streams) >= MAX_FOLLOWERS:
            raise FollowError(503, FULL)
        if lecture.streams.get(ticket, 0) >= MAX_STREAMS:
            raise FollowError(429, "This page is already following; close its other windows.")
        lecture.tickets.setdefault(ticket, len(lecture.tickets))
        lecture.streams[ticket] = lecture.streams.get(ticket, 0) + 1
        try:
            yield _event({"ticket": ticket})
            async for event in self._events(code, lecture):
                yield event
        finally:
            left = lecture.streams.pop(ticket) - 1
            if left:
                lecture.streams[ticket] = left

    async def _events(self, code: str, lecture: Lecture) -> AsyncIterator[bytes]:
        version = 0
        while not self._is_over(code, lecture):
            if lecture.version != version:
                version = lecture.version
                yield lecture.message
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            try:
                await asyncio.wait_for(lecture.changed.wait(), self._still)
            except asyncio.TimeoutError:
                yield b":\n\n"
        yield _event({"over": True})

    def _open(self, code: str) -> Lecture:
        lecture = self._lectures.get(code.upper())
        if lecture is None or self._is_over(code, lecture):
            raise FollowError(404, UNKNOWN)
        return lecture

    def _led(self, code: str, secret: Any) -> Lecture:
        lecture = self._open(code)
        given = secret if isinstance(secret, str) else ""
        if not compare_digest(_digest(given), lecture.digest):
            raise FollowError(403, NOT_LEADING)
        return lecture

    def knows(self, code: str) -> bool:
        """Whether there is a lecture with this code."""
        return code.upper() in self._lectures

    def _new_code(self) -> str:
        while True:
            code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))
            if code not in self._lectures:
                return code

    def _is_over(self, code: str, lecture: Lecture) -> bool:
        now = self._now()
        late = now - lecture.led > UNLED_SECONDS or now - lecture.begun > MAX_SECONDS
        if late and not lecture.over:
            self._close(code)
        return lecture.over

    def _close(self, code: str) -> None:
        lecture = self._lectures.pop(code.upper())
        lecture.over = True
        lecture.tell()

    def _sweep(self) -> None:
        for code, lecture in list(self._lectures.items()):
            self._is_over(code, lecture)

    def _end_idle(self) -> None:
        """End the lecture without followers that was led longest ago, to make room."""
        idle = [each for each in self._lectures.items() if not each[1].streams]
        if not idle:
            raise FollowError(503, NO_ROOM)
        code, lecture = min(idle, key=lambda each: each[1].led)
        if self._now() - lecture.led < self._still:
            raise FollowError(503, NO_ROOM)
        self._close(code)


def checked_place(place: Any) -> dict[str, Any]:
    """`place` as followers get it: {view, cue, at, question}, without anything that could be a text.

    view: a name. cue: a number. at: what the view needs to find the place, by name. question: None, or key, revealed,
    and either the number of choices or the bounds of a number and whether it is whole. Raises FollowError.
    """
    right = (
        isinstance(place, dict)
        and set(place) == {"view", "cue", "at", "question"}
        and _is_word(place["view"])
        and _is_count(place["cue"], 1_000_000)
        and _is_flat(place["at"])
        and _is_question(place["question"])
    )
    if not right or len(json.dumps(place)) > MAX_PLACE:
        raise FollowError(400, BAD_PLACE)
    return place  # type: ignore[no-any-return]


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and WORD.fullmatch(value) is not None


def _is_count(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_flat(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, dict) and all(
        _is_word(name) and (each is None or _is_number(each) or _is_word(each))
        for name, each in value.items()
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float)) and abs(value) <= MAX_NUMBER


def _is_question(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or set(value) not in (CHOICE, VALUE):
        return False
    if not _is_word(value["key"]) or not isinstance(value["revealed"], bool):
        return False
    if "choices" in value:
        return _is_count(value["choices"], MAX_CHOICES) and value["choices"] > 0
    least, most, whole = value["least"], value["most"], value["whole"]
    return _is_bound(least) and _is_bound(most) and least <= most and isinstance(whole, bool)


def _is_bound(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= MAX_NUMBER


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _event(about: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(about, separators=(",", ":")).encode() + b"\n\n"
