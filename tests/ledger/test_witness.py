"""Witnesses: what they answer to each request, and what a log makes of their answers."""

import contextlib
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import ConflictError, CorruptionError, Error, InputError, UnavailableError
from recognizance.ledger.checkpoints import Checkpoint, open_checkpoint
from recognizance.ledger.cosigning import Cosigner, CosigningThread, WitnessAddress
from recognizance.ledger.export import prove_consistency, read_checkpoint
from recognizance.ledger.log import Log
from recognizance.ledger.notes import NoteKey, SignatureError, SignedNote, parse_signatures
from recognizance.ledger.outbox import MemoryOutbox
from recognizance.ledger.sequencer import Sequencer
from recognizance.ledger.stores import MemoryStore
from recognizance.ledger.tiles import CHECKPOINT_PATH, WITNESSED_PATH
from recognizance.ledger.verifier import verify
from recognizance.ledger.witness import AddCheckpoint, Answer, MemoryWitnessStore, Witness, WitnessStore
from recognizance.ledger.witness_server import FolderWitnessStore, witness_app
from tests.ledger.world import KEY, KEYS, ORIGIN, a_log, an_entry

WITNESS_KEY = NoteKey("witness.example/w1", bytes([7]) * 32)
NOW_S = 1_769_860_800


def a_witness(store: WitnessStore | None = None) -> Witness:
    return Witness(WITNESS_KEY, {ORIGIN: KEYS}, store or MemoryWitnessStore(), now_s=lambda: NOW_S)


def request_to(store: MemoryStore, old_size: int) -> AddCheckpoint:
    opened = read_checkpoint(store, KEYS)
    proof = prove_consistency(store, old_size, opened.checkpoint.size)
    return AddCheckpoint(old_size, proof, opened.opened.note)


def cosigned(answer: Answer, request: AddCheckpoint) -> bool:
    (signature,) = parse_signatures(answer.body)
    return WITNESS_KEY.cosigner.verify(request.note.text, signature) == NOW_S


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
    st.integers(0, 200),
    st.binary(max_size=3),
)
def test_requests_read_back_and_any_bytes_are_one_or_refused(
    old_size: int, proof: tuple[bytes, ...], place: int, change: bytes
) -> None:
    """What is written is read as the same request; nothing else comes out of the parser."""
    request = AddCheckpoint(old_size, proof, Checkpoint(ORIGIN, 3, bytes(32)).signed(KEY))

    assert AddCheckpoint.parse(request.data) == request
    for data in (change, request.data[:place] + change + request.data[place + 1 :]):
        try:
            parsed = AddCheckpoint.parse(data)
        except InputError:
            continue
        assert parsed.data == data


def test_a_log_that_grows_is_cosigned_at_each_size() -> None:
    """From nothing, then with a proof from the size that was cosigned last, and again at the same size."""
    witness = a_witness()
    for old_size, size in [(0, 3), (3, 300), (300, 300), (300, 700)]:
        request = request_to(a_log(size), old_size)
        answer = witness.add_checkpoint(request.data)

        assert answer.status is HTTPStatus.OK
        assert cosigned(answer, request)


