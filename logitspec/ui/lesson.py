"""The lesson as a page of its own, for the tab's button: GET lesson?station=7&cue=2&language=de."""

from __future__ import annotations

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from logitspec.errors import LogitSpecError
from logitspec.publish.catalogue import LANGUAGES
from logitspec.publish.lesson import LESSON
from logitspec.publish.lesson_page import lesson_page
from logitspec.serving.host import Host
from logitspec.serving.waiting import in_moderation

# A file for the visitor's disk, not a page of the app.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Disposition": 'attachment; filename="logitspec-lesson.html"',
}
MAX_STATION = 1000  # as in the addresses that the page reads


def lesson_route(address: str, host: Host) -> Route:
    """The route of that page, which is built on request; the runs of `host` take precedence."""

    async def send(request: Request) -> Response:
        asked = request.query_params
        language = asked.get("language", "")
        place = (
            _whole(asked, "station", 0, MAX_STATION),
            _whole(asked, "cue", 1, 3),
            language if language in LANGUAGES else "",
        )
        try:
            page = await in_moderation(host.answering, lesson_page, LESSON, *place)
        except LogitSpecError as error:
            return Response(str(error), 500)
        return Response(page, media_type="text/html", headers=HEADERS)

    return Route(address, send, methods=["GET"])


def _whole(asked: QueryParams, name: str, least: int, most: int) -> int:
    """A whole number from the address; `least` for anything else."""
    text = asked.get(name, "")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else least
    return number if least <= number <= most else least
