"""A case's record proves itself offline, is complete, and can't be changed by a byte."""

import io
import random
import zipfile
from collections.abc import Iterator
from hashlib import sha256

import pytest
from PIL import Image

from recognizance.disclosing.bundle import (
    ABOUT_ENTRY,
    MANIFEST,
    OPENINGS,
    SUMMARY,
    Checked,
    _zipped,
    manifest_of,
    read_openings,
    verify_bundle,
    write_openings,
)
from recognizance.errors import ConflictError, CorruptionError, DeniedError, InputError, NotFoundError
from recognizance.faces import Calibration, FaceReader, open_photograph
from recognizance.governance.leads import EditKind
from recognizance.governance.parties import AgencyId, Person, PersonId, Role
from recognizance.governance.review import Outcome
from recognizance.ledger import EntryId, NoteKey, Opening, facts
from recognizance.reviewing.askers import Asker
from recognizance.reviewing.probe_edits import Edit

from ..conftest import jpeg
from ..review_world import CASE, FIRST, SEARCHER, SECOND, SUPERVISOR, USE, World, person_id, review_world


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory,
    faces: tuple[FaceReader, Calibration],
    collins: Image.Image,
    hopper: Image.Image,
) -> Iterator[World]:
    """A case with a lead, a null result, a refusal and an edited probe, beside another case.

    It can't be handed out before its reviews are over: its bundle has scores, names, and what each reviewer said.
    """
    with review_world(tmp_path_factory.mktemp("told") / "data", faces) as world:
        world.enrol("collins", collins)
        review = world.opened(collins)
        world.answer(review, FIRST, Outcome.SAME_PERSON)
        world.answer(review, SECOND, Outcome.SAME_PERSON)
        assert world.search(hopper).found is not None
        permit = world.permit()
        edited = world.service.probes.edit(
            open_photograph(jpeg(collins), permit), Edit(EditKind.BRIGHTNESS, "+20"), permit=permit
        )
        again = world.search_file(edited.png).found
        assert again is not None
        assert again.review is not None
        with pytest.raises(ConflictError, match=again.review.review):
            disclosed(world, SUPERVISOR)
        world.answer(again.review.review, FIRST, Outcome.DIFFERENT)
        with pytest.raises(ConflictError, match="are under review"):
            disclosed(world, SUPERVISOR)
        world.answer(again.review.review, SECOND, Outcome.DIFFERENT)
        with pytest.raises(DeniedError):
            world.permit(candidates=4000)
        world.search(collins, case="24-00999")
        yield world


def disclosed(world: World, person: PersonId, *, case: str = CASE) -> bytes:
    return world.service.disclosing.disclose(
        case, Asker(person), recipient_kind="defence", recipient="the public defender"
    )


@pytest.fixture(scope="module")
def bundle(told: World) -> bytes:
    return disclosed(told, SUPERVISOR)


def test_a_review_that_nobody_ends_keeps_a_case_from_nobody(told: World) -> None:
    """An auditor, who is of no agency, hands out what is under review, too."""
    auditor = person_id("an auditor of disclosures")
    told.add_person(Person(auditor, None, frozenset({Role.AUDITOR})))
    with pytest.raises(ConflictError, match="an auditor can hand it out now"):
        disclosed(told, SUPERVISOR, case="24-00999")

    assert verify_bundle(disclosed(told, auditor, case="24-00999")).case == "24-00999"


@pytest.fixture(scope="module")
def checked(bundle: bytes, told: World) -> Checked:
    return verify_bundle(bundle, log_keys=(told.service.recorder.verifier,))


def said(checked: Checked, kind: type[facts.Facts]) -> list[facts.Facts]:
    return [entry.facts for _, entry in checked.entries if isinstance(entry.facts, kind)]


def test_the_bundle_holds_everything_about_its_case(checked: Checked) -> None:
    """Searches with their null results, the refusal, every step of the review, the lead and the edit."""
    outcomes = [each.outcome.value for each in said(checked, facts.Search) if isinstance(each, facts.Search)]
    assert outcomes == ["candidates", "no_candidate", "candidates"]
    for kind, count in {
        facts.Refusal: 1,
        facts.ReviewOpened: 2,
        facts.ReviewStep: 8,
        facts.ReviewAnswer: 4,
        facts.Lead: 1,
        facts.ProbeEdit: 1,
    }.items():
        assert len(said(checked, kind)) == count, kind
    assert said(checked, facts.PolicyChange)
    assert said(checked, facts.Model)
    assert said(checked, facts.ThresholdChange)
    assert said(checked, facts.Gallery)
    # Probe and candidate of two reviews, and the edited probe before and after; what is there twice counts once.
    assert checked.pictures >= 4


def test_nothing_of_another_case_is_in_it(bundle: bytes, checked: Checked) -> None:
    """Neither its entries, nor its number."""
    assert checked.case == CASE
    assert {opening.value for opening in checked.openings if opening.field == "case"} == {CASE}
    assert b"24-00999" not in bundle


