"""Serves a log's static files, as any web server may from the same folder: checkpoint, tiles, entry bundles.

Implements the read side of c2sp.org/tlog-tiles. What a path may be is for `tiles.py` to say, so that nothing else in or
above the folder can be asked for. Everything here is public; nothing is computed.
"""

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from recognizance.errors import InputError, UnavailableError
from recognizance.ledger.sources import FolderSource
from recognizance.ledger.tiles import CHECKPOINT_PATH, WITNESSED_PATH, Bundle, Tile

PREFIX = "/ledger"
_NOTES = frozenset({CHECKPOINT_PATH, WITNESSED_PATH})
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_FOREVER = "public, max-age=31536000, immutable"
_NEVER = "no-cache"


def ledger_routes(public: Path) -> list[BaseRoute]:
    """Return the routes that serve the public files of a log below `/ledger/`."""
    source = FolderSource(public)

    async def serve(request: Request) -> Response:
        path: str = request.path_params["path"]
        try:
            data = await run_in_threadpool(source.read, path) if _is_of_a_log(path) else None
        except UnavailableError:
            return PlainTextResponse("The ledger can't be read.\n", 503)
        if data is None:
            return PlainTextResponse("The ledger has no such file.\n", 404)
        # A tile of one name has one content for good; tlog-tiles: checkpoints are mutable, and so not to be cached.
        is_note = path in _NOTES
        headers = {
            "Content-Type": _TEXT if is_note else _BYTES,
            "Cache-Control": _NEVER if is_note else _FOREVER,
            "Access-Control-Allow-Origin": "*",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(data, headers=headers)

    return [Route(f"{PREFIX}/{{path:path}}", serve, methods=["GET"])]


def _is_of_a_log(path: str) -> bool:
    return path in _NOTES or _parses(Tile, path) or _parses(Bundle, path)


def _parses(kind: type[Tile] | type[Bundle], path: str) -> bool:
    try:
        kind.parse(path)
    except InputError:
        return False
    return True
