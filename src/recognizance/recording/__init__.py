"""Nothing off the record: each act and its ledger entry are one change, and no answer comes before the promise.

Between governance and the services. See docs/ledger.md and docs/decisions/0026-nothing-off-the-record.md.
`recognizance.recording.model_statements` is public too, and imported by its own name.
"""

from recognizance.recording import acts
from recognizance.recording.acts import NOT_STATED, ContentDelta, Provenance, Refused, Searched, face_digest
from recognizance.recording.drafts import EntryDraft, Maker
from recognizance.recording.keeper import LogKeeper
from recognizance.recording.ledger_key import KEY_FILE, draw_key, known_keys, read_key
from recognizance.recording.outbox import RecordsOutbox
from recognizance.recording.recorder import LEDGER_FOLDER, Before, Change, Promised, Recorder
from recognizance.recording.rotation import rotate_key
from recognizance.recording.statements import (
    Statement,
    key_statement,
    policy_statement,
    schema_statement,
    software_digest,
    software_statement,
    state,
)

__all__ = [
    "KEY_FILE",
    "LEDGER_FOLDER",
    "NOT_STATED",
    "Before",
    "Change",
    "ContentDelta",
    "EntryDraft",
    "LogKeeper",
    "Maker",
    "Promised",
    "Provenance",
    "Recorder",
    "RecordsOutbox",
    "Refused",
    "Searched",
    "Statement",
    "acts",
    "draw_key",
    "face_digest",
    "key_statement",
    "known_keys",
    "policy_statement",
    "read_key",
    "rotate_key",
    "schema_statement",
    "software_digest",
    "software_statement",
    "state",
]