def test_every_commitment_of_the_case_is_opened(checked: Checked) -> None:
    """Whoever reads the bundle learns all that the case's entries committed to."""
    opened = {(opening.entry_id, opening.field) for opening in checked.openings}
    for _, entry in checked.entries:
        if isinstance(entry.facts, facts.Search):
            assert {(entry.id, name) for name in ("case", "justification", "probe", "result")} <= opened
        if isinstance(entry.facts, facts.ReviewAnswer):
            assert {(entry.id, name) for name in ("candidate", "reasons")} <= opened


def test_handing_out_is_on_the_record(checked: Checked, bundle: bytes) -> None:
    """The ledger's own entry holds the digest of the manifest, and numbers to compare."""
    about = checked.about.facts
    assert isinstance(about, facts.Disclosure)
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        assert about.bundle_digest == sha256(archive.read(MANIFEST)).hexdigest()
    assert (about.use, about.searches, about.entries) == (USE, 3, len(checked.entries))


def test_the_summary_is_a_pdf_that_its_entries_determine(told: World, bundle: bytes) -> None:
    """Made again, the files are the same but for those about the second handing out."""
    again = told.service.disclosing.disclose(CASE, Asker(SUPERVISOR), recipient_kind="court", recipient="the court")
    with zipfile.ZipFile(io.BytesIO(bundle)) as first, zipfile.ZipFile(io.BytesIO(again)) as second:
        assert first.read(SUMMARY).startswith(b"%PDF-")
        # The second bundle has one more entry: the first handing out.
        assert set(first.namelist()) < set(second.namelist())
        entries = [
            name for name in first.namelist() if name.startswith(("entries/", "pictures/")) or name == "README.txt"
        ]
        assert all(first.read(name) == second.read(name) for name in entries)


def test_no_byte_can_be_changed(bundle: bytes) -> None:
    """Bytes drawn at random all over the file, and the first and last of all; each is found."""
    dice = random.Random(24_00117)
    places = {0, len(bundle) - 1, *(dice.randrange(len(bundle)) for _ in range(150))}
    for place in places:
        changed = bytearray(bundle)
        changed[place] ^= 1 << dice.randrange(8)
        with pytest.raises(CorruptionError):
            verify_bundle(bytes(changed))


@pytest.mark.parametrize("length", [0, 1, 1000])
def test_no_byte_can_be_cut_off_or_added(bundle: bytes, length: int) -> None:
    with pytest.raises(CorruptionError):
        verify_bundle(bundle[:length])
    with pytest.raises(CorruptionError):
        verify_bundle(bundle + b"\0" * (length + 1))


def files_in(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_entry_left_out_is_missed_even_with_a_new_manifest(bundle: bytes, checked: Checked) -> None:
    """The ledger's entry speaks of the manifest that was handed out, so a whole forgery needs the ledger's key."""
    files = files_in(bundle)
    index = next(index for index, entry in checked.entries if isinstance(entry.facts, facts.Refusal))
    left_out = next(entry.id for number, entry in checked.entries if number == index)
    del files[f"entries/{index:09d}.json"], files[f"receipts/{index:09d}.tlog-proof"]
    rest = [opening for opening in read_openings(files[OPENINGS]) if opening.entry_id != left_out]
    files[OPENINGS] = write_openings(rest)
    named = {path: data for path, data in files.items() if path != MANIFEST and not path.startswith("disclosure/")}
    files[MANIFEST] = manifest_of(CASE, named)

    with pytest.raises(CorruptionError, match="another manifest"):
        verify_bundle(_zipped(files))


def test_an_entry_about_something_else_proves_nothing(bundle: bytes, checked: Checked) -> None:
    files = files_in(bundle)
    index = checked.entries[0][0]
    files[ABOUT_ENTRY] = files[f"entries/{index:09d}.json"]

    with pytest.raises(CorruptionError, match="the bundle doesn't hold"):
        verify_bundle(_zipped(files))


def test_another_ledgers_key_is_refused(bundle: bytes) -> None:
    """Whoever knows the published key isn't satisfied with the one in the bundle."""
    stranger = NoteKey("recognizance.example/another", bytes(range(32)))

    with pytest.raises(CorruptionError, match="another log"):
        verify_bundle(bundle, log_keys=(stranger.verifier,))


def test_only_the_agencys_supervisors_and_auditors_disclose(told: World) -> None:
    """A searcher doesn't, and another agency's supervisor isn't even asked what for."""
    elsewhere = Person(person_id("elsewhere"), AgencyId("valley-police"), frozenset({Role.SUPERVISOR}))
    told.add_person(elsewhere)
    for person in (SEARCHER, elsewhere.id):
        with pytest.raises(DeniedError):
            told.service.disclosing.disclose(CASE, Asker(person), recipient_kind="press", recipient="a paper")


def test_a_case_that_nobody_searched_for_has_no_bundle(told: World) -> None:
    with pytest.raises(NotFoundError):
        told.service.disclosing.disclose("24-00000", Asker(SUPERVISOR), recipient_kind="defence", recipient="counsel")


def test_openings_are_read_as_they_were_written() -> None:
    """In one spelling only."""
    opening = Opening(EntryId("0" * 8), "case", ("a", 1, None, ("b",)), bytes(32))
    data = write_openings([opening])

    assert read_openings(data) == (opening,)
    with pytest.raises(InputError):
        read_openings(data.replace(b'"salt":"00', b'"salt":" 0'))
    with pytest.raises(InputError):
        read_openings(b"{}")
