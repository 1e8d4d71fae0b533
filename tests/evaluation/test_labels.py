"""Labels that look wrong are found and listed; only a person's decision leaves anything out."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.evaluation.labels import (
    Bars,
    Suspicion,
    Watch,
    parse_decision,
    suspects,
    write_listing,
)
from recognizance.evaluation.manifest import parse_manifest
from recognizance.evaluation.protocols import AllPairs
from recognizance.evaluation.samples import ScoreBlock
from recognizance.evaluation.testset import TestSet

MANIFEST = parse_manifest(
    b"path,subject\na1.jpg,Ada\na2.jpg,Ada\na3.jpg,Ada\nb1.jpg,Bo\nb2.jpg,Bo\nc1.jpg,Cy\n",
)
SUBJECTS = np.array([0, 0, 0, 1, 1, 2], dtype=np.int32)
SET = TestSet(MANIFEST, tuple(f"{number:064x}" for number in range(6)), "ab" * 32, lambda _path: b"")
HEADER = "what,first,second,who,when,why\n"


def watched(scores: np.ndarray, *, most: int = 500, size: int = 2) -> Watch:
    watch = Watch(SUBJECTS, most=most)
    for block in AllPairs(6).blocks(size):
        part = scores[np.ix_(block.rows, block.columns)].astype(np.float32)
        watch.add(ScoreBlock(part, block.rows, block.columns, block.compared))
    return watch


def scored() -> np.ndarray:
    """Everybody as they should be, but a3 is like Bo, and c1 and b1 score like mates."""
    scores = np.full((6, 6), 0.1)
    for low, high, score in [(0, 1, 0.8), (3, 4, 0.7), (0, 2, 0.05), (1, 2, 0.02), (2, 3, 0.75), (3, 5, 0.9)]:
        scores[low, high] = scores[high, low] = score
    return scores


def test_both_kinds_are_found_with_what_speaks_for_them() -> None:
    """The most suspect first; ordinary mates and strangers are not listed."""
    near = {number: [("Ada", 0.6), ("Bo", 0.3)] for number in range(6)}

    found = suspects(watched(scored()), Bars(mated=0.6, impostor=0.15), SET, near.__getitem__)

    assert [(each.kind, each.first, each.second) for each in found] == [
        (Suspicion.LOOKS_MATED, 3, 5),
        (Suspicion.LOOKS_MATED, 2, 3),
        (Suspicion.LOOKS_IMPOSTOR, 1, 2),
        (Suspicion.LOOKS_IMPOSTOR, 0, 2),
    ]
    assert found[1].evidence == "Ada: own 0.60, Bo 0.30; Bo: own 0.30, Ada 0.60"
    assert "own 0.60, most like Bo 0.30" in found[2].evidence
    lines = write_listing(found, MANIFEST).decode().splitlines()
    assert lines[0] == "kind,score,first,first_subject,second,second_subject,evidence"
    assert lines[1].startswith("looks mated,0.9000,b1.jpg,Bo,c1.jpg,Cy,")


def test_one_picture_under_two_names_is_told_apart() -> None:
    """Byte for byte the same needs nobody to look twice."""
    same = replace(SET, image_sha256=(*SET.image_sha256[:5], SET.image_sha256[3]))

    found = suspects(watched(scored()), Bars(mated=0.95, impostor=0.0), same, lambda _: ())

    assert [(each.kind, each.first, each.second) for each in found] == [(Suspicion.SAME_PICTURE, 3, 5)]


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 50))
def test_what_is_kept_does_not_hang_on_the_blocks(size: int, most: int, seed: int) -> None:
    """Any blocks, and scores with many ties: the same pairs as by sorting all of them."""
    scores = np.random.default_rng(seed).integers(0, 4, (6, 6)) / 4
    scores = np.triu(scores, 1) + np.triu(scores, 1).T
    watch = watched(scores, most=most, size=size)
    pairs = [(low, high) for low in range(6) for high in range(low + 1, 6)]
    mated = sorted((scores[p], *p) for p in pairs if SUBJECTS[p[0]] == SUBJECTS[p[1]])
    others = sorted((-scores[p], *p) for p in pairs if SUBJECTS[p[0]] != SUBJECTS[p[1]])

    assert watch.lowest_mated() == mated[:most]
    assert watch.highest_impostors() == [(-score, low, high) for score, low, high in others[:most]]


def test_a_decision_leaves_out_what_it_names_and_nothing_else() -> None:
    """A picture's comparisons, one pair, and two names that are one person."""
    text = HEADER + (
        "image,c1.jpg,,R. Reader,2026-11-22T12:00:00Z,blurred\n"
        "pair,b1.jpg,a1.jpg,R. Reader,2026-11-22T13:00:00Z,the same picture\n"
        "people,Ada,Bo,S. Second,2026-11-21T13:00:00+01:00,one person\n"
    )
    decision = parse_decision(text.encode(), MANIFEST, SET.commitment)
    only_pair = parse_decision((HEADER + text.splitlines()[2]).encode(), MANIFEST, SET.commitment)
    everybody = np.arange(6, dtype=np.int32)
    names = ["Ada", "Bo", "Cy"]

    mask = decision.allows(SUBJECTS, names).mask(everybody, everybody)
    pair = only_pair.allows(SUBJECTS, names).mask(everybody, everybody)

    assert decision.images == {5}
    assert decision.pairs == {(0, 3)}
    assert decision.people == {("Ada", "Bo")}
    assert decision.who == "R. Reader; S. Second"
    assert decision.when == datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
    assert np.array_equal(mask, mask.T)
    assert mask[:3, :3].all()
    assert mask[3:5, 3:5].all()
    assert not mask[:3, 3:].any()
    assert not mask[5].any()
    assert np.argwhere(~pair).tolist() == [[0, 3], [3, 0]]


