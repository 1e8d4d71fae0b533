"""Opening what an installation keeps: its records and its ledger, and where they are.

What time it is and how ids are drawn is decided here too, once. Nothing here looks at a face, and nothing heavy is
imported: most commands need no more than this and `governing`.
"""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from recognizance.config import Settings
from recognizance.errors import ConflictError, UnavailableError
from recognizance.galleries import Clock
from recognizance.identifiers import DecisionId
from recognizance.ledger import SALT_BYTES
from recognizance.recording import LEDGER_FOLDER, Recorder, key_statement, schema_statement, state
from recognizance.records import MasterKey, Records

MASTER_KEY_FILE = "master.key"
RECORDS_FILE = "records.sqlite3"

SERVER_LOCK_FILE = "server.lock"

RESTORATION_KIND = "restoration"
"""The document that says that older records were put back; in the state `OPEN` until they are reconciled."""
OPEN = "open"


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """A fresh lower-case UUID, version 4."""
    return str(uuid.uuid4())


def new_decision_id() -> DecisionId:
    return DecisionId(new_id())


def master_key_file(data: Path, settings: Settings) -> Path:
    """Where the master key is, or will be on the first start."""
    return Path(settings.master_key_file) if settings.master_key_file else data / MASTER_KEY_FILE


def public_folder(data: Path, settings: Settings) -> Path:
    """Where the ledger's public files are."""
    named = settings.ledger_public_folder
    return Path(named) if named else data / LEDGER_FOLDER / "public"


@contextmanager
def only_server(data: Path) -> Iterator[None]:
    """Be the one server of the installation in `data` until the block ends, or the process does.

    Commands may work on it beside a server. Two servers may not: each would remember signatures that were used, failed
    sign-ins and the pace of strangers for itself alone, take the other's imports for interrupted ones, and send what
    is due a second time.

    Raises:
        ConflictError: If another process is.
        UnavailableError: If the folder can't be used.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data / SERVER_LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UnavailableError(f"can't use {data}: {error.strerror}") from error
    try:
        # The kernel lets go of it with the process, however that ends; the file itself means nothing.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise ConflictError(
            f"another server works on {data}: stop it first, or give this one a data folder of its own"
        ) from error
    try:
        yield
    finally:
        os.close(lock)


def open_records(data: Path, settings: Settings) -> Records:
    """Open the records of the installation in `data`, creating folder and master key on the first start.

    Raises:
        InputError: If the master key is missing beside records that exist, is readable by others, or is another one.
        UnavailableError: If the folder can't be used.
        CorruptionError: If the file is no database of ours.
    """
    key_file = master_key_file(data, settings)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A new key beside old records would look like a start from nothing, and end in a puzzling refusal.
    first_start = not key_file.exists() and not any(data.glob("records.sqlite3*"))
    master_key = MasterKey.create_file(key_file) if first_start else MasterKey.from_file(key_file)
    return Records.open(data, master_key=master_key)


def open_recorder(
    data: Path, settings: Settings, records: Records, *, clock: Clock = now, reconciling: bool = False
) -> Recorder:
    """Open the ledger of the installation in `data`; its first entry is the form of all others.

    Args:
        reconciling: Whether it is opened in order to finish what putting older records back has begun.

    Raises:
        ConflictError: If older records were put back and aren't reconciled with the ledger.
        InputError: If the ledger's key is missing, readable by others, or of another origin.
        UnavailableError: If the folder can't be used.
        CorruptionError: If records and ledger contradict each other.
    """
    if not reconciling:
        _require_reconciled(records)
    recorder = Recorder.open(
        data,
        records,
        origin=settings.ledger_origin,
        public=public_folder(data, settings),
        witnesses=settings.ledger_witnesses,
        clock=clock,
        new_id=new_id,
        new_salt=lambda: os.urandom(SALT_BYTES),
    )
    # A key that followed another one was stated when the key was changed.
    keys = [] if recorder.former_keys else [key_statement(recorder.verifier)]
    state(recorder, [schema_statement(), *keys])
    return recorder


def _require_reconciled(records: Records) -> None:
    """Refuse to serve records that may still give rights which the ledger says were taken away."""
    with records.reading() as reader:
        if reader.documents(RESTORATION_KIND, state=OPEN, limit=1):
            raise ConflictError(
                "older records were put back and aren't reconciled with the ledger: run `recognizance reconcile`"
            )
