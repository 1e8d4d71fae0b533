"""The keys that a log says it was signed with: its first one, and each that followed under an entry that names both.

A log's own word. The checkpoint that announced a key was signed with the one before (`docs/ledger.md`, "Changing the
key"), but the public files show the latest checkpoint only, so what this answers is good for looking, or for telling
somebody which key they lack, and never for trust: for that, a key comes from where its operator published it. Pure but
for the source that it reads.
"""

from recognizance.errors import InputError
from recognizance.ledger import facts
from recognizance.ledger.entries import Entry, NewerSchemaError
from recognizance.ledger.notes import VerifierKey
from recognizance.ledger.sources import Source, read_entries

_KIND = facts.LedgerKey.kind.encode()


def key_history(source: Source, size: int) -> tuple[VerifierKey, ...]:
    """The keys that the first `size` entries name, the latest first; none if they name none.

    Reads every entry, and parses those that may be about keys.

    Raises:
        CorruptionError: If files are missing or contradict each other.
        UnavailableError: If the source can't be read now.
    """
    known: list[VerifierKey] = []
    for data in read_entries(source, range(size), size):
        said = _key_change(data)
        if said is None:
            continue
        follows = said.former_key is None if not known else any(str(key) == said.former_key for key in known)
        # A change that was begun and never finished leaves a key that nothing was signed with; it harms nobody here.
        if follows:
            known.append(VerifierKey.parse(said.new_key))
    return tuple(dict.fromkeys(reversed(known)))


def _key_change(data: bytes) -> facts.LedgerKey | None:
    if _KIND not in data:
        return None
    try:
        said = Entry.parse(data).facts
    except (InputError, NewerSchemaError):
        return None
    return said if isinstance(said, facts.LedgerKey) else None