class TestRefusals:
    """Each status of the specification, and none of these requests changes what the witness remembers."""

    def refuse(self, request: bytes, status: HTTPStatus, *, seen: MemoryStore | None = None) -> Answer:
        memory = MemoryWitnessStore()
        witness = a_witness(memory)
        if seen is not None:
            assert witness.add_checkpoint(request_to(seen, 0).data).status is HTTPStatus.OK
        before = memory.load(ORIGIN)
        answer = witness.add_checkpoint(request)
        assert answer.status is status
        assert "—" not in answer.body
        assert memory.load(ORIGIN) == before
        return answer

    @pytest.mark.parametrize("body", [b"", b"old 0\n", b"old -1\n\n", bytes(300_000)])
    def test_400_what_is_no_request(self, body: bytes) -> None:
        self.refuse(body, HTTPStatus.BAD_REQUEST)

    def test_400_an_old_size_beyond_the_checkpoint(self) -> None:
        self.refuse(replace(request_to(a_log(3), 0), old_size=4).data, HTTPStatus.BAD_REQUEST)

    def test_400_a_signed_note_that_is_no_checkpoint(self) -> None:
        note = SignedNote("hello\n", (KEY.sign("hello\n"),))
        self.refuse(AddCheckpoint(0, (), note).data, HTTPStatus.BAD_REQUEST)

    def test_403_a_checkpoint_that_the_log_did_not_sign(self) -> None:
        forged = Checkpoint(ORIGIN, 3, bytes(32)).signed(NoteKey(ORIGIN, bytes(32)))
        self.refuse(AddCheckpoint(0, (), forged).data, HTTPStatus.FORBIDDEN)

    def test_404_a_log_that_it_does_not_know(self) -> None:
        other = NoteKey("other.example", bytes(32))
        self.refuse(AddCheckpoint(0, (), Checkpoint(other.name, 3, bytes(32)).signed(other)).data, HTTPStatus.NOT_FOUND)

    @pytest.mark.parametrize("old_size", [0, 2, 5])
    def test_409_another_old_size_answers_with_the_right_one(self, old_size: int) -> None:
        answer = self.refuse(request_to(a_log(10), old_size).data, HTTPStatus.CONFLICT, seen=a_log(3))
        assert (answer.body, answer.content_type) == ("3\n", "text/x.tlog.size")

    def test_409_another_root_of_the_same_size(self) -> None:
        fork = request_to(a_log(3, first=1), 3)
        answer = self.refuse(fork.data, HTTPStatus.CONFLICT, seen=a_log(3))
        assert answer.content_type != "text/x.tlog.size"

    def test_409_a_rollback(self) -> None:
        assert self.refuse(request_to(a_log(3), 0).data, HTTPStatus.CONFLICT, seen=a_log(5)).body == "5\n"

    def test_422_a_fork(self) -> None:
        self.refuse(request_to(a_log(10, first=1), 3).data, HTTPStatus.UNPROCESSABLE_ENTITY, seen=a_log(3))

    def test_422_a_proof_where_there_must_be_none(self) -> None:
        request = replace(request_to(a_log(3), 0), proof=(bytes(32),))
        self.refuse(request.data, HTTPStatus.UNPROCESSABLE_ENTITY)


def test_two_requests_at_once_never_roll_back() -> None:
    """The race that the specification describes: the larger one wins, whichever is checked first."""
    for _ in range(20):
        memory = MemoryWitnessStore()
        witness = a_witness(memory)
        requests = [request_to(a_log(size), 0).data for size in (4, 9)]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(witness.add_checkpoint, requests))

        assert [answer.status for answer in answers].count(HTTPStatus.OK) == 1


def test_a_witness_on_disk_remembers(tmp_path: Path) -> None:
    """After a restart it still refuses a fork; a second process is held off; a damaged memory cosigns nothing."""
    store = FolderWitnessStore(tmp_path)
    assert a_witness(store).add_checkpoint(request_to(a_log(3), 0).data).status is HTTPStatus.OK
    with pytest.raises(ConflictError):
        FolderWitnessStore(tmp_path)
    store.close()

    again = FolderWitnessStore(tmp_path)
    fork = request_to(a_log(3, first=1), 3).data
    assert a_witness(again).add_checkpoint(fork).status is HTTPStatus.CONFLICT
    (file,) = tmp_path.glob("*.checkpoint")
    file.write_bytes(file.read_bytes().replace(b"\n3\n", b"\n2\n"))
    with pytest.raises(CorruptionError, match="was changed"):
        a_witness(again).add_checkpoint(fork)
    again.close()


class UnwritableStore(MemoryWitnessStore):
    def save(self, origin: str, note: bytes) -> None:
        raise UnavailableError("the disk is full")


def test_nothing_is_cosigned_that_was_not_saved() -> None:
    """The next request would contradict it."""
    with pytest.raises(UnavailableError):
        a_witness(UnwritableStore()).add_checkpoint(request_to(a_log(3), 0).data)


