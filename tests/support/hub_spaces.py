"""The part of a hub that keeps Spaces: files by commits and LFS, settings, hardware."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from support.hub import answering

USER, TOKEN = "somebody", "hf_write"
HARDWARE = ("cpu-basic", "t4-small", "zero-a10g")
LARGE = re.compile(r".*\.(safetensors|webp)")


@dataclass
class Space:
    """One Space. files: content by path; commits: the operations of each, in order."""

    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[list[dict[str, Any]]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    hardware: str = "cpu-basic"
    sleep_seconds: int | None = None

    @property
    def sha(self) -> str:
        return f"{len(self.commits):040x}"


class SpaceHub:
    """Spaces by owner/name. refuses: statuses of answers, by the end of the path. large: LFS objects by
    their SHA-256. requests: method and path of every request."""

    def __init__(self) -> None:
        self.spaces: dict[str, Space] = {}
        self.refuses: dict[str, int] = {}
        self.large: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.url = ""

    @property
    def written(self) -> list[str]:
        """The paths of all requests that change something."""
        harmless = ("/preupload/main", "/api/validate-yaml")
        return [
            path for verb, path in self.requests if verb != "GET" and not path.endswith(harmless)
        ]


@contextmanager
def serving_spaces() -> Iterator[SpaceHub]:
    """A hub of Spaces that answers for as long as the context lasts."""
    hub = SpaceHub()
    with answering(hub, _Answers):
        yield hub


class _RefusedError(Exception):
    def __init__(self, status: int, code: str = "") -> None:
        self.status, self.code = status, code


class _Answers(BaseHTTPRequestHandler):
    behind: SpaceHub

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        self.behind.requests.append((self.command, path))
        try:
            for end, status in self.behind.refuses.items():
                if path.endswith(end):
                    raise _RefusedError(status)
            answer, status, code = self._reply(path, body), 200, ""
        except _RefusedError as refused:
            answer, status, code = {"error": "no"}, refused.status, refused.code
        text = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("X-Error-Code", code)):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _chunks(self) -> bytes:
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _reply(self, path: str, body: bytes) -> Any:
        if path.startswith("/lfs/"):  # no account: the address itself grants access
            return self._store(path, body)
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if not known and (self.command != "GET" or path.endswith(("whoami-v2", "variables"))):
            raise _RefusedError(401)
        if path == "/api/whoami-v2":
            return {"name": USER, "type": "user", "auth": {}}
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if batch := re.fullmatch(r"/spaces/([\w-]+/[\w-]+)\.git/info/lfs/objects/batch", path):
            self._space(batch[1])
            return self._batch(json.loads(body))
        if match := re.fullmatch(r"/api/spaces/([\w-]+/[\w-]+)(?:/([\w-]+))?(/.*)?", path):
            return self._space_reply(match[1], self._space(match[1]), match[2] or "", body)
        raise _RefusedError(404)

    def _space(self, name: str) -> Space:
        if name not in self.behind.spaces:
            raise _RefusedError(404, "RepoNotFound")
        if self.command != "GET" and not name.startswith(f"{USER}/"):
            raise _RefusedError(403)
        return self.behind.spaces[name]

    def _create(self, request: dict[str, Any]) -> Any:
        name = f"{request['organization'] or USER}/{request['name']}"
        assert (request["type"], request["sdk"]) == ("space", "gradio")
        if not name.startswith(f"{USER}/"):
            raise _RefusedError(403)
        if name in self.behind.spaces:
            raise _RefusedError(409)
        self.behind.spaces[name] = Space({".gitattributes": b"*.safetensors lfs\n"})
        return {"url": f"{self.behind.url}/spaces/{name}"}

    def _batch(self, request: dict[str, Any]) -> Any:
        def action(each: dict[str, Any]) -> dict[str, Any]:
            if each["oid"] in self.behind.large:
                return each
            address = f"{self.behind.url}/lfs/{each['oid']}"
            return {**each, "actions": {"upload": {"href": address}, "verify": {"href": address}}}

        return {"transfer": "basic", "objects": [action(each) for each in request["objects"]]}

    def _store(self, path: str, body: bytes) -> Any:
        oid = path.rpartition("/")[2]
        if self.command == "PUT":
            if hashlib.sha256(body).hexdigest() != oid:
                raise _RefusedError(400)
            self.behind.large[oid] = body
        elif len(self.behind.large[oid]) != json.loads(body)["size"]:
            raise _RefusedError(400)
        return {}

    def _space_reply(self, name: str, space: Space, what: str, body: bytes) -> Any:
        if what == "tree":
            return [_entry(path, content) for path, content in space.files.items()]
        if what in ("", "revision"):
            return {"id": name, "sha": space.sha, "siblings": []}
        if what == "preupload":
            return {"files": [_mode(space, each) for each in json.loads(body)["files"]]}
        if what == "commit":
            return self._commit(name, space, [json.loads(line) for line in body.splitlines()])
        return self._setting(space, what, json.loads(body) if body else {})

    def _setting(self, space: Space, what: str, request: dict[str, Any]) -> Any:
        if what in ("variables", "secrets"):
            entries: dict[str, str] = getattr(space, what)
            if self.command == "POST":
                entries[request["key"]] = request["value"]
            elif self.command == "DELETE":
                del entries[request["key"]]
            secret = what == "secrets"
            return {
                key: {"key": key, **({} if secret else {"value": entries[key]})} for key in entries
            }
        if what == "hardware":
            if request["flavor"] not in HARDWARE:
                raise _RefusedError(400)
            space.hardware, space.sleep_seconds = request["flavor"], request.get("sleepTimeSeconds")
        elif what == "sleeptime":
            space.sleep_seconds = request["seconds"]
        elif what != "runtime":
            raise _RefusedError(404)
        hardware = {"current": None, "requested": space.hardware}
        return {"stage": "BUILDING", "hardware": hardware, "gcTimeout": space.sleep_seconds}

    def _commit(self, name: str, space: Space, lines: list[dict[str, Any]]) -> Any:
        header, *operations = lines
        if header["value"].get("parentCommit", space.sha) != space.sha:
            raise _RefusedError(412)
        for each in operations:
            kind, value = each["key"], each["value"]
            if kind == "file":
                space.files[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                space.files[value["path"]] = self.behind.large[value["oid"]]
            else:
                assert kind == "deletedFile"
                del space.files[value["path"]]
        space.commits.append(operations)
        url = f"{self.behind.url}/spaces/{name}/commit/{space.sha}"
        return {"commitUrl": url, "commitOid": space.sha, "success": True}


def _mode(space: Space, request: dict[str, Any]) -> dict[str, Any]:
    path = request["path"]
    entry = _entry(path, space.files[path]) if path in space.files else {}
    mode = "lfs" if LARGE.fullmatch(path) else "regular"
    return {"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": entry.get("oid")}


def _entry(path: str, content: bytes) -> dict[str, Any]:
    large = LARGE.fullmatch(path) is not None
    digest, size = hashlib.sha256(content).hexdigest(), len(content)
    pointer = (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n".encode()
    )
    stored = pointer if large else content
    oid = hashlib.sha1(f"blob {len(stored)}\0".encode() + stored).hexdigest()
    entry = {"type": "file", "path": path, "size": size, "oid": oid}
    lfs = {"oid": digest, "size": size, "pointerSize": len(pointer)}
    return {**entry, "lfs": lfs} if large else entry
