"""Receipts: one spelling, and they prove one entry at one place."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.ledger.checkpoints import Checkpoint
from recognizance.ledger.export import prove
from recognizance.ledger.merkle import ProofError
from recognizance.ledger.notes import NoteKey, SignatureError
from recognizance.ledger.receipts import Receipt
from tests.ledger.world import KEY, KEYS, a_log, some_entries

receipts = st.builds(
    Receipt,
    index=st.integers(0, 2**63 - 1),
    proof=st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
    note=st.just(Checkpoint("a.example", 3, bytes(32)).signed(KEY)),
    extra=st.none() | st.binary(min_size=1, max_size=40),
)


@given(receipts)
def test_a_receipt_reads_back(receipt: Receipt) -> None:
    """With and without extra data, and with any number of hashes."""
    assert Receipt.parse(receipt.data) == receipt


@given(receipts, st.integers(0, 400), st.binary(max_size=3))
def test_any_bytes_are_one_receipt_or_refused(receipt: Receipt, place: int, change: bytes) -> None:
    """No bytes fail in another way, and those that are read are written back the same."""
    for data in (change, receipt.data[:place] + change + receipt.data[place + 1 :]):
        try:
            parsed = Receipt.parse(data)
        except InputError:
            continue
        assert parsed.data == data


def test_a_receipt_has_the_published_form() -> None:
    """Line by line as in the specification."""
    receipt = Receipt(7, (bytes(32),), Checkpoint("a.example", 9, bytes(32)).signed(KEY), b"more")

    lines = receipt.data.decode().split("\n")

    zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    assert lines[:8] == ["c2sp.org/tlog-proof@v1", "extra bW9yZQ==", "index 7", zeros, "", "a.example", "9", zeros]


def test_a_receipt_proves_its_entry_and_no_other() -> None:
    """Another entry, index, tree or key is refused."""
    entries = some_entries(0, 300)
    receipt = prove(a_log(300), KEYS, 7).receipt
    other = prove(a_log(300, first=1), KEYS, 7).receipt

    assert receipt.verify(entries[7], KEYS).checkpoint.size == receipt.size == 300
    for changed, entry in [
        (receipt, entries[8]),
        (replace(receipt, index=8), entries[7]),
        (replace(receipt, note=other.note), entries[7]),
        (replace(receipt, proof=receipt.proof[1:]), entries[7]),
    ]:
        with pytest.raises(ProofError):
            changed.verify(entry, KEYS)
    with pytest.raises(SignatureError):
        receipt.verify(entries[7], (NoteKey(KEY.name, bytes(32)).verifier,))


def test_a_quorum_counts_witnesses_that_are_known() -> None:
    """Cosignatures by others are ignored."""
    witness, stranger = NoteKey("w.example", bytes(32)), NoteKey("s.example", bytes([1]) * 32)
    receipt = prove(a_log(5), KEYS, 3).receipt
    text = receipt.note.text
    signed = replace(
        receipt, note=receipt.note.signed_by(witness.cosign(text, time_s=1), stranger.cosign(text, time_s=1))
    )
    entry = some_entries(3, 4)[0]

    assert signed.verify(entry, KEYS, [witness.cosigner], quorum=1).witnesses == (witness.cosigner,)
    with pytest.raises(SignatureError, match="1 known witnesses cosigned the receipt; 2 must have"):
        signed.verify(entry, KEYS, [witness.cosigner], quorum=2)
