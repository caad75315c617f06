"""The page's scripts and styles, served alongside Gradio's own.

`assets/page/page.js` imports the modules that all tabs share and `assets/page/page.css` their style sheets; a folder
of assets/ may add a `tab.js` and a `tab.css`. A page launched with `launch_options()` loads them all, the scripts as
one, since a hundred files take longer to request than to run. A view is a `gr.HTML` with
`js_on_load=component()`: the page's `mount` starts the views that it finds in it.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from logitspec.paths import ASSETS
from logitspec.publish.catalogue import LANGUAGES
from logitspec.publish.export import player_scripts, player_style
from logitspec.publish.modules import bundle, inline_styles

# Below Gradio's own prefix, which any proxy in front of the app lets through.
ADDRESS = "gradio_api/logitspec"
PAGE = "page/page.js"
TYPES = {".js": "text/javascript", ".json": "application/json", ".css": "text/css"}
KEPT = {
    "Cache-Control": "public, max-age=31536000, immutable"
}  # another version has another address


def component() -> str:
    """The script that a view of the page runs: `js_on_load` of its gr.HTML."""
    return (ASSETS / "page" / "component.js").read_text(encoding="utf-8")


def launch_options() -> dict[str, Any]:
    """Options for `gr.Blocks.launch`: the files as they are now, and the head that loads them."""
    styles = [ASSETS / "page" / "page.css", *sorted(ASSETS.glob("*/tab.css"))]
    texts = {PAGE: bundle(ASSETS / PAGE, sorted(ASSETS.glob("*/tab.js")))}
    texts |= {_name(file): inline_styles(file) for file in styles}
    texts |= {f"export/scripts-{each}.js": player_scripts(each) for each in LANGUAGES}
    texts["export/style.css"] = player_style()
    version = sha256("\0".join(texts.values()).encode()).hexdigest()[:16]

    def send(request: Request) -> Response:
        name = request.path_params["name"]
        if request.path_params["version"] != version or name not in texts:
            return Response("No such file.", 404)
        return Response(texts[name], media_type=TYPES[Path(name).suffix], headers=KEPT)

    base = f"{ADDRESS}/{version}"
    head = [
        *(f'<link rel="stylesheet" href="{base}/{_name(file)}">' for file in styles),
        f'<script type="module" id="logitspec-page" src="{base}/{PAGE}"></script>',
    ]
    return {
        "head": "\n".join(head),
        "app_kwargs": {"routes": [Route(f"/{ADDRESS}/{{version}}/{{name:path}}", send)]},
    }


def _name(file: Path) -> str:
    return file.relative_to(ASSETS).as_posix()
