"""A hub on this machine: a folder of files for each model, served as huggingface.co serves them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from huggingface_hub import constants

COMMIT = "c0ffee" + "0" * 34
CONVERTED = "c0de" + "0" * 36  # the commit of a pull request
REVISIONS = (CONVERTED, "refs%2Fpr%2F1")  # how that commit can be asked for
TOKEN = "hf_right"
FILE_PATH = re.compile(r"/([\w.-]+/[\w.-]+)/resolve/([\w.%-]+)/(.+)")
MODEL_PATH = re.compile(r"/api/models/([\w.-]+/[\w.-]+)(/revision/[\w.%-]+)?")
DISCUSSIONS_PATH = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/discussions")


class Hub:
    """What it serves and how it behaves. requests: method, path and Range header of every request."""

    def __init__(self) -> None:
        self.models: dict[str, Path] = {}
        self.converted: dict[str, tuple[str, Path]] = {}  # author and files of a pull request
        self.gated: set[str] = set()
        self.status: int | None = None  # the answer to every request
        self.status_of_discussions = 200
        self.bytes_until_cut: list[int] = []  # for the next answers with a file of weights
        self.damaged = False
        self.open = Event()  # until it is set, the last bytes of weights are held back
        self.open.set()
        self.requests: list[tuple[str, str, str | None]] = []
        self.url = ""

    def fetched(self, file: str) -> list[str | None]:
        """The Range headers of the GET requests for `file`."""
        return [each for verb, path, each in self.requests if verb == "GET" and path.endswith(file)]


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub of models that answers for as long as the context lasts."""
    hub = Hub()
    with answering(hub, Answers):
        yield hub


def use_hub(patch: pytest.MonkeyPatch, url: str, cache: Path) -> None:
    """Make huggingface_hub, which reads its environment as it is imported, go to `url` and store in `cache`."""
    patch.setattr(constants, "HF_HUB_OFFLINE", False)
    patch.setattr(constants, "ENDPOINT", url)
    template = "{repo_id}/resolve/{revision}/{filename}"
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{url}/{template}")
    patch.setattr(constants, "HF_HUB_CACHE", str(cache))


@contextmanager
def answering(hub: Any, answers: type[BaseHTTPRequestHandler]) -> Iterator[None]:
    """Serve `hub` by the class `answers`; its address is then in `hub.url`."""
    handler = type("Handler", (answers,), {"behind": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class Answers(BaseHTTPRequestHandler):
    behind: Hub

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub, path = self.behind, self.path.partition("?")[0]
        hub.requests.append((self.command, path, self.headers.get("Range")))
        if hub.status is not None:
            self._send(hub.status)
        elif match := MODEL_PATH.fullmatch(path):
            self._about(match[1], (match[2] or COMMIT).removeprefix("/revision/"))
        elif DISCUSSIONS_PATH.fullmatch(path) and hub.status_of_discussions != 200:
            self._send(hub.status_of_discussions)
        elif match := DISCUSSIONS_PATH.fullmatch(path):
            self._discussions(match[1])
        elif match := FILE_PATH.fullmatch(path):
            self._file(match[1], match[2], match[3])
        else:
            self._send(404)

    def _folder(self, name: str, commit: str) -> Path | None:
        if commit in REVISIONS:
            return self.behind.converted[name][1]
        return self.behind.models.get(name)

    def _discussions(self, name: str) -> None:
        pull_requests = [self.behind.converted[name]] if name in self.behind.converted else []
        listed = [
            {
                "num": 1,
                "title": "Adding `safetensors` variant of this model",
                "author": {"name": author},
                "createdAt": "2024-01-01T00:00:00.000Z",
                "status": "open",
                "isPullRequest": True,
                "repo": {"name": name, "type": "model"},
            }
            for author, _ in pull_requests
        ]
        body = json.dumps({"discussions": listed, "count": len(listed), "start": 0})
        self._send(200, {"Content-Type": "application/json"}, body.encode())

    def _about(self, name: str, commit: str) -> None:
        if (folder := self._folder(name, commit)) is None:
            self._send(401, {"X-Error-Code": "RepoNotFound"})
            return
        if commit not in (COMMIT, *REVISIONS):
            self._send(404, {"X-Error-Code": "RevisionNotFound"})
            return
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        listed = [
            {"rfilename": file.relative_to(folder).as_posix(), "size": file.stat().st_size}
            for file in files
        ]
        sha = CONVERTED if commit in REVISIONS else COMMIT
        body = json.dumps({"id": name, "modelId": name, "sha": sha, "siblings": listed})
        self._send(200, {"Content-Type": "application/json"}, body.encode())

    def _file(self, name: str, commit: str, file: str) -> None:
        folder = self._folder(name, commit)
        if folder is None:
            self._send(401, {"X-Error-Code": "RepoNotFound"})
        elif name in self.behind.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"X-Error-Code": "GatedRepo"})
        elif not (folder / file).is_file():
            self._send(404, {"X-Error-Code": "EntryNotFound"})
        else:
            sha = CONVERTED if commit in REVISIONS else COMMIT
            self._content((folder / file).read_bytes(), sha)

    def _content(self, content: bytes, commit: str) -> None:
        headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Repo-Commit": commit,
            "Accept-Ranges": "bytes",
        }
        if self.behind.damaged and self.path.endswith(".safetensors"):
            content = bytes(len(content))
        if byte_range := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or ""):
            first = int(byte_range[1])
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self._send(206, headers, content[first:])
        else:
            self._send(200, headers, content)

    def _send(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        weights, cuts = self.path.endswith(".safetensors"), self.behind.bytes_until_cut
        if weights and cuts:
            body = body[: cuts.pop(0)]
            self.close_connection = True
        if weights:
            self.wfile.write(body[:-1000])
            self.wfile.flush()
            self.behind.open.wait()
            body = body[-1000:]
        self.wfile.write(body)
        self.wfile.flush()
