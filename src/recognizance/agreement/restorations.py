"""What a restoration says that the records have lost, so that it isn't missed; and nothing beyond that.

Only the ledger can excuse anything: its entry of kind `restoration` names the entries that older records never knew,
and how many of them. Of what those entries speak of, the records may know what was before, or (where a right was ended
again) what they say. Every entry before and after them counts as ever. Pure.

Implements `docs/backup.md`, "What is lost", and `docs/ledger.md`, "Records and ledger".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from recognizance.agreement.promised import Promised, PromisedGallery
from recognizance.errors import InputError
from recognizance.ledger import Entry, NewerSchemaError, facts

_KIND = facts.Restoration.kind.encode()


@dataclass(frozen=True, slots=True)
class Restored:
    """Records were put back.

    Attributes:
        at: The index of the entry that says so.
        lost: Indexes of the entries among which the lost ones are.
        unknown: How many of them the records have lost.
    """

    at: int
    lost: range
    unknown: int


def restorations(entries: Iterable[bytes]) -> tuple[Restored, ...]:
    """All restorations that a ledger speaks of, in order."""
    found: list[Restored] = []
    for index, data in enumerate(entries):
        # Few entries are read for this; parsing all of them twice would double what a check costs.
        if _KIND not in data:
            continue
        try:
            said = Entry.parse(data).facts
        except (InputError, NewerSchemaError):
            continue
        if isinstance(said, facts.Restoration) and said.ledger_entries <= index:
            found.append(Restored(index, range(said.known_entries, said.ledger_entries), said.unknown_entries))
    return tuple(found)


@dataclass(slots=True)
class Expected:
    """What must stand in the records: by all entries, and by all but those that restorations name.

    Where both agree, the records have to. Where they don't, the records may be as either says.
    """

    restored: tuple[Restored, ...] = ()
    all: Promised = field(default_factory=Promised)
    kept: Promised = field(default_factory=Promised)

    def add(self, index: int, entry: Entry) -> None:
        """Take the next entry of the log into account."""
        self.all.add(index, entry)
        if self.restored and not self.is_lost(index):
            self.kept.add(index, entry)

    @property
    def both(self) -> tuple[Promised, ...]:
        return (self.all, self.kept) if self.restored else (self.all,)

    def is_lost(self, index: int) -> bool:
        """Whether an entry is among those that a restoration names."""
        return any(index in each.lost for each in self.restored)

    def is_restored_since(self, index: int) -> bool:
        """Whether records were put back after an entry."""
        return any(each.at > index for each in self.restored)

    def kinds(self) -> frozenset[str]:
        """The kinds of documents that entries speak of."""
        return frozenset(kind for each in self.both for kind in each.states)

    def states(self, kind: str, document_id: str) -> frozenset[str]:
        """The states that a document may be in; none if the ledger has never heard of it."""
        return frozenset(
            state for each in self.both for state in each.states.get(kind, {}).get(document_id, frozenset())
        )

    def documents(self) -> set[tuple[str, str]]:
        """The documents that have to be there, by kind and id."""
        return set.intersection(
            *({(kind, name) for kind in each.states for name in each.states[kind]} for each in self.both)
        )

    def digests(self, kind: str) -> set[str]:
        """The digests that have to be there."""
        return set.intersection(*(each.digests[kind] for each in self.both))

    def galleries(self) -> set[str]:
        """The galleries that have to be there."""
        return set.intersection(*(set(each.galleries) for each in self.both))

    def gallery(self, name: str) -> tuple[PromisedGallery, ...]:
        """What a gallery may be like; nothing if the ledger has never heard of it, or has it as deleted."""
        return tuple(each.galleries[name] for each in self.both if name in each.galleries)

    def searches(self, use: str) -> range:
        """How many searches may be counted under a use."""
        counts = [each.searches[use] for each in self.both]
        return range(min(counts), max(counts) + 1)
