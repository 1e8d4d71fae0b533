"""A manifest is read strictly, and a set has one name whatever order its rows came in."""

import random
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import CorruptionError, InputError
from recognizance.evaluation.manifest import (
    MAX_GROUPS,
    Manifest,
    Sample,
    commitment,
    parse_manifest,
    select,
    spell_manifest,
)
from recognizance.evaluation.testset import open_test_set, repeated

PEOPLE = b"path,subject,sex\nb/1.jpg,Bo,male\na/1.jpg,Ada,female\na/2.jpg,Ada,female\nc.jpg,Cy,\n"

_text = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x17E), min_size=1, max_size=12)
_words = _text.filter(lambda text: text == normalize("NFC", text.strip()) and text.isprintable())
_paths = st.from_regex(r"[a-z0-9_-]{1,8}(/[a-z0-9_-]{1,8}){0,2}\.jpg", fullmatch=True)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    columns = tuple(draw(st.lists(st.sampled_from(["sex", "age band", "Skin_type"]), unique=True)))
    dated = draw(st.sampled_from([None, "session"]))
    samples = [
        Sample(
            path,
            draw(_words),
            draw(_words) if dated else "",
            tuple(draw(st.sampled_from(["", "one", "two, or three", 'a "name"'])) for _ in columns),
        )
        for path in sorted(draw(st.lists(_paths, min_size=1, max_size=8, unique=True)))
    ]
    return Manifest(tuple(samples), columns, dated)


def test_samples_are_ordered_by_path_and_groups_kept_as_written() -> None:
    """The order of rows means nothing, and an empty group is unknown."""
    manifest = parse_manifest(PEOPLE)

    assert [sample.path for sample in manifest.samples] == ["a/1.jpg", "a/2.jpg", "b/1.jpg", "c.jpg"]
    assert manifest.groups("sex") == ("female", "female", "male", "")
    assert manifest.by_subject() == {"Ada": (0, 1), "Bo": (2,), "Cy": (3,)}


def test_a_persons_pictures_are_ordered_by_their_date() -> None:
    """What is enrolled first is what was taken first."""
    manifest = parse_manifest(b"path,subject,date\na.jpg,Ada,2026-05-01\nb.jpg,Ada,2024-01-31\n")

    assert [manifest.samples[number].path for number in manifest.by_subject()["Ada"]] == ["b.jpg", "a.jpg"]


@given(manifests())
def test_writing_and_reading_a_manifest_gives_the_same(manifest: Manifest) -> None:
    """What is written is read back, whatever quotes and commas it has."""
    assert parse_manifest(spell_manifest(manifest)) == manifest


@given(st.binary(max_size=300))
def test_any_bytes_are_a_manifest_or_refused(data: bytes) -> None:
    """No bytes give anything but a value or our own error."""
    for prefix in (b"", b"path,subject,sex\n"):
        try:
            assert len(parse_manifest(prefix + data)) > 0
        except InputError:
            continue


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"path,subject\n", "there is no picture"),
        (b"path;subject\na.jpg;Ada\n", "line 1: columns are separated by commas"),
        (b"path,subject\na\\b.jpg,Ada\n", "line 2, column path: 'a\\\\b.jpg': folders are separated by /"),
        (b"path,subject,1st\na.jpg,Ada,x\n", "line 1: '1st' is no name for a column; begin with a letter"),
        (b"path,sex\na.jpg,female\n", "line 1: the column 'subject' is missing"),
        (b"path,subject,path\na,b,c\n", "line 1: the column 'path' is there twice"),
        (b"path,subject,session,date\na,b,c,d\n", "a session or a date, not both"),
        (b"path,subject\na.jpg,Ada\nb.jpg\n", "line 3: 1 fields"),
        (b"path,subject\na.jpg,Ada\na.jpg,Bo\n", "line 3, column path: 'a.jpg' is on line 2 too"),
        (b"path,subject\na.jpg,\n", "line 2, column subject: empty"),
        (b"path,subject\na.jpg,Ada \n", "line 2, column subject: spaces"),
        (b"path,subject\n../a.jpg,Ada\n", "line 2, column path: '../a.jpg' is no plain path"),
        (b"path,subject\n/etc/passwd,Ada\n", "line 2, column path"),
        (b"path,subject\ns3://bucket,Ada\n", "names a bucket and no key"),
        (b"path,subject,date\na.jpg,Ada,2026-02-30\n", "line 2, column date: '2026-02-30' is no date"),
        (b"path,subject,date\na.jpg,Ada,20260203\n", "has to be written as 2026-02-03"),
        (b"path,subject\n\xff.jpg,Ada\n", "byte 13 is no UTF-8"),
        ("path,subject\na.jpg,Jose\u0301\n".encode(), "NFC"),
        (b'path,subject\n"a.jpg,Ada\n', "unexpected end of data"),
    ],
)
def test_a_fault_is_named_by_line_and_column(data: bytes, said: str) -> None:
    """Whoever made the file can find it."""
    with pytest.raises(InputError) as refused:
        parse_manifest(data)

    assert said in str(refused.value)


def test_a_column_of_names_is_no_group() -> None:
    """A matrix of hundreds of groups would say nothing about any."""
    rows = "".join(f"{number}.jpg,Ada,group {number}\n" for number in range(MAX_GROUPS + 1))

    with pytest.raises(InputError, match="more than 64 different groups"):
        parse_manifest(f"path,subject,kind\n{rows}".encode())


def test_the_commitment_follows_content_and_not_order() -> None:
    """Shuffled rows are the same set; one other name, group or picture is another."""
    manifest = parse_manifest(PEOPLE)
    lines = PEOPLE.splitlines()
    shuffled = lines[1:]
    random.Random(3).shuffle(shuffled)
    hashes = ["00" * 32, "11" * 32, "22" * 32, "33" * 32]
    known = commitment(manifest, hashes)

    assert commitment(parse_manifest(b"\n".join([lines[0], *shuffled])), hashes) == known
    others = [
        commitment(parse_manifest(PEOPLE.replace(b"Cy", b"Ci")), hashes),
        commitment(parse_manifest(PEOPLE.replace(b"male\na/2", b"\na/2")), hashes),
        commitment(manifest, hashes[::-1]),
        commitment(select(manifest, [0, 1, 2]), hashes[:3]),
    ]
    assert len({known, *others}) == 5
    with pytest.raises(ValueError, match="zip"):
        commitment(manifest, hashes[:3])


def test_a_picture_that_changes_after_the_commitment_is_not_measured(tmp_path: Path) -> None:
    """The result would be of another set than the one that was named."""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"the same")
    (tmp_path / "set.csv").write_text("path,subject\na.jpg,Ada\nb.jpg,Bo\n")
    test_set = open_test_set(tmp_path / "set.csv")
    (tmp_path / "b.jpg").write_bytes(b"another")

    assert test_set.picture(0) == b"the same"
    assert repeated(test_set) == ((0, 1),)
    with pytest.raises(CorruptionError, match=r"b\.jpg has changed"):
        test_set.picture(1)


def test_a_missing_picture_and_a_bucket_without_s3_are_named(tmp_path: Path) -> None:
    """Nothing is skipped: a set is whole or it isn't measured."""
    (tmp_path / "one.csv").write_text("path,subject\nabsent.jpg,Ada\n")
    (tmp_path / "two.csv").write_text("path,subject\ns3://bucket/key.jpg,Ada\n")

    with pytest.raises(InputError, match=r"absent\.jpg: No such file"):
        open_test_set(tmp_path / "one.csv")
    with pytest.raises(InputError, match="there is no S3 here"):
        open_test_set(tmp_path / "two.csv")
