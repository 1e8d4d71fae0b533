"""What we promise: an append-only, signed, publicly verifiable record of everything that was done.

`recognizance.ledger.serving` and `.witness_server` are public too, and imported by their own names: they load a web
server.
"""

from recognizance.ledger import facts
from recognizance.ledger.canonical import JsonObject, JsonValue, read_canonical, write_canonical
from recognizance.ledger.checkpoints import Checkpoint, OpenedCheckpoint, open_checkpoint
from recognizance.ledger.cosigning import Cosigned, Cosigner, CosigningThread, WitnessAddress
from recognizance.ledger.entries import SALT_BYTES, Entry, NewerSchemaError, Opening, PrivateValue, Sealer, entry_id_of
from recognizance.ledger.export import (
    ProvenEntry,
    export_archive,
    export_folder,
    find_receipted,
    prove,
    prove_consistency,
    read_checkpoint,
)
from recognizance.ledger.facts import Commitment, EntryId, Facts
from recognizance.ledger.findings import Finding, Report, Trouble
from recognizance.ledger.key_history import key_history
from recognizance.ledger.log import Log
from recognizance.ledger.notes import Algorithm, NoteKey, SignatureError, SignedNote, Signer, VerifierKey
from recognizance.ledger.outbox import MemoryOutbox, Outbox, PendingEntry
from recognizance.ledger.prefix import copy_prefix, root_at
from recognizance.ledger.receipts import Receipt
from recognizance.ledger.schema import schema_document, schema_facts
from recognizance.ledger.sequencer import Sequencer
from recognizance.ledger.sources import ArchiveSource, FolderSource, Source, UrlSource, read_entries, source_at
from recognizance.ledger.stores import FileStore, MemoryStore, Store
from recognizance.ledger.verifier import verify
from recognizance.ledger.witness import Answer, MemoryWitnessStore, Witness, WitnessStore

__all__ = [
    "SALT_BYTES",
    "Algorithm",
    "Answer",
    "ArchiveSource",
    "Checkpoint",
    "Commitment",
    "Cosigned",
    "Cosigner",
    "CosigningThread",
    "Entry",
    "EntryId",
    "Facts",
    "FileStore",
    "Finding",
    "FolderSource",
    "JsonObject",
    "JsonValue",
    "Log",
    "MemoryOutbox",
    "MemoryStore",
    "MemoryWitnessStore",
    "NewerSchemaError",
    "NoteKey",
    "OpenedCheckpoint",
    "Opening",
    "Outbox",
    "PendingEntry",
    "PrivateValue",
    "ProvenEntry",
    "Receipt",
    "Report",
    "Sealer",
    "Sequencer",
    "SignatureError",
    "SignedNote",
    "Signer",
    "Source",
    "Store",
    "Trouble",
    "UrlSource",
    "VerifierKey",
    "Witness",
    "WitnessAddress",
    "WitnessStore",
    "copy_prefix",
    "entry_id_of",
    "export_archive",
    "export_folder",
    "facts",
    "find_receipted",
    "key_history",
    "open_checkpoint",
    "prove",
    "prove_consistency",
    "read_canonical",
    "read_checkpoint",
    "read_entries",
    "root_at",
    "schema_document",
    "schema_facts",
    "source_at",
    "verify",
    "write_canonical",
]
