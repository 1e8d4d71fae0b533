"""What can be wrong with a log, and the words for it: the verifier's findings. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from recognizance.errors import CorruptionError
from recognizance.ledger.checkpoints import Checkpoint
from recognizance.ledger.merkle import Hash
from recognizance.ledger.notes import VerifierKey
from recognizance.ledger.tiles import Bundle

MAX_NAMED_ENTRIES = 16
"""Of one bundle; more are counted, not listed."""


class Trouble(StrEnum):
    """What kind of thing a finding is."""

    MISSING = "missing"
    DAMAGED = "damaged"
    EDITED = "edited"
    DROPPED = "dropped"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    REPEATED = "repeated"
    MALFORMED = "malformed"
    CHECKPOINT = "checkpoint"
    ROLLED_BACK = "rolled back"
    FORKED = "forked"
    UNWITNESSED = "unwitnessed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        where: The public file that it concerns.
        index: The entry that it concerns, or the first one of several; `None` if it concerns no entry.
    """

    trouble: Trouble
    where: str
    detail: str
    index: int | None = None

    def __str__(self) -> str:
        return f"{self.trouble.value}: {self.where}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification saw.

    Attributes:
        checkpoint: The signed one that everything was held against; `None` if there was none to believe.
        entries: How many entries were recomputed, and `tiles` how many tiles.
        unknown_entries: Entries of a newer schema than this software's, whose place was checked and not their form.
        witnesses: The known witnesses that cosigned the checkpoint.
    """

    checkpoint: Checkpoint | None
    entries: int
    tiles: int
    unknown_entries: int
    witnesses: tuple[VerifierKey, ...]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def require_sound(self) -> None:
        """Refuse a log about which anything was found.

        Raises:
            CorruptionError: Names the first finding and counts the others.
        """
        if self.is_sound:
            return
        others = len(self.findings) - 1
        raise CorruptionError(f"{self.findings[0]}, and {others} more" if others else str(self.findings[0]))


def name_differences(bundle: Bundle, found: Sequence[Hash], expected: Sequence[Hash]) -> list[Finding]:
    """Say in what way the entries of a bundle aren't those that the tree was built over.

    Args:
        found: The leaf hashes of the entries in the bundle, in order, be they too many or too few.
        expected: Those in the tree, as many as the bundle is wide.

    Returns:
        Nothing if they are the same.
    """
    if list(found) == list(expected):
        return []
    shorter = min(len(found), len(expected))
    first = next((k for k, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b), shorter)
    index = bundle.start + first
    if first == len(found):
        text = f"ends before entry {index}; {len(expected)} entries belong here"
        return [Finding(Trouble.TRUNCATED, bundle.path, text, index)]
    # What is behind a dropped or inserted entry is the same, moved by one place. At the end of a bundle that is as
    # long as it should be, nothing is behind, and one changed entry is only an edited one.
    behind_found, behind_expected = found[first:], expected[first:]
    if _continues(behind_found, behind_expected[1:]):
        return [Finding(Trouble.DROPPED, bundle.path, f"entry {index} is gone, and those behind it moved up", index)]
    if _continues(behind_expected, behind_found[1:]):
        return [Finding(Trouble.INSERTED, bundle.path, f"an entry was put in before entry {index}", index)]
    places = [bundle.start + k for k, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b]
    if sorted(found) == sorted(expected):
        which = f"entries {_listed(places)} stand in each other's places"
        return [Finding(Trouble.REORDERED, bundle.path, which, index)]
    return [Finding(Trouble.EDITED, bundle.path, f"entries {_listed(places)} aren't those in the tree", index)]


def _continues(moved: Sequence[Hash], rest: Sequence[Hash]) -> bool:
    """Tell whether `moved` starts with all of `rest`, or is it but for a last one pushed out of the bundle."""
    return bool(rest) and len(moved) >= len(rest) and list(moved[: len(rest)]) == list(rest)


def _listed(places: Sequence[int]) -> str:
    named = ", ".join(map(str, places[:MAX_NAMED_ENTRIES]))
    return f"{named} and {len(places) - MAX_NAMED_ENTRIES} more" if len(places) > MAX_NAMED_ENTRIES else named
