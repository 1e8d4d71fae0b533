"""The verifier that runs in a reader's browser, in Chromium, against good ledgers and doctored ones on loopback."""

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from recognizance.ledger.checkpoints import Checkpoint
from recognizance.ledger.merkle import leaf_hash, node_hash
from recognizance.ledger.notes import NoteKey, SignedNote
from recognizance.ledger.prefix import root_at
from recognizance.ledger.tiles import CHECKPOINT_PATH, Tile

from ..ledger.world import KEY, ORIGIN, a_log_of, plain_entries, some_entries
from .doctored_ledgers import (
    INDEX,
    OTHER_KEY,
    SIZE,
    TAMPERED,
    Files,
    change_sibling,
    drop_bundle,
    drop_tile,
    files_of,
    good_files,
    other_root,
    remembered,
    signed,
)

Verdict = dict[str, Any]

_CHECK = """
async ([name, asked]) => {
  const { [name]: check, readerOf } = await import("/verifier.js");
  try {
    const { size, root, before, keyChanged, remember } = await check({ read: readerOf("/ledger/"), ...asked });
    return { verdict: "proven", size, root, before, keyChanged, remember };
  } catch (error) {
    return { verdict: error.code ?? "broken", message: error.message };
  }
}
"""


@dataclass
class Ledger:
    """Public files on loopback, and a page of the same address that has the verifier."""

    page: Page
    files: Files = field(default_factory=dict)

    def check_entry(self, index: int = INDEX, shown: bytes | None = None, **asked: object) -> Verdict:
        text = some_entries(index, index + 1)[0] if shown is None else shown
        return self._check("checkEntry", {"index": index, "shown": text.decode(), **asked})

    def check_ledger(self, **asked: object) -> Verdict:
        return self._check("checkLedger", asked)

    def _check(self, name: str, asked: dict[str, object]) -> Verdict:
        verdict: Verdict = self.page.evaluate(_CHECK, [name, {"key": str(KEY.verifier), **asked}])
        return verdict


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Files, str]]:
    """Files that tests change, below `/ledger/` on loopback."""
    files: Files = {}
    script = resources.files("recognizance.web").joinpath("static", "verifier.js").read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fixed = {
                "/": (b"<!doctype html><title>.</title>", "text/html"),
                "/verifier.js": (script, "text/javascript"),
            }
            found, kind = fixed.get(self.path, (files.get(self.path.removeprefix("/ledger/")), "text/plain"))
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(found or b"")))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield files, f"http://127.0.0.1:{httpd.server_address[1]}/"
        httpd.shutdown()
        thread.join(timeout=10)


@pytest.fixture(scope="module")
def verifier_page(server: tuple[Files, str], chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    page.goto(server[1])
    yield page
    page.close()


@pytest.fixture
def ledger(server: tuple[Files, str], verifier_page: Page) -> Ledger:
    files, _ = server
    files.clear()
    files.update(good_files(SIZE))
    return Ledger(verifier_page, files)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 255, 256, 257, 511, 512, 600])
