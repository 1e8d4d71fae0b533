"""Access keys keep their secrets, tokens tell a repetition from a mistake, and an import knows where it was."""

import sqlite3
from datetime import timedelta

import pytest

from recognizance.errors import ConflictError, CorruptionError, NotFoundError
from recognizance.identifiers import AccessKeyId, GalleryId, PrincipalId
from recognizance.records import AccessKey, ImportItem, ImportState, Records, Secret, TokenUse
from recognizance.records.access import TOKEN_LIFETIME

from .world import World, erase_gallery

KEY = AccessKeyId("RCZAAAAAAAAAAAAAAAAA")
OWNER = PrincipalId("sheriff")
SECRET = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def add_key(records: Records, world: World, key_id: AccessKeyId = KEY) -> None:
    with records.transaction() as transaction:
        transaction.add_access_key(key_id, secret=Secret(SECRET), principal=OWNER, created=world.now)


def test_a_secret_comes_back_and_is_never_in_the_file(records: Records, world: World) -> None:
    """Sealed at rest, plain for whoever checks a signature, and hidden from whoever prints it."""
    add_key(records, world)
    with records.reading() as reader:
        pair = reader.access_key(KEY)
        unknown = reader.access_key(AccessKeyId("OTHER"))
    records._database.empty_log()

    assert pair is not None
    assert pair.secret.reveal() == SECRET
    assert pair.key == AccessKey(KEY, OWNER, world.now, active=True)
    assert SECRET.decode() not in repr(pair)
    assert unknown is None
    assert SECRET not in records.path.read_bytes()


def test_a_secret_cannot_be_moved_to_another_key(records: Records, world: World) -> None:
    """Somebody who can write to the file can't give their key's row another person's name."""
    add_key(records, world)
    connection = sqlite3.connect(records.path)
    connection.execute("UPDATE access_keys SET principal = 'mayor'")
    connection.commit()
    connection.close()

    with pytest.raises(CorruptionError), records.reading() as reader:
        reader.access_key(KEY)


def test_access_keys_are_listed_switched_off_and_deleted(records: Records, world: World) -> None:
    """And created once."""
    other = AccessKeyId("RCZBBBBBBBBBBBBBBBBB")
    add_key(records, world, other)
    add_key(records, world)
    with pytest.raises(ConflictError):
        add_key(records, world)
    with records.transaction() as transaction:
        transaction.set_access_key_active(KEY, active=False)
        listed = transaction.access_keys()
        transaction.set_access_key_active(KEY, active=True)
        transaction.delete_access_key(other)
        left = transaction.access_keys()
        with pytest.raises(NotFoundError):
            transaction.set_access_key_active(other, active=True)
        with pytest.raises(NotFoundError):
            transaction.delete_access_key(other)

    assert [(key.id, key.active) for key in listed] == [(KEY, False), (other, True)]
    assert [(key.id, key.active) for key in left] == [(KEY, True)]


def test_a_token_tells_a_repetition_from_a_mistake(records: Records, world: World) -> None:
    """The same request again is a replay; another request under it is a mismatch; after a day it's forgotten."""
    one, two = bytes(32), bytes([1]) * 32

    def use(operation: str, request_hash: bytes, now: timedelta) -> TokenUse:
        with records.transaction() as transaction:
            return transaction.remember_token(operation, "token", request_hash=request_hash, now=world.now + now)

    assert use("CreateUser", one, timedelta()) is TokenUse.FIRST
    assert use("CreateUser", one, timedelta(hours=23)) is TokenUse.REPLAY
    assert use("CreateUser", two, timedelta(hours=23)) is TokenUse.MISMATCH
    assert use("DeleteUser", two, timedelta(hours=23)) is TokenUse.FIRST
    assert use("CreateUser", two, TOKEN_LIFETIME) is TokenUse.FIRST


def test_a_token_of_a_failed_request_was_never_used(records: Records, world: World) -> None:
    """It's remembered in the transaction that does the work."""

    def fail() -> None:
        with records.transaction() as transaction:
            transaction.remember_token("CreateUser", "token", request_hash=bytes(32), now=world.now)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with records.transaction() as transaction:
        use = transaction.remember_token("CreateUser", "token", request_hash=bytes(32), now=world.now)

    assert use is TokenUse.FIRST


def test_an_import_knows_what_became_of_each_file(records: Records, gallery: GalleryId) -> None:
    """A file with other content under the same path is new, and replaces what was noted."""
    first = ImportItem("a/1.jpg", bytes(32), ImportState.ENROLLED, face_count=2)
    bad = ImportItem("a/2.jpg", bytes([2]) * 32, ImportState.REJECTED, reason="no face")
    again = ImportItem("a/2.jpg", bytes([3]) * 32, ImportState.ENROLLED, face_count=1)
    with records.transaction() as transaction:
        transaction.record_import_items(gallery, "job", [first, bad])
        known = transaction.import_item(gallery, "job", path=bad.path, digest=bad.digest)
        changed = transaction.import_item(gallery, "job", path=bad.path, digest=again.digest)
        elsewhere = transaction.import_item(gallery, "other job", path=bad.path, digest=bad.digest)
        counts = transaction.import_counts(gallery, "job")
        transaction.record_import_items(gallery, "job", [again])
        page = transaction.import_items(gallery, "job", limit=1)
        rest = transaction.import_items(gallery, "job", after=page[-1].path, limit=5)
        transaction.forget_import(gallery, "job")
        forgotten = transaction.import_items(gallery, "job", limit=5)

    assert (known, changed, elsewhere) == (bad, None, None)
    assert counts == {ImportState.ENROLLED: 1, ImportState.REJECTED: 1}
    assert (page, rest, forgotten) == ([first], [again], [])


def test_a_new_gallery_of_an_old_name_has_imported_nothing(records: Records, gallery: GalleryId, world: World) -> None:
    """What a job noted goes with the gallery."""
    item = ImportItem("a.jpg", bytes(32), ImportState.ENROLLED, face_count=1)
    with records.transaction() as transaction:
        transaction.record_import_items(gallery, "job", [item])
        erase_gallery(transaction, gallery)
        transaction.create_gallery(gallery, model=world.model, created=world.now)

        assert transaction.import_item(gallery, "job", path=item.path, digest=item.digest) is None
