"""Fetches one file of known size and SHA-256 over HTTPS, so that an interruption costs nothing and a swap is noticed.

The bytes go to `NAME.part`; only when all are there and their SHA-256 is the stated one does the file get its name. It
never follows a redirect to anything but HTTPS (plain HTTP is for the loopback interface, where tests live), and never
writes more than the stated size.
"""

import hashlib
import http.client
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from recognizance.errors import InputError, UnavailableError

TIMEOUT_S = 30.0
MAX_REDIRECTS = 5
_CHUNK_BYTES = 1 << 18
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def download(
    url: str, destination: Path, *, size_bytes: int, sha256: str, progress: Callable[[int, int], None]
) -> None:
    """Fetch `url` to `destination`, going on from what an earlier attempt left.

    Args:
        progress: Called with the bytes that are there and `size_bytes`, about every quarter of a megabyte.

    Raises:
        InputError: If the URL is neither HTTPS nor loopback.
        UnavailableError: If the other side fails, stops early or sends another file. What came is kept if it may be
            the beginning of the right file, and removed if it was another one.
    """
    part = destination.with_name(destination.name + ".part")
    have_bytes = part.stat().st_size if part.exists() else 0
    if have_bytes > size_bytes:
        part.unlink()
        have_bytes = 0
    if have_bytes < size_bytes:
        try:
            _fetch(url, part, have_bytes, size_bytes, progress)
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(f"{url}: {type(error).__name__}: {error}") from error
    digest = _sha256(part)
    if digest != sha256:
        part.unlink()
        raise UnavailableError(f"{url} sent a file with the SHA-256 {digest}; {sha256} was expected")
    part.replace(destination)


def _fetch(url: str, part: Path, have_bytes: int, size_bytes: int, progress: Callable[[int, int], None]) -> None:
    """Bring `part` to `size_bytes`, asking for what is missing and starting over if the server can't do that."""
    connection, response = _open(url, have_bytes)
    try:
        if response.status == http.client.PARTIAL_CONTENT:
            if response.headers.get("Content-Range") != f"bytes {have_bytes}-{size_bytes - 1}/{size_bytes}":
                raise UnavailableError(f"{url} answered another range than the one asked for")
        elif response.status == http.client.OK:
            have_bytes = 0
        else:
            raise UnavailableError(f"{url} answered {response.status} {response.reason}")
        with part.open("ab" if have_bytes else "wb") as file:
            progress(have_bytes, size_bytes)
            while chunk := response.read(_CHUNK_BYTES):
                have_bytes += len(chunk)
                if have_bytes > size_bytes:
                    break
                file.write(chunk)
                progress(have_bytes, size_bytes)
            file.flush()
            os.fsync(file.fileno())
    finally:
        connection.close()
    if have_bytes > size_bytes:
        part.unlink()
        raise UnavailableError(f"{url} sent more than the {size_bytes} bytes that were expected")
    if have_bytes < size_bytes:
        raise UnavailableError(f"{url} stopped after {have_bytes} of {size_bytes} bytes; try again to go on")


def _open(url: str, have_bytes: int) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Send the request, following redirects."""
    headers = {"User-Agent": "recognizance", "Accept-Encoding": "identity"}
    if have_bytes:
        headers["Range"] = f"bytes={have_bytes}-"
    for _ in range(MAX_REDIRECTS + 1):
        parts = urlsplit(url)
        connection = _connection(parts)
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers=headers)
        response = connection.getresponse()
        if response.status not in _REDIRECTS:
            return connection, response
        url = urljoin(url, response.headers.get("Location", ""))
        connection.close()
    raise UnavailableError(f"{url}: more than {MAX_REDIRECTS} redirects")


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=context)
    if parts.scheme == "http" and host in _LOOPBACK:
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
    raise InputError(f"{parts.scheme}://{host} is not fetched: only https is, and http on this machine itself")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
