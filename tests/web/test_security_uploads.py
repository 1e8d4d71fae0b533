"""Files that people send: what is no picture is refused, and what hides in one is never handed out again.

Every page that takes a file and looks into it is asked; what comes back of a file was drawn anew from its pixels.
"""

import asyncio
import base64
import io
import struct
import tempfile
import zlib
from collections.abc import Iterator

import pytest
from httpx import Response
from PIL import Image, PngImagePlugin
from starlette.requests import Request
from starlette.types import Message

from recognizance.cli.portraits import hopper_portrait
from recognizance.web.forms import read_form

from ..conftest import jpeg
from .attacks import OWN, attack
from .security_world import COUNTY_USE, Guarded

HIDDEN = b"<html><script>alert('hidden-in-a-file')</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'


def png_of(width: int, height: int) -> bytes:
    """The beginning of a PNG file that says how large it is, and has hardly any pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


NO_PICTURES = {
    "an SVG picture": SVG,
    "an SVG picture with a byte order mark": b"\xef\xbb\xbf" + SVG,
    "a page": HIDDEN,
    "a GIF that is a script": b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1)//",
    "a PDF document": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj",
    "an archive": b"PK\x03\x04" + b"\0" * 60,
    "a page behind a JPEG's first bytes": b"\xff\xd8\xff\xe0" + HIDDEN,
    "a page behind a PNG's first bytes": b"\x89PNG\r\n\x1a\n" + HIDDEN,
    "a PNG that would be too large": png_of(60_000, 60_000),
    "nothing": b"\0",
    "a program": b"\x7fELF" + b"\0" * 60,
    "a multiple-choice of XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
}


NOT_DECODED_FOR_THE_PUBLIC = {
    "a page behind a JPEG's first bytes",
    "a page behind a PNG's first bytes",
    "a PNG that would be too large",
}
"""Whoever isn't signed in makes the server decode nothing: what begins like a picture is kept sealed, handed out to
nobody, and refused when the desk looks at it."""


def polyglots() -> Iterator[tuple[str, bytes]]:
    """Pictures of a face that are something else as well."""
    picture = jpeg(hopper_portrait(), 80)
    comment = b"\xff\xfe" + struct.pack(">H", len(HIDDEN) + 2) + HIDDEN
    yield "a JPEG with a page in its comment", picture[:2] + comment + picture[2:]
    yield "a JPEG with a page behind it", picture + HIDDEN
    yield "a JPEG with an archive behind it", picture + b"PK\x05\x06" + b"\0" * 18
    exif = Image.Exif()
    exif[0x010E] = HIDDEN.decode()
    file = io.BytesIO()
    hopper_portrait().save(file, format="JPEG", exif=exif.tobytes())
    yield "a JPEG with a page in its description", file.getvalue()
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", HIDDEN.decode())
    file = io.BytesIO()
    hopper_portrait().save(file, format="PNG", pnginfo=info)
    yield "a PNG with a page in a text", file.getvalue()


def stated() -> dict[str, str]:
    return {"case": attack("case-of-county"), "justification": attack("justification"), "offence": "robbery"}


def sent(guarded: Guarded, page: str, data: bytes, name: str, kind: str) -> Response:
    """Send a file to a page that looks into it."""
    if page == "search":
        files = {"photo": (name, data, kind)}
        return guarded.send(guarded.county["operator"], f"/search/begin?use={COUNTY_USE}", files=files, **stated())
    files = {"photograph": (name, data, kind)}
    if page == "ask":
        fields = {"kind": "access", "name": "somebody", "contact": "by letter", "statement": ""}
        return guarded.send(None, "/ask/request", files=files, **fields)
    where = f"/desk/requests/{guarded.objects['request']}/photograph"
    return guarded.send(guarded.county["desk_officer"], where, files=files)


@pytest.mark.parametrize("page", ["search", "ask", "desk"])
def test_what_is_no_picture_is_refused(guarded: Guarded, page: str) -> None:
    """By what it is, whatever its name and type say; with a page that says so, and nothing of the file in it."""
    taken = []
    for what, data in NO_PICTURES.items():
        if page == "ask" and what in NOT_DECODED_FOR_THE_PUBLIC:
            continue
        for name, kind in (("a.jpg", "image/jpeg"), ("a.svg", "image/svg+xml"), ("a.html", "text/html")):
            answer = sent(guarded, page, data, name, kind)
            # The public's form takes only so many in an hour from one place.
            if answer.status_code not in {400, 413, 415, 422, 429}:
                taken.append((what, name, answer.status_code))
            assert "hidden-in-a-file" not in answer.text, what
            assert answer.headers["content-type"].startswith("text/html")
    assert taken == []


def test_what_hides_in_a_picture_is_never_served(guarded: Guarded) -> None:
    """A picture comes back as new pixels, of a picture's type, not to be guessed at; the rest of its file is gone."""
    operator = guarded.county["operator"]
    served = []
    for what, data in polyglots():
        draft = guarded.draft(operator, stated(), picture=data)
        answer = guarded.browser(operator).get(f"/search/probe/{draft}/picture")
        served.append(answer.content)
        assert answer.status_code == 200, what
        assert answer.headers["content-type"] in {"image/jpeg", "image/png"}, what
        assert answer.headers["x-content-type-options"] == "nosniff", what
        assert answer.headers["content-security-policy"].startswith("default-src 'none'"), what
        assert b"hidden-in-a-file" not in answer.content, what
        assert b"PK\x05\x06" not in answer.content, what
        guarded.send(operator, f"/search/probe/{draft}/discard")
    # All of them are the same face, and so the same pixels but for what the encoder of each file lost.
    assert len(served) == 5


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/passwd",
        "..\\..\\boot.ini",
        "/etc/cron.d/x",
        "a\0.jpg",
        "http://127.0.0.1/x",
        "$(id)|`id`",
        "con",
    ],
)
def test_a_file_name_is_only_a_name(guarded: Guarded, name: str) -> None:
    """It is a path to nothing: nothing is written, read or asked for under it, and pages show it at most."""
    folder = guarded.web.service.data
    before = {each.relative_to(folder) for each in folder.parent.rglob("*") if each.is_relative_to(folder)}
    answer = sent(guarded, "search", jpeg(hopper_portrait(), 80), name, "image/jpeg")
    after = {each.relative_to(folder) for each in folder.parent.rglob("*") if each.is_relative_to(folder)}
    new = {str(each) for each in after - before if "ledger" not in str(each) and "-wal" not in str(each)}
    assert answer.status_code == 303
    assert new == set()
    assert "root:" not in answer.text


def test_a_review_hands_out_pictures_and_nothing_else(guarded: Guarded) -> None:
    """The probe and its candidates, as PNG files of ours; never a name, a score or the file that came in."""
    browser = guarded.browser(guarded.county["first"])
    review, candidate = guarded.objects["review"], guarded.objects["candidate"]
    for path in (f"/reviews/{review}/probe", f"/reviews/{review}/candidates/{candidate}"):
        answer = browser.get(path)
        assert answer.headers["content-type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")
        assert OWN.encode() not in answer.content
        assert base64.b64encode(HIDDEN) not in answer.content


def test_a_large_file_of_a_form_is_in_memory_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starlette writes what is larger than a megabyte to a temporary file, unsealed; here there is no place for one."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    photograph = bytes(3 << 20)
    head = b'--b\r\nContent-Disposition: form-data; name="photograph"; filename="a.jpg"\r\n\r\n'
    body = head + photograph + b"\r\n--b--\r\n"

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    form = asyncio.run(read_form(request, most_bytes=4 << 20, most_files=1))
    assert form.files["photograph"][0].data == photograph
