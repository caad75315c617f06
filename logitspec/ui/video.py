"""Films of the page as MP4, where ffmpeg is installed and only this machine reaches the app.

GET  video          -> {"mp4": whether they are available}
POST video  a WebP  -> the same film as MP4
"""

from __future__ import annotations

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from logitspec.errors import LogitSpecError
from logitspec.publish.film import find_ffmpeg, mp4_of_webp
from logitspec.serving.gate import Access

NOT_HERE = "Videos are made only for users of this machine; save the film as WebP."


def video_route(address: str, access: Access) -> Route:
    """The route at `address`. A film is sent to it as the page would save it, and is not stored."""
    one_at_a_time = CapacityLimiter(1)

    async def answer(request: Request) -> Response:
        if request.method != "POST":
            return JSONResponse({"mp4": access.private and find_ffmpeg() is not None})
        if not access.private:
            return JSONResponse({"detail": NOT_HERE}, 403)
        film = await request.body()
        try:
            made = await to_thread.run_sync(mp4_of_webp, film, limiter=one_at_a_time)
        except LogitSpecError as error:
            return JSONResponse({"detail": str(error)}, 400)
        return Response(made, media_type="video/mp4")

    return Route(address, answer, methods=["GET", "POST"])
