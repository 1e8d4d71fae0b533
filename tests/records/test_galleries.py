"""Galleries are described at once, and leave nothing behind."""

from pathlib import Path

import pytest

from recognizance.errors import ConflictError, LimitError, NotFoundError
from recognizance.identifiers import GalleryId, ModelId, SubjectId
from recognizance.records import MAX_TAGS, RELOAD, Records, SubjectKey, check_records

from .world import World, erase_gallery


def test_a_gallery_is_described_as_it_was_created(records: Records, world: World) -> None:
    """The instant to the microsecond, and tags."""
    tags = {"county": "washington", "state": "oregon"}
    with records.transaction() as transaction:
        created = transaction.create_gallery(world.gallery, model=world.model, created=world.now, tags=tags)
    with records.reading() as reader:
        described = reader.gallery(world.gallery)

    assert described == created
    assert (described.id, described.model, described.created) == (world.gallery, world.model, world.now)
    assert (described.face_count, described.subject_count, described.dimension) == (0, 0, None)
    assert described.tags == tags


def test_a_gallery_is_created_once(records: Records, gallery: GalleryId, world: World) -> None:
    """A second one of the same name is refused, whatever its model."""
    with pytest.raises(ConflictError), records.transaction() as transaction:
        transaction.create_gallery(gallery, model=ModelId("other@1"), created=world.now)


def test_what_is_missing_is_not_found(records: Records, world: World) -> None:
    """For reading and for writing."""
    nowhere = GalleryId("nowhere")
    with records.transaction() as transaction:
        for call in (
            lambda: transaction.gallery(nowhere),
            lambda: erase_gallery(transaction, nowhere),
            lambda: transaction.tag_gallery(nowhere, {}),
            lambda: transaction.add_faces(nowhere, world.faces(1)),
            lambda: transaction.add_faces(nowhere, []),
            lambda: transaction.faces(nowhere, limit=1),
            lambda: next(transaction.templates(nowhere)),
            lambda: transaction.changes_since(nowhere, 1),
            lambda: transaction.create_subject(nowhere, SubjectId("s"), key=SubjectKey("k"), created=world.now),
        ):
            with pytest.raises(NotFoundError, match="nowhere"):
                call()


def test_galleries_are_listed_page_by_page(records: Records, world: World) -> None:
    """Ordered by name, each once."""
    names = [GalleryId(f"gallery-{number:02}") for number in range(7)]
    with records.transaction() as transaction:
        for name in reversed(names):
            transaction.create_gallery(name, model=world.model, created=world.now, tags={"name": name})
    pages = []
    after: GalleryId | None = None
    with records.reading() as reader:
        while page := reader.galleries(after=after, limit=3):
            pages.append([(row.id, row.tags["name"]) for row in page])
            after = page[-1].id

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [pair for page in pages for pair in page] == [(name, name) for name in names]


def test_tags_are_set_replaced_and_removed(records: Records, gallery: GalleryId) -> None:
    """Removing one that isn't there is no error, as at AWS."""
    with records.transaction() as transaction:
        transaction.tag_gallery(gallery, {"a": "1", "b": "2"})
        transaction.tag_gallery(gallery, {"b": "3", "c": ""})
        transaction.untag_gallery(gallery, ["a", "never"])
        tags = transaction.gallery(gallery).tags

    assert tags == {"b": "3", "c": ""}


def test_a_gallery_has_a_limited_number_of_tags(records: Records, gallery: GalleryId) -> None:
    """Replacing counts once; one too many changes nothing."""
    full = {f"tag-{number}": "x" for number in range(MAX_TAGS)}
    with records.transaction() as transaction:
        transaction.tag_gallery(gallery, full)
        transaction.tag_gallery(gallery, full)
        with pytest.raises(LimitError, match=f"{MAX_TAGS}"):
            transaction.tag_gallery(gallery, {"one-more": "x"})
        assert transaction.gallery(gallery).tags == full


def test_a_deleted_gallery_is_gone_from_the_files(records: Records, gallery: GalleryId, world: World) -> None:
    """Its key, its sealed templates, and the names in it: not a byte of them is left in the file or its log."""
    with records.transaction() as transaction:
        transaction.add_faces(gallery, world.faces(130))
        transaction.create_subject(gallery, SubjectId("harriet-tubman"), key=SubjectKey("k"), created=world.now)
    with records._database.reading() as connection:
        wrapped = bytes(connection.exec_driver_sql("SELECT wrapped_key FROM galleries").scalar_one())
        # Pages hold runs of a long value; any of its middle serves.
        sealed = bytes(connection.exec_driver_sql("SELECT sealed FROM packs ORDER BY pack_key LIMIT 1").scalar_one())
    secrets = {"key": wrapped, "template": sealed[1000:1040], "name": b"harriet-tubman", "tag": world.model.encode()}

    def remains() -> set[str]:
        files = [records.path, records.path.with_name(records.path.name + "-wal")]
        content = b"".join(file.read_bytes() for file in files if file.exists())
        return {name for name, secret in secrets.items() if secret in content}

    before = remains()
    with records.transaction() as transaction:
        deleted = erase_gallery(transaction, gallery)

    assert deleted.face_count == 130
    assert before == set(secrets)
    assert remains() == set()
    assert check_records(records) == ()


def test_an_index_of_a_deleted_gallery_is_never_taken_for_its_successor(
    records: Records, gallery: GalleryId, world: World
) -> None:
    """Whatever version it had reached, a gallery created later under the name tells it to reload."""
    with records.transaction() as transaction:
        for _ in range(5):
            transaction.add_faces(gallery, world.faces(1))
        old = transaction.gallery(gallery).version
        erase_gallery(transaction, gallery)
        transaction.create_gallery(gallery, model=world.model, created=world.now)
        fresh = transaction.gallery(gallery).version
        transaction.add_faces(gallery, world.faces(1))
        answers = [transaction.changes_since(gallery, version) for version in range(old + 1)]

        assert fresh > old
        assert all(answer is RELOAD for answer in answers)
        assert transaction.changes_since(gallery, fresh) is not RELOAD


def test_the_folder_and_the_file_are_private(tmp_path: Path, records: Records, gallery: GalleryId) -> None:
    """0700 for a folder that was created, 0600 for the file and its companions."""
    modes = {file.name: file.stat().st_mode & 0o777 for file in records.path.parent.iterdir()}

    assert records.path.parent.stat().st_mode & 0o777 == 0o700
    assert modes
    assert set(modes.values()) == {0o600}
