"""An answer's headers prove its entry, and the ledger that it is in is served beside the API."""

import base64
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from recognizance.ledger import Entry, Receipt, facts, prove, source_at, verify

from .rekognition_world import Server, hopper, jpeg, nobody


def headers_of(answer: dict[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
    return headers


def entry_at(server: Server, index: int) -> bytes:
    """The entry as an outsider reads it from the server, once the files show it."""
    source, keys = source_at(f"{server.endpoint}/ledger"), (server.service.recorder.verifier,)
    deadline = time.monotonic() + 10
    while int((source.read("checkpoint") or b"\n0\n").split(b"\n")[1]) <= index and time.monotonic() < deadline:
        time.sleep(0.01)
    return prove(source, keys, index).entry


def test_the_receipt_of_a_search_proves_its_entry(server: Server, rekognition: Any, collection: str) -> None:
    """With the entry from the served files and the public key, offline."""
    answer = rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": jpeg(hopper())})
    headers = headers_of(answer)
    index = int(headers["x-recognizance-entry"])
    receipt = Receipt.parse(base64.b64decode(headers["x-recognizance-receipt"]))
    data = entry_at(server, index)
    entry = Entry.parse(data)

    receipt.verify(data, (server.service.recorder.verifier,))
    assert receipt.index == index
    assert isinstance(entry.facts, facts.Search)
    assert (entry.facts.gallery, entry.facts.outcome, entry.facts.candidates) == (collection, "no_candidate", 0)


def test_a_search_that_is_refused_for_want_of_a_face_is_on_the_record(
    server: Server, rekognition: Any, collection: str
) -> None:
    """The error carries its entry too."""
    with pytest.raises(ClientError) as caught:
        rekognition.search_faces_by_image(CollectionId=collection, Image={"Bytes": nobody()})
    headers = headers_of(caught.value.response)
    entry = Entry.parse(entry_at(server, int(headers["x-recognizance-entry"])))

    assert isinstance(entry.facts, facts.Search)
    assert entry.facts.outcome == "no_face"


def test_what_leaves_no_entry_has_no_receipt(rekognition: Any, collection: str) -> None:
    """Reading what is there is no act on a face."""
    headers = headers_of(rekognition.describe_collection(CollectionId=collection))

    assert not [name for name in headers if name.startswith("x-recognizance-")]


def test_the_ledger_is_served_and_nothing_else_of_its_folder(server: Server) -> None:
    """Sound, with types and caching as tlog-tiles asks; what is no file of a log isn't there."""
    address = f"{server.endpoint}/ledger"
    report = verify(source_at(address), (server.service.recorder.verifier,))
    with urllib.request.urlopen(f"{address}/checkpoint") as answer:
        note = answer.headers
    # Other tests write to the same log: its first tile is full by now, or as wide as the log is long.
    assert report.checkpoint is not None
    hashes = min(report.checkpoint.size, 256)
    width = "" if hashes == 256 else f".p/{hashes}"
    with urllib.request.urlopen(f"{address}/tile/0/000{width}") as answer:
        tile, data = answer.headers, answer.read()
    statuses: list[int] = []
    for path in ("journal", "lock", "../ledger.key", "..%2fjournal", "tile/0/0", "tile/../../journal", ""):
        try:
            urllib.request.urlopen(f"{address}/{path}")
        except urllib.error.HTTPError as error:
            with error:
                statuses.append(error.code)

    assert report.is_sound
    assert (note["Content-Type"], note["Cache-Control"]) == ("text/plain; charset=utf-8", "no-cache")
    assert (tile["Content-Type"], len(data)) == ("application/octet-stream", 32 * hashes)
    assert "immutable" in tile["Cache-Control"]
    assert statuses == [404] * 7
