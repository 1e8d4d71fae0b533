"""The pages' own style sheets, scripts and pictures, under an address that changes with them.

All of them are read at start and have one digest, which is part of their path: a browser may keep them for good, and a
script that imports another by its relative name gets the one of the same version. Nothing is read from a path that a
request names.
"""

from collections.abc import Mapping
from hashlib import sha256
from importlib import resources

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOREVER = "public, max-age=31536000, immutable"
_DIGEST_DIGITS = 16


class StaticFiles:
    """The files of `static/`, in memory."""

    def __init__(self) -> None:
        self._files: Mapping[str, bytes] = {
            each.name: each.read_bytes()
            for each in resources.files("recognizance.web").joinpath("static").iterdir()
            if each.is_file()
        }
        whole = sha256()
        for name, data in sorted(self._files.items()):
            whole.update(f"{name} {len(data)}\n".encode() + data)
        self._digest = whole.hexdigest()[:_DIGEST_DIGITS]

    def path(self, name: str) -> str:
        """Where a file is found.

        Raises:
            ValueError: If there is none of this name; a template that asks for it is wrong.
        """
        if name not in self._files:
            raise ValueError(f"there is no static file {name!r}")
        return f"/static/{self._digest}/{name}"

    def route(self) -> Route:
        async def serve(request: Request) -> Response:
            name: str = request.path_params["name"]
            data = self._files.get(name)
            if data is None:
                raise HTTPException(404)
            kind = _TYPES["." + name.rpartition(".")[2]]
            # Of another version, it may be gone from here with the next start.
            is_current = request.path_params["digest"] == self._digest
            return Response(
                data, headers={"Content-Type": kind, "Cache-Control": _FOREVER if is_current else "no-cache"}
            )

        return Route("/static/{digest}/{name}", serve, methods=["GET"])