def test_a_decision_is_bound_to_its_set() -> None:
    """The same file about other pictures is another decision."""
    text = (HEADER + "image,c1.jpg,,R,2026-11-22T12:00:00Z,blurred\n").encode()

    assert (
        parse_decision(text, MANIFEST, "ab" * 32).sha256
        != parse_decision(text, MANIFEST, "cd" * 32).sha256
        != parse_decision(text + b"\n", MANIFEST, "ab" * 32).sha256
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the columns have to be what,first,second,who,when,why"),
        (HEADER, "there is no decision"),
        (HEADER + "all,a1.jpg,,R,2026-11-22T12:00:00Z,x\n", "line 2, column what: 'all'"),
        (HEADER + "image,x.jpg,,R,2026-11-22T12:00:00Z,x\n", "line 2, column first: the manifest has no 'x.jpg'"),
        (HEADER + "image,a1.jpg,a2.jpg,R,2026-11-22T12:00:00Z,x\n", "column second: an image stands alone"),
        (HEADER + "pair,a1.jpg,a1.jpg,R,2026-11-22T12:00:00Z,x\n", "'a1.jpg' is named twice"),
        (HEADER + "people,Ada,a1.jpg,R,2026-11-22T12:00:00Z,x\n", "column second: the manifest has no 'a1.jpg'"),
        (HEADER + "image,a1.jpg,,,2026-11-22T12:00:00Z,x\n", "column who: say who"),
        (HEADER + "image,a1.jpg,,R,2026-11-22T12:00:00Z, \n", "column why: say why"),
        (HEADER + "image,a1.jpg,,R,yesterday,x\n", "column when: 'yesterday' is no moment"),
        (HEADER + "image,a1.jpg,,R,2026-11-22T12:00:00,x\n", "lacks its time zone"),
        (HEADER + "image,a1.jpg\n", "line 2: 2 fields"),
    ],
)
def test_a_decision_that_does_not_say_everything_is_refused(text: str, said: str) -> None:
    """Who, when and why are part of it."""
    with pytest.raises(InputError) as refused:
        parse_decision(text.encode(), MANIFEST, SET.commitment)

    assert said in str(refused.value)
