"""What the ledger is told at each start if it isn't what it was: schema, key, software, policy.

Models and thresholds too, of which `model_statements` speaks.

So that whoever reads an entry can tell which software wrote it, with which model and under which rules: those of the
last such entry before it. What was said last is remembered in the records, in the transaction that says it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib import metadata, resources
from importlib.resources.abc import Traversable

from recognizance.errors import NotFoundError
from recognizance.ledger import Entry, EntryId, VerifierKey, facts, schema_facts
from recognizance.recording.acts import token
from recognizance.recording.drafts import Maker
from recognizance.recording.recorder import Change, Recorder
from recognizance.records import Document

STATEMENT_KIND = "statement"

Statement = tuple[str, facts.Facts]
"""What is said, under a name by which it is known from start to start. None of its fields is private."""

# Only what a statement says is compared, so that the rest is the same for all.
_ANY_ID = EntryId("00000000-0000-0000-0000-000000000000")
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def state(recorder: Recorder, statements: Iterable[Statement]) -> int:
    """Enter those statements that differ from the last ones under their names; answers how many there were."""
    entered = 0
    with recorder.changing() as change:
        for name, said in statements:
            if _remember(change, name, sha256(Entry(_ANY_ID, _ANY_TIME, said).data).hexdigest()):
                change.enter(_saying(said))
                entered += 1
    return entered


def state_once(recorder: Recorder, statement: Statement) -> bool:
    """Enter a statement unless something was stated under its name before; answers whether it was entered."""
    name, said = statement
    with recorder.changing() as change:
        try:
            change.transaction.document(STATEMENT_KIND, name)
        except NotFoundError:
            _remember(change, name, sha256(Entry(_ANY_ID, _ANY_TIME, said).data).hexdigest())
            change.enter(_saying(said))
            return True
    return False


def schema_statement() -> Statement:
    """The form of the entries: the first of every ledger."""
    return "schema", schema_facts()


def key_statement(key: VerifierKey) -> Statement:
    """The key that signs the ledger, in its own word: good for finding it, not for trusting it."""
    return "ledger key", facts.LedgerKey(
        former_key=None, new_key=str(key), reason="The key that signs this ledger from its first checkpoint on."
    )


def rotation_statement(former: VerifierKey, following: VerifierKey, reason: str) -> Statement:
    """That the ledger's key is changed."""
    return f"ledger key after {former.id.hex()}", facts.LedgerKey(
        former_key=str(former), new_key=str(following), reason=reason
    )


@cache
def software_statement() -> Statement:
    """This program: a hash over its own files, and one over the names and versions of everything that is installed.

    Read once: what a process runs doesn't change while it runs, whatever becomes of the files.
    """
    described = (each.metadata for each in metadata.distributions())
    installed = sorted({f"{each['Name']}=={each['Version']}" for each in described})
    return "software", facts.Software(
        name="recognizance",
        version=token(metadata.version("recognizance")),
        digest=software_digest(),
        dependencies_digest=sha256("\n".join(installed).encode()).hexdigest(),
    )


@cache
def software_digest() -> str:
    """A hash over this program's own files, in hexadecimal: whatever is changed in it gives another one. Read once."""
    package = sha256()
    for path, data in _files(resources.files("recognizance"), ""):
        package.update(f"{path}\n{len(data)}\n".encode() + data)
    return package.hexdigest()


def policy_statement(version: str, names: Iterable[str], document: str) -> Statement:
    """The policy that decides, whole."""
    return "policy", facts.PolicyChange(
        version=token(version),
        digest=sha256(document.encode()).hexdigest(),
        names=tuple(map(token, names)),
        document=document,
        changed_by=None,
    )


def _saying(said: facts.Facts) -> Maker:
    return lambda _entry: said


def _remember(change: Change, name: str, digest: str) -> bool:
    """Whether this is new under its name, which it is no more from now on."""
    fresh = Document(STATEMENT_KIND, name, "said", digest.encode())
    try:
        said = change.transaction.document(STATEMENT_KIND, name)
    except NotFoundError:
        change.transaction.insert_document(fresh)
        return True
    if said.body == fresh.body:
        return False
    change.transaction.replace_document(replace(said, body=fresh.body))
    return True


def _files(folder: Traversable, below: str) -> Iterator[tuple[str, bytes]]:
    """The program's files by path, without what Python makes of them."""
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        path = f"{below}{each.name}"
        if each.is_file():
            if not path.endswith(".pyc"):
                yield path, each.read_bytes()
        elif each.name != "__pycache__":
            yield from _files(each, path + "/")
