"""Traces: what stands anywhere is found, what was removed is not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recognizance.identifiers import GalleryId, ImageId, SubjectId
from recognizance.records import Document, Needles, OpeningRow, Records, SubjectKey, Trace, file_traces
from recognizance.records.traces import DocumentPlace, OpeningPlace

from .world import World

SALT = bytes(range(32))


def needles(*words: str) -> Needles:
    return Needles(ids=[word for word in words if len(word) == 36], names=[word for word in words if len(word) != 36])


def found(records: Records, wanted: Needles) -> set[str]:
    with records.reading() as reader:
        return {trace.table for trace in reader.traces(wanted)}


def test_what_stands_in_the_clear_is_found_in_every_table(records: Records, gallery: GalleryId, world: World) -> None:
    """A face's id is in its row and in its pack; a photograph's name in the row of the image; a person's in theirs."""
    [face] = world.faces(1)
    named = replace(face, external_image_id="ada-lovelace", image_sha256=SALT)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, [named])
        transaction.create_subject(gallery, SubjectId("person-7"), key=SubjectKey(world.uuid()), created=world.now)
        transaction.associate(gallery, SubjectId("person-7"), [face.face_id])

    assert found(records, needles(face.face_id)) == {"faces", "packs"}
    assert found(records, needles("ada-lovelace")) == {"images"}
    assert found(records, needles("person-7")) == {"subjects", "faces"}
    assert found(records, Needles(blobs=[SALT])) == {"images"}


def test_a_sealed_template_photograph_opening_and_document_are_opened(
    records: Records, gallery: GalleryId, world: World
) -> None:
    """What is sealed is looked into, so that a template left in a pack is found."""
    [face] = world.faces(1)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, [face])
        transaction.keep_image(gallery, face.image_id, b"....ada-lovelace....")
        opening = OpeningRow("e", "result", value=b'"ada-lovelace"', salt=SALT)
        transaction.commit_entry("e", b"{}", of_gallery=[opening], gallery=gallery)
        transaction.insert_document(Document("review", "r", "open", b'{"name":"ada-lovelace"}'))
        transaction.insert_document(Document("case", "c", "open", b"{}", {"name": "ada-lovelace"}))

    assert found(records, Needles(blobs=[face.template.astype("<f4").tobytes()])) == {"packs"}
    assert found(records, needles("ada-lovelace")) == {"kept_images", "openings", "documents", "document_labels"}


def test_nothing_is_found_of_a_face_that_was_removed_but_its_id_among_removals(
    records: Records, gallery: GalleryId, world: World
) -> None:
    """Indexes have to be told which one to drop, by a number that leads nowhere any more."""
    face, other = world.faces(2)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, [replace(face, external_image_id="ada-lovelace"), other])
        transaction.keep_image(gallery, face.image_id, b"....ada-lovelace....")
    with records.transaction() as transaction:
        transaction.remove_faces(gallery, [face.face_id])

    assert found(records, needles(face.face_id, face.image_id, "ada-lovelace")) == set()
    assert found(records, Needles(blobs=[face.template.astype("<f4").tobytes()])) == set()
    assert found(records, needles(other.face_id)) == {"faces", "packs"}


def test_openings_and_documents_are_named_and_only_new_ones_if_asked(records: Records, gallery: GalleryId) -> None:
    """What was committed to before a position has been looked at."""
    wanted = needles("ada-lovelace")
    with records.transaction() as transaction:
        for entry, value in (("a", b'"ada-lovelace"'), ("b", b'"somebody"')):
            transaction.commit_entry(entry, b"{}", [OpeningRow(entry, "case", value=value, salt=SALT)])
        before = transaction.last_position()
        opening = OpeningRow("c", "result", value=b'["ada-lovelace"]', salt=SALT)
        transaction.commit_entry("c", b"{}", of_gallery=[opening], gallery=gallery)
        transaction.insert_document(Document("review", "r", "open", b'{"name":"ada-lovelace"}'))
    with records.reading() as reader:
        everything = list(reader.openings_naming(wanted))
        later = list(reader.openings_naming(wanted, after_position=before))
        documents = list(reader.documents_naming(wanted))

        of_gallery = list(reader.openings_naming(wanted, gallery=gallery))

    assert of_gallery == [OpeningPlace("c", "result")]
    assert everything == [OpeningPlace("a", "case"), OpeningPlace("c", "result")]
    assert later == [OpeningPlace("c", "result")]
    assert documents == [DocumentPlace("review", "r")]


def test_a_trace_never_says_what_was_found(records: Records, gallery: GalleryId, world: World) -> None:
    """A report of an erasure that failed must not keep what should be gone."""
    with records.transaction() as transaction:
        key = SubjectKey(world.uuid())
        transaction.create_subject(gallery, SubjectId("ada-lovelace"), key=key, created=world.now)
    with records.reading() as reader:
        traces = list(reader.traces(needles("ada-lovelace")))

    assert traces == [Trace("subjects", "gallery_key=1")]


def test_files_are_read_raw_across_the_edges_of_chunks(tmp_path: Path) -> None:
    """Wherever it lies, in whichever folder."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(bytes(2**20 - 3) + b"ada-lovelace" + bytes(5))
    (tmp_path / "other").write_bytes(bytes(100))

    assert [trace.table for trace in file_traces(tmp_path, needles("ada-lovelace"))] == ["deep/file"]


def test_a_name_is_found_whole_and_an_id_anywhere(records: Records, world: World) -> None:
    """`ada` is no trace of `adam`; a random id within a longer value is."""
    face = world.uuid()
    with records.transaction() as transaction:
        transaction.insert_document(Document("review", "r", "open", b'{"name":"adam","faces":"%s,x"}' % face.encode()))

    assert found(records, needles("ada")) == set()
    assert found(records, needles("adam")) == {"documents"}
    assert found(records, needles(face)) == {"documents"}


@pytest.mark.parametrize("wanted", [{}, {"names": [""]}, {"blobs": [b"", b"abc"]}])
def test_nothing_is_not_looked_for(wanted: dict[str, Any]) -> None:
    """An empty needle would be found everywhere, and an empty list nowhere."""
    with pytest.raises(ValueError, match="nothing to look for"):
        Needles(**wanted)


def test_an_image_that_another_face_shares_is_still_found(records: Records, gallery: GalleryId, world: World) -> None:
    """Two people in one photograph: erasing one leaves the photograph of the other."""
    image = ImageId(world.uuid())
    one, other = world.faces(2, image_id=image)
    with records.transaction() as transaction:
        transaction.add_faces(gallery, [one, other])
    with records.transaction() as transaction:
        transaction.remove_faces(gallery, [one.face_id])

    assert found(records, needles(image)) == {"images", "faces"}
