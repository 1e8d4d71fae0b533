"""A state in a file, so that the next register starts where the last one stopped.

The file holds public facts only and isn't a secret. It is believed, like every file of the data folder: a register of
which anybody doubts is built again from the log's first entry, and has to come out the same. What the file can't do is
stand for another log or another past: it carries the signed checkpoint that it was read under, and `reading.py` refuses
a log that doesn't continue it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recognizance.errors import InputError
from recognizance.ledger import Entry
from recognizance.register.state import Figure, Review, State

FORMAT = "recognizance.register.state.v1"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a log, and the signed checkpoint that vouches for it.

    Attributes:
        checkpoint: The signed note, whole.
        witnesses: The spelled keys of the known witnesses that cosigned it.
    """

    state: State
    checkpoint: bytes
    origin: str
    root: bytes
    log_keys: tuple[str, ...]
    witnesses: tuple[str, ...] = ()


def save_reading(reading: Reading) -> bytes:
    """Return the file."""
    state = reading.state
    document = {
        "format": FORMAT,
        "checkpoint": reading.checkpoint.decode(),
        "origin": reading.origin,
        "root": reading.root.hex(),
        "log_keys": reading.log_keys,
        "witnesses": reading.witnesses,
        "size": state.size,
        "newest": state.newest.isoformat() if state.newest else None,
        "unread": state.unread,
        "kept": [entry.data.decode() for entry in state.kept],
        "contents": {name: entry.data.decode() for name, entry in state.contents.items()},
        "purges": {name: entry.data.decode() for name, entry in state.purges.items()},
        "counts": sorted([*figure, count] for figure, count in state.counts.items()),
        "reviews": {
            name: [review.use, review.reviewers_needed, *sorted(review.reviewers)]
            for name, review in state.reviews.items()
        },
        "requests": {name: moment.isoformat() for name, moment in state.requests.items()},
    }
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def load_reading(data: bytes) -> Reading:
    """Read the file.

    Raises:
        InputError: If it isn't what `save_reading` writes.
    """
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise InputError(f"the saved register is not of the format {FORMAT}; build it anew")
        reading = Reading(
            _state(document),
            document["checkpoint"].encode(),
            document["origin"],
            bytes.fromhex(document["root"]),
            tuple(document["log_keys"]),
            tuple(document["witnesses"]),
        )
        is_same = save_reading(reading) == data
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError("the saved register is damaged; build it anew") from error
    # Writing it out again catches whatever was read as something else than it says.
    if not is_same:
        raise InputError("the saved register is damaged; build it anew")
    return reading


def _state(document: Mapping[str, Any]) -> State:
    return State(
        size=document["size"],
        newest=datetime.fromisoformat(document["newest"]) if document["newest"] else None,
        unread=document["unread"],
        kept=tuple(Entry.parse(text.encode()) for text in document["kept"]),
        contents={name: Entry.parse(text.encode()) for name, text in document["contents"].items()},
        purges={name: Entry.parse(text.encode()) for name, text in document["purges"].items()},
        counts={Figure(*figure): count for *figure, count in document["counts"]},
        reviews={name: Review(row[0], row[1], frozenset(row[2:])) for name, row in document["reviews"].items()},
        requests={name: datetime.fromisoformat(text) for name, text in document["requests"].items()},
    )