def test_every_entry_of_a_true_ledger_is_proven(ledger: Ledger, size: int) -> None:
    """At sizes around those at which trees and tiles change their shape."""
    ledger.files.clear()
    ledger.files.update(good_files(size))
    for index in sorted(
        {0, 1, size // 2, size - 2, size - 1, min(255, size - 1), min(256, size - 1)} & set(range(size))
    ):
        found = ledger.check_entry(index)
        assert (found["verdict"], found.get("size")) == ("proven", size), found


def test_a_ledger_of_three_levels_of_tiles_is_proven(ledger: Ledger) -> None:
    """66,000 entries: their tiles' hashes fill more than one tile of the next level."""
    entries = plain_entries(0, 66_000)
    store = a_log_of(entries)
    ledger.files.clear()
    ledger.files.update(files_of(store))
    before = Checkpoint(ORIGIN, 65_536, root_at(store, 65_536)).signed(KEY).data.decode()
    for index in (0, 65_535, 65_536, 65_999):
        found = ledger.check_entry(index, entries[index], remembered={"note": before, "key": str(KEY.verifier)})
        assert (found["verdict"], found.get("before")) == ("proven", 65_536), found


@pytest.mark.parametrize("before", [0, 1, 2, 128, 255, 256, 257, 299, 300])
def test_a_ledger_that_grew_continues_what_the_browser_saw(ledger: Ledger, before: int) -> None:
    found = ledger.check_ledger(remembered=remembered(before))
    assert (found["verdict"], found["before"], found["size"]) == ("proven", before, SIZE)


def test_what_is_remembered_is_the_checkpoint_that_was_checked(ledger: Ledger) -> None:
    """So that the next visit compares with this one."""
    found = ledger.check_entry()
    assert found["remember"] == {"note": ledger.files[CHECKPOINT_PATH].decode(), "key": str(KEY.verifier)}
    assert ledger.check_ledger(remembered=found["remember"])["before"] == SIZE


def test_full_tiles_stand_in_for_partial_ones_that_are_gone(ledger: Ledger) -> None:
    """The log may have grown, and dropped its partial files, between two requests of the same check."""
    checkpoint = ledger.files[CHECKPOINT_PATH]
    ledger.files.update(good_files(512))
    ledger.files[CHECKPOINT_PATH] = checkpoint
    drop_tile(ledger.files)
    drop_bundle(ledger.files)
    assert ledger.check_entry()["verdict"] == "proven"


def test_signatures_of_others_are_passed_over(ledger: Ledger) -> None:
    """A witness's line, or one of a key that is no longer in use."""
    note = SignedNote.parse(ledger.files[CHECKPOINT_PATH])
    witness = NoteKey("witness.example", bytes(32))
    ledger.files[CHECKPOINT_PATH] = note.signed_by(witness.cosign(note.text, time_s=1), OTHER_KEY.sign(note.text)).data
    assert ledger.check_entry()["verdict"] == "proven"


@pytest.mark.parametrize(("tamper", "refusal"), TAMPERED, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_tampered_ledger_is_refused(ledger: Ledger, tamper: Callable[[Files], None], refusal: str) -> None:
    """Each for what is wrong with it, and never for a mistake of the verifier's own."""
    assert ledger.check_entry()["verdict"] == "proven"
    tamper(ledger.files)
    assert ledger.check_entry()["verdict"] == refusal


@pytest.mark.parametrize("index", [-1, SIZE, 2**53, 0.5])
def test_an_index_that_the_ledger_does_not_have_is_refused(ledger: Ledger, index: float) -> None:
    asked: Any = index
    assert ledger.check_ledger()["verdict"] == "proven"
    assert ledger.check_entry(asked, b"{}")["verdict"] == "index"


def test_an_entry_at_another_place_than_stated_is_refused(ledger: Ledger) -> None:
    """It is in the ledger, but the page says another number."""
    shown = some_entries(INDEX, INDEX + 1)[0]
    assert ledger.check_entry(INDEX - 1, shown)["verdict"] == "shown"


def test_what_the_page_shows_has_to_be_what_the_ledger_holds(ledger: Ledger) -> None:
    """A page that shows a nicer entry than the ledger's is caught, whatever the proof says."""
    shown = some_entries(INDEX, INDEX + 1)[0].replace(b"comment 270", b"a nicer one")
    assert ledger.check_entry(shown=shown)["verdict"] == "shown"


@pytest.mark.parametrize(
    "entry",
    [b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1,"a":1}', b'{"a":1.0}', b'{"a":"\\u0041"}', b"no JSON", b'{"a":"\xff"}'],
)
def test_an_entry_that_is_not_canonical_is_refused(ledger: Ledger, entry: bytes) -> None:
    """Two spellings of one entry would be two entries that say the same; one spelling is allowed."""
    ledger.files.clear()
    ledger.files.update(files_of(a_log_of([entry, b"{}"])))
    assert ledger.check_entry(1, b"{}")["verdict"] == "proven"
    assert ledger.check_entry(0, b"{}")["verdict"] == "canonical"


@pytest.mark.parametrize(
    "entry", ['{"a":"é\\"\\\\\\n\u2028","b":[1,0.5,1e+30,null,true,{}]}', '{"€":1,"\U0001f600":2,"ﬁ":3}']
)
def test_a_canonical_entry_is_taken_whatever_it_holds(ledger: Ledger, entry: str) -> None:
    """Letters beyond ASCII, numbers as ECMAScript writes them, and names in the order of their UTF-16."""
    ledger.files.clear()
    ledger.files.update(files_of(a_log_of([entry.encode()])))
    assert ledger.check_entry(0, entry.encode())["verdict"] == "proven"


def test_another_key_than_the_log_has_is_refused(ledger: Ledger) -> None:
    assert ledger.check_entry(key=str(OTHER_KEY.verifier))["verdict"] == "unsigned"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "no key",
        str(KEY.verifier)[:-1],
        str(KEY.verifier) + " ",
        str(KEY.verifier).replace("+", "+0", 1),
        str(KEY.cosigner),
        KEY.verifier.name + "+" + OTHER_KEY.verifier.id.hex() + "+" + str(KEY.verifier).rpartition("+")[2],
    ],
)
def test_what_is_no_key_is_refused(ledger: Ledger, key: str) -> None:
    """A cosigner's is one, but not a log's."""
    assert ledger.check_entry(key=key)["verdict"] == "key"


def test_a_ledger_that_was_rolled_back_is_refused(ledger: Ledger) -> None:
    """It is signed and whole, and shorter than this browser saw it."""
    assert ledger.check_ledger(remembered=remembered(400))["verdict"] == "rolled-back"


