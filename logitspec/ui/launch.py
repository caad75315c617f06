"""How the page is served: who is let in, what may be sent, and what a page says when it closes."""

from __future__ import annotations

from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from logitspec.serving.gate import Doors, Gate
from logitspec.serving.host import Host
from logitspec.serving.limits import MAX_WAITING
from logitspec.ui.scripts import ADDRESS, launch_options
from logitspec.ui.sessions import light_sessions

MAX_SESSIONS = 1000  # that Gradio remembers
THREADS = 40  # beyond those for runs


def serving_options(host: Host, doors: Doors) -> dict[str, Any]:
    """For `gr.Blocks.launch`: `launch_options`, and everything that visitors have to do with."""

    async def goodbye(request: Request) -> Response:
        """The page that follows the run in the body is closed."""
        name = (await request.body()).decode("utf-8", "replace")
        host.goodbye(name, request.client.host if request.client else "")
        return Response(status_code=204)

    options = launch_options()
    kwargs = options["app_kwargs"]
    kwargs["routes"].insert(0, Route(f"/{ADDRESS}/goodbye", goodbye, methods=["POST"]))
    kwargs["middleware"] = [Middleware(Gate, host=host, doors=doors)]
    kwargs["lifespan"] = light_sessions
    return {
        **options,
        "max_file_size": "1kb",  # nothing here is uploaded
        "max_threads": MAX_WAITING + THREADS,  # Gradio counts runs that wait, too
        "state_session_capacity": MAX_SESSIONS,
        "enable_monitoring": False,
        "run_history": False,
        "show_error": True,
        "footer_links": ["api", "settings"],
    }