@contextlib.contextmanager
def served(witness: Witness) -> Iterator[str]:
    """Serve a witness on a free port of this machine."""
    server = uvicorn.Server(uvicorn.Config(witness_app(witness), port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


class TestOverHttp:
    """Our client and our server, over a real connection."""

    def test_a_checkpoint_is_cosigned_and_published(self) -> None:
        """The client learns the witness's size from its answer, and the log publishes the cosignature."""
        with served(a_witness()) as url:
            address = WitnessAddress(url, WITNESS_KEY.cosigner)
            for size in (3, 300):
                store = a_log(size)
                log = Log.open(store, KEY)
                outcome = Cosigner(store, [address]).cosign(log.note)
                assert outcome.failures == ()
                log.publish_witnessed(outcome.note)
                log.close()

                opened = open_checkpoint(store.files[CHECKPOINT_PATH], KEYS, (WITNESS_KEY.cosigner,))
                assert opened.witnesses == (WITNESS_KEY.cosigner,)
                assert verify(store, KEYS, witnesses=[WITNESS_KEY.cosigner], quorum=1).is_sound

    def test_a_fork_and_a_rollback_are_told_apart_from_failures(self) -> None:
        """Another history needs a person; an older checkpoint is only late; silence passes."""
        with served(a_witness()) as url:
            address = WitnessAddress(url, WITNESS_KEY.cosigner)

            def failure(store: MemoryStore) -> Error:
                ((_, error),) = Cosigner(store, [address]).cosign(read_checkpoint(store, KEYS).opened.note).failures
                return error

            Cosigner(a_log(5), [address]).cosign(read_checkpoint(a_log(5), KEYS).opened.note)
            assert isinstance(failure(a_log(9, first=1)), CorruptionError)
            assert isinstance(failure(a_log(5, first=1)), CorruptionError)
            assert isinstance(failure(a_log(3)), ConflictError)
        assert isinstance(failure(a_log(5)), UnavailableError)

    def test_an_answer_by_another_key_is_refused(self) -> None:
        """Whoever answers at that address has to hold the witness's key."""
        other = NoteKey(WITNESS_KEY.name, bytes(32))
        with served(a_witness()) as url:
            address = WitnessAddress(url, other.cosigner)
            ((_, error),) = Cosigner(a_log(5), [address]).cosign(read_checkpoint(a_log(5), KEYS).opened.note).failures
        assert isinstance(error, SignatureError)

    def test_a_running_log_is_cosigned_in_the_background(self) -> None:
        """Appends don't wait for it, and the newest checkpoint ends up cosigned."""
        store, outbox, failures = MemoryStore(), MemoryOutbox(), list[Error]()
        with served(a_witness()) as url:
            sequencer = Sequencer(Log.create(store, KEY), outbox)
            cosigner = Cosigner(store, [WitnessAddress(url, WITNESS_KEY.cosigner)])
            thread = CosigningThread(sequencer, cosigner, on_failure=lambda _, error: failures.append(error))
            for number in range(10):
                entry = an_entry(number)
                outbox.commit(entry.id, entry.data)
                sequencer.append(entry.id, entry.data)
            thread.close()
            sequencer.close()

        assert failures == []
        witnessed = open_checkpoint(store.files[WITNESSED_PATH], KEYS, (WITNESS_KEY.cosigner,))
        assert (witnessed.checkpoint.size, len(witnessed.witnesses)) == (10, 1)
        assert verify(store, KEYS, witnesses=[WITNESS_KEY.cosigner], quorum=1).is_sound


@pytest.mark.parametrize("url", ["ftp://w.example", "file:///etc/passwd", "w.example", ""])
def test_a_witness_is_asked_over_http_only(url: str) -> None:
    """Other schemes would read files."""
    with pytest.raises(InputError, match="not http"):
        WitnessAddress(url, WITNESS_KEY.cosigner)


def test_a_log_key_is_no_witness_key() -> None:
    """Its signatures carry no time."""
    with pytest.raises(InputError, match="none for cosignatures"):
        WitnessAddress("https://w.example", WITNESS_KEY.verifier)


def test_a_witness_never_cosigns_two_histories() -> None:
    """Whatever is sent in whatever order, all that was cosigned is one history."""
    logs = [a_log(size, first=first) for size in (1, 2, 5) for first in (0, 1)]
    requests = [
        request_to(store, old_size)
        for store in logs
        for old_size in range(read_checkpoint(store, KEYS).checkpoint.size + 1)
    ]
    for order in (requests, requests[::-1], [*requests[1::2], *requests[::2]]):
        witness = a_witness()
        signed = [r for r in order * 2 if witness.add_checkpoint(r.data).status is HTTPStatus.OK]
        trees = [Checkpoint.parse(r.note.text) for r in signed]

        assert signed
        for earlier, later in itertools.pairwise(trees):
            assert earlier.size <= later.size
            origins = {0, 1} & {first for first in (0, 1) for t in (earlier, later) if t.root == root_of(t.size, first)}
            assert len(origins) == 1


def root_of(size: int, first: int) -> bytes:
    return read_checkpoint(a_log(size, first=first), KEYS).checkpoint.root