@pytest.mark.parametrize("before", [1, 100, 128, 256, 299, 300])
def test_a_ledger_that_forked_is_refused(ledger: Ledger, before: int) -> None:
    """Another history under the same key: at each size that the browser may have seen before."""
    ledger.files.clear()
    ledger.files.update(files_of(a_log_of([b'{"other":0}', *some_entries(1, SIZE)])))
    assert ledger.check_ledger()["verdict"] == "proven"
    assert ledger.check_ledger(remembered=remembered(before))["verdict"] == "forked"


def test_a_late_fork_is_refused(ledger: Ledger) -> None:
    """The histories differ in the last entry that the browser had seen."""
    ledger.files.clear()
    ledger.files.update(files_of(a_log_of([*some_entries(0, 199), b'{"other":0}', *some_entries(200, SIZE)])))
    assert ledger.check_ledger(remembered=remembered(199))["verdict"] == "proven"
    assert ledger.check_ledger(remembered=remembered(200))["verdict"] == "forked"


def test_damaged_tiles_are_not_mistaken_for_a_fork(ledger: Ledger) -> None:
    """To accuse somebody of a fork is grave: a file that is merely damaged is called that."""
    change_sibling(ledger.files)
    assert ledger.check_ledger(remembered=remembered(256))["verdict"] == "tile"


def test_another_log_at_the_same_address_is_refused(ledger: Ledger) -> None:
    elsewhere = NoteKey("other.example/log", bytes(32))
    before = Checkpoint("other.example/log", 1, bytes(32)).signed(elsewhere).data.decode()
    found = ledger.check_ledger(remembered={"note": before, "key": str(elsewhere.verifier)})
    assert found["verdict"] == "forked"


def test_a_changed_key_is_said_and_the_history_still_checked(ledger: Ledger) -> None:
    """A new key continues the log of the former one, or it forks like any other."""
    text = SignedNote.parse(ledger.files[CHECKPOINT_PATH]).text
    ledger.files[CHECKPOINT_PATH] = signed(text, OTHER_KEY)
    found = ledger.check_ledger(key=str(OTHER_KEY.verifier), remembered=remembered(200))
    assert (found["verdict"], found["keyChanged"], found["before"]) == ("proven", True, 200)
    other_root(ledger.files)
    ledger.files[CHECKPOINT_PATH] = signed(SignedNote.parse(ledger.files[CHECKPOINT_PATH]).text, OTHER_KEY)
    assert ledger.check_ledger(key=str(OTHER_KEY.verifier), remembered=remembered(300))["verdict"] == "forked"


@pytest.mark.parametrize("kept", [{"note": "nothing", "key": str(KEY.verifier)}, {"note": 5}, {}, [], "text"])
def test_a_memory_that_was_damaged_is_said(ledger: Ledger, kept: object) -> None:
    """It is neither taken for a fork nor passed over."""
    assert ledger.check_ledger(remembered=kept)["verdict"] == "memory"


def test_a_memory_that_nobody_signed_is_not_believed(ledger: Ledger) -> None:
    """Otherwise whoever can write to a browser's storage could make a true ledger look forked."""
    note = remembered(200)["note"].replace("\n200\n", "\n201\n")
    assert ledger.check_ledger(remembered={"note": note, "key": str(KEY.verifier)})["verdict"] == "memory"


def test_a_server_that_does_not_answer_is_no_verdict_about_the_ledger(ledger: Ledger) -> None:
    ledger.page.context.set_offline(True)
    try:
        assert ledger.check_entry()["verdict"] == "unreachable"
    finally:
        ledger.page.context.set_offline(False)


def test_paths_of_tiles_are_spelled_as_python_spells_them(ledger: Ledger) -> None:
    """At each length that an index can have."""
    places = [
        Tile(level, index, width) for level in (0, 3) for index in (0, 999, 1000, 1_234_067) for width in (1, 256)
    ]
    spelled = ledger.page.evaluate(
        'async (places) => { const { tilePath } = await import("/verifier.js");'
        " return places.map((place) => tilePath(...place)); }",
        [[place.level, place.index, place.width] for place in places],
    )
    assert spelled == [place.path for place in places]


def test_the_hashes_are_those_of_rfc_6962(ledger: Ledger) -> None:
    """A proof by hand: three leaves, of which the second is proven with the first and the third."""
    [a, b, c] = [leaf_hash(each) for each in (b"a", b"b", b"c")]
    root = ledger.page.evaluate(
        'async ([leaf, proof]) => { const { rootOfInclusion } = await import("/verifier.js");'
        " const hashes = proof.map((hash) => Uint8Array.from(hash));"
        " return Array.from(await rootOfInclusion(Uint8Array.from(leaf), 1, 3, hashes)); }",
        [list(b), [list(a), list(c)]],
    )
    assert bytes(root) == node_hash(node_hash(a, b), c)
