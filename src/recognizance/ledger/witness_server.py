"""A small witness for others' logs: `witness.Witness` behind HTTP, with its memory in a folder.

One process, one folder: a lock holds a second one off, since two memories would cosign two histories.
"""

import fcntl
import os
from hashlib import sha256
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from recognizance.errors import ConflictError, UnavailableError
from recognizance.ledger.witness import MAX_REQUEST_BYTES, TEXT_CONTENT_TYPE, Witness


class FolderWitnessStore:
    """A `WitnessStore` in a folder: one file for each origin, named by the origin's hash.

    Raises:
        ConflictError: On construction, if another process has the folder.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock_fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock_fd)
            raise ConflictError("another witness has this folder") from error

    def load(self, origin: str) -> bytes | None:
        try:
            return self._path(origin).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnavailableError("could not read what the witness has cosigned") from error

    def save(self, origin: str, note: bytes) -> None:
        path = self._path(origin)
        temporary = path.with_suffix(".new")
        try:
            with temporary.open("wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            folder_fd = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder_fd)
            finally:
                os.close(folder_fd)
        except OSError as error:
            raise UnavailableError("could not save what the witness is about to cosign") from error

    def close(self) -> None:
        """Let another process in."""
        os.close(self._lock_fd)

    def _path(self, origin: str) -> Path:
        return self._folder / f"{sha256(origin.encode()).hexdigest()}.checkpoint"


def witness_app(witness: Witness) -> Starlette:
    """Return an ASGI application that serves `POST /add-checkpoint`."""

    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_REQUEST_BYTES:
                return Response(f"the limit is {MAX_REQUEST_BYTES} bytes\n", 413, media_type=TEXT_CONTENT_TYPE)
        try:
            # It waits for the disk.
            answer = await run_in_threadpool(witness.add_checkpoint, bytes(body))
        except UnavailableError as error:
            return Response(f"{error}\n", 503, media_type=TEXT_CONTENT_TYPE)
        # Exactly this type: Starlette would add a charset to a media type that starts with "text/".
        return Response(answer.body, answer.status, headers={"Content-Type": answer.content_type})

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])
