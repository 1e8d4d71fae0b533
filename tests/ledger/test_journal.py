"""The journal: torn at the end it is whole up to there; changed anywhere else it is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recognizance.errors import CorruptionError
from recognizance.ledger.checkpoints import Checkpoint
from recognizance.ledger.journal import encode_record, parse_journal
from tests.ledger.world import KEY, ORIGIN


def a_record(size: int, *entries: bytes) -> bytes:
    return encode_record(Checkpoint(ORIGIN, size, bytes(32)).signed(KEY), entries)


RECORDS = [a_record(5), a_record(7, b"a", b""), a_record(8, b"x" * 1000), a_record(10, b"y", b"z")]
WHOLE = b"".join(RECORDS)
ENDS = [sum(map(len, RECORDS[:count])) for count in range(len(RECORDS) + 1)]


def test_a_journal_reads_back() -> None:
    """The base, then each batch with its entries."""
    journal = parse_journal(WHOLE)

    assert [Checkpoint.parse(note.text).size for note in journal.notes] == [5, 7, 8, 10]
    assert [batch.entries for batch in journal.batches] == [(b"a", b""), (b"x" * 1000,), (b"y", b"z")]


@given(st.integers(ENDS[1], len(WHOLE)), st.integers(0, 100))
@example(ENDS[2] - 2, 2)
def test_a_torn_end_is_left_out(cut: int, zeros: int) -> None:
    """Cut anywhere, or cut and followed by zeros that were never written over, unless zeros are what was cut off."""
    for data in (WHOLE[:cut], WHOLE[:cut] + bytes(zeros)):
        complete = sum(data[:end] == WHOLE[:end] for end in ENDS[1:])
        assert len(parse_journal(data).notes) == complete


@pytest.mark.parametrize("cut", [0, 1, 40, ENDS[1] - 1])
def test_a_journal_without_a_beginning_is_refused(cut: int) -> None:
    """It is put in place whole, so no crash explains that."""
    with pytest.raises(CorruptionError, match="doesn't start"):
        parse_journal(WHOLE[:cut])


@given(st.integers(0, ENDS[3] - 1), st.integers(0, 7))
def test_a_changed_record_is_refused_or_hides_nothing_before_it(place: int, bit: int) -> None:
    """One flipped bit is never read as something else."""
    changed = bytearray(WHOLE)
    changed[place] ^= 1 << bit
    try:
        journal = parse_journal(bytes(changed))
    except CorruptionError:
        return
    # A flipped length can make what follows look torn. The log then notices that more was published.
    intact = sum(end <= place for end in ENDS[1:])
    assert journal.notes == parse_journal(WHOLE).notes[:intact]


def test_records_that_do_not_continue_each_other_are_refused() -> None:
    """A batch is missing between them, or is there twice."""
    for records in ([RECORDS[0], RECORDS[2]], [RECORDS[0], RECORDS[1], RECORDS[1]], [RECORDS[1]]):
        with pytest.raises(CorruptionError):
            parse_journal(b"".join(records))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_journal_or_refused(data: bytes) -> None:
    """Nothing else comes out of the parser."""
    with pytest.raises(CorruptionError):
        parse_journal(data)
