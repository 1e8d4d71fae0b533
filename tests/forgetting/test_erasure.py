"""Erasure: gone from everywhere, provably, while the ledger stays what it was."""

import contextlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from recognizance.errors import ConflictError, DeniedError, NotFoundError, UnavailableError
from recognizance.forgetting.erasure import HOLD_KIND, Cause, Erased, Order, Proof
from recognizance.governance.codec import write_document
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.retention import Hold, HoldingId
from recognizance.identifiers import FaceId, GalleryId
from recognizance.ledger import FolderSource, facts
from recognizance.permits import Action
from recognizance.records import Document, Needles, check_records
from tests.records.test_crashes import Fault, Plan, failing_calls, sabotage
from tests.records.world import World

from .conftest import ADA, GALLERY, OTHER_GALLERY, PHOTOGRAPH, Installation, open_installation, permit_for

REQUEST = Order(Cause.REQUEST, "request-1")


def entry_of(installation: Installation, erased: Erased) -> facts.Erasure:
    found = installation.entry(erased.receipts[-1])
    assert isinstance(found, facts.Erasure)
    return found


def test_a_face_is_gone_from_everywhere(installation: Installation) -> None:
    """Rows, template, photograph, index, what a review says of it, and what opens the ledger's commitments."""
    [ada], [other] = installation.enrol(name="ada-lovelace.jpg"), installation.enrol(name="other-person.jpg")
    both, only_other = installation.search(ada.face_id, other.face_id), installation.search(other.face_id)
    with installation.records.transaction() as transaction:
        body = json.dumps({"candidate": ada.face_id}).encode()
        transaction.insert_document(Document("review", "r", "open", body))
    installation.load_index()
    erasure = installation.erasure()

    erased = erasure.faces(GALLERY, [ada.face_id], order=REQUEST, permit=permit_for(Action.FORGET))

    assert erased.needles is not None
    assert erased.faces == (ada.face_id,)
    assert erasure.traces(erased.needles, folder=installation.data) == ()
    assert [row.face_id for row in installation.rows()] == [other.face_id]
    assert installation.openable(both) == {"case", "justification", "probe"}
    assert installation.openable(only_other) == {"case", "justification", "probe", "result"}
    assert check_records(installation.records) == ()


def test_before_the_erasure_the_checker_finds_every_trace(installation: Installation) -> None:
    """A checker that finds nothing has to be one that would have found it."""
    [ada] = installation.enrol(name="ada-lovelace.jpg", subject=ADA)
    installation.search(ada.face_id)
    with installation.records.transaction() as transaction:
        transaction.insert_document(Document("review", "r", "open", json.dumps([ada.face_id]).encode()))
    installation.load_index()
    installation.records.settle()
    template = ada.template.astype("<f4").tobytes()
    needles = Needles(
        ids=[ada.face_id, ada.image_id], names=["ada-lovelace.jpg", ADA], blobs=[template, ada.image_sha256 or b""]
    )

    traces = installation.erasure().traces(needles, folder=installation.data)

    assert {trace.table for trace in traces} == {
        "faces",
        "images",
        "kept_images",
        "packs",
        "subjects",
        "openings",
        "documents",
        "index in memory",
        "records.sqlite3",
    }


def test_the_ledger_is_as_it_was_and_says_that_something_was_erased(installation: Installation) -> None:
    """Every earlier entry is there, byte for byte; the erasure's own has numbers, a proof's hash and a receipt."""
    [ada] = installation.enrol(name="ada-lovelace.jpg")
    installation.search(ada.face_id)
    source = FolderSource(installation.recorder.public)
    installation.settle()
    before = source.read("tile/entries/000.p/4")
    erased = installation.erasure().faces(GALLERY, [ada.face_id], order=REQUEST, permit=permit_for(Action.FORGET))
    assert erased.proof is not None

    said = entry_of(installation, erased)
    after = source.read("tile/entries/000.p/6")
    assert before is not None
    assert after is not None
    assert after.startswith(before)
    assert installation.verified().is_sound
    assert (said.scope, said.cause, said.request) == (facts.ErasureScope.FACE, "request", "request-1")
    assert (said.faces, said.images, said.salts) == (1, 1, 2)
    assert said.proof_digest == erased.proof.sha256
    assert installation.erasure().proof(erased.proof.id) == erased.proof


def test_a_proof_names_entries_that_can_no_longer_be_opened_and_nobody(installation: Installation) -> None:
    """Whoever gets it asks for each opening and finds it gone."""
    [ada] = installation.enrol(name="ada-lovelace.jpg")
    search = installation.search(ada.face_id)
    proof = installation.erasure().faces(GALLERY, [ada.face_id], permit=permit_for(Action.FORGET)).proof

    assert isinstance(proof, Proof)
    destroyed = [(each.entry, each.field) for each in proof.openings]
    assert (search, "result") in destroyed
    assert len(destroyed) == proof.salts == 2
    with installation.records.reading() as reader:
        left = [(entry, each.field) for entry, _ in destroyed for each in reader.openings(entry)]
    assert set(left).isdisjoint(destroyed)
    written = write_document(proof)
    assert ada.face_id.encode() not in written
    assert b"ada-lovelace" not in written


def test_a_subject_goes_with_all_their_faces_and_their_name(installation: Installation) -> None:
    """Whatever they were enrolled from; others stay."""
    faces = installation.enrol(name="ada-lovelace-1.jpg", subject=ADA, faces=2)
    [other] = installation.enrol(name="other-person.jpg")
    installation.load_index()
    erasure = installation.erasure()

    erased = erasure.subject(GALLERY, ADA, order=REQUEST, permit=permit_for(Action.FORGET))
    again = erasure.subject(GALLERY, ADA, order=REQUEST, permit=permit_for(Action.FORGET))

    assert set(erased.faces) == {face.face_id for face in faces}
    assert erased.needles is not None
    assert ADA in erased.needles.names
    assert erasure.traces(erased.needles, folder=installation.data) == ()
    assert [row.face_id for row in installation.rows()] == [other.face_id]
    assert entry_of(installation, erased).scope is facts.ErasureScope.SUBJECT
    assert (again.proof, again.receipts) == (None, ())


def test_what_also_stands_for_somebody_else_stays(installation: Installation) -> None:
    """Of two people in one photograph, one is erased; a name that another photograph bears is that one's as well."""
    one, other = installation.enrol(name="wedding", faces=2)
    [shared] = installation.enrol(name="shared-name", sha256=bytes(32))
    installation.enrol(name="shared-name", gallery=OTHER_GALLERY, sha256=bytes(32))
    erasure = installation.erasure()

    first = erasure.faces(GALLERY, [one.face_id], permit=permit_for(Action.FORGET))
    second = erasure.faces(GALLERY, [shared.face_id], permit=permit_for(Action.FORGET))

    with installation.records.reading() as reader:
        assert reader.kept_image(GALLERY, other.image_id).startswith(PHOTOGRAPH)
    for erased in (first, second):
        assert erased.needles is not None
        assert erasure.traces(erased.needles, folder=installation.data) == ()
    assert first.proof is not None
    assert (first.proof.faces, first.proof.images) == (1, 0)
    assert second.needles is not None
    assert second.needles.names == frozenset()


def test_a_gallery_goes_with_its_key_and_everything_under_it(installation: Installation) -> None:
    """What its entries committed to about faces can't be shown any more; that there were such entries can."""
    [ada] = installation.enrol(name="ada-lovelace.jpg", subject=ADA)
    search = installation.search(ada.face_id)
    installation.load_index()
    erasure = installation.erasure()
    with installation.records.reading() as reader:
        salts = reader.opening_count(GALLERY)

    erased = erasure.gallery(GALLERY, permit=permit_for(Action.MANAGE_GALLERY))

    template = ada.template.astype("<f4").tobytes()
    needles = Needles(ids=[ada.face_id], names=["ada-lovelace.jpg", ADA], blobs=[template])
    assert erasure.traces(needles, folder=installation.data) == ()
    assert installation.openable(search) == {"case", "justification"}
    assert entry_of(installation, erased).salts == salts == 3
    assert installation.verified().is_sound
    with pytest.raises(NotFoundError):
        erasure.gallery(GALLERY, permit=permit_for(Action.MANAGE_GALLERY))


def test_a_quiet_gallery_is_sound_after_a_busy_one_was_erased(installation: Installation) -> None:
    """Versions of galleries that will be created begin after the erased one's; those that are there keep theirs."""
    for _ in range(5):
        installation.enrol(gallery=OTHER_GALLERY)
    installation.erasure().gallery(OTHER_GALLERY, permit=permit_for(Action.MANAGE_GALLERY, OTHER_GALLERY))
    installation.create(OTHER_GALLERY)

    with installation.records.reading() as reader:
        assert reader.gallery(GALLERY).version < 5 < reader.gallery(OTHER_GALLERY).version
    assert check_records(installation.records) == ()


def test_the_results_of_searches_go_and_the_searches_stay_on_the_record(installation: Installation) -> None:
    """Probe, candidates and review can't be shown any more; case and justification can, and the gallery is whole."""
    [ada] = installation.enrol()
    search, kept = installation.search(ada.face_id), installation.search(ada.face_id)
    with installation.records.transaction() as transaction:
        transaction.insert_document(Document("review", "r", "open", json.dumps({"search": search}).encode()))

    erased = installation.erasure().results(
        GALLERY, [search], order=Order(Cause.RETENTION), permit=permit_for(Action.FORGET)
    )

    assert installation.openable(search) == {"case", "justification"}
    assert installation.openable(kept) == {"case", "justification", "probe", "result"}
    assert erased.proof is not None
    assert (erased.proof.salts, erased.proof.documents, erased.proof.faces) == (2, 1, 0)
    assert len(installation.rows()) == 1


def test_an_order_to_preserve_comes_first(installation: Installation) -> None:
    """A held face is not erased, nor its gallery, nor a held search's candidates; until the order ends."""
    [ada], [other] = installation.enrol(), installation.enrol()
    search = installation.search(other.face_id)
    today = installation.now.date()
    for holding in (ada.face_id, search):
        hold = Hold(HoldingId(holding), Sha256Hex("0" * 64), today.replace(day=today.day + 1))
        with installation.records.transaction() as transaction:
            transaction.insert_document(Document(HOLD_KIND, holding, "held", write_document(hold)))
    erasure = installation.erasure()

    for face in (ada, other):
        with pytest.raises(ConflictError, match="order to preserve"):
            erasure.faces(GALLERY, [face.face_id], permit=permit_for(Action.FORGET))
    with pytest.raises(ConflictError, match="order to preserve"):
        erasure.gallery(GALLERY, permit=permit_for(Action.MANAGE_GALLERY))
    assert len(installation.rows()) == 2
    assert "result" in installation.openable(search)
    installation.after(days=1)
    assert erasure.faces(GALLERY, [ada.face_id, other.face_id], permit=permit_for(Action.FORGET)).proof is not None


def test_what_nobody_knows_how_to_clean_is_refused_and_not_left_behind(installation: Installation) -> None:
    """Then nothing is erased at all, and the kind is named."""
    [ada] = installation.enrol()
    with installation.records.transaction() as transaction:
        transaction.insert_document(Document("novelty", "n", "open", json.dumps([ada.face_id]).encode()))

    with pytest.raises(ConflictError, match="novelty"):
        installation.erasure().faces(GALLERY, [ada.face_id], permit=permit_for(Action.FORGET))
    assert len(installation.rows()) == 1


def test_faces_that_are_not_there_are_named_and_nothing_is_entered(installation: Installation) -> None:
    """There is nothing to say about them."""
    [ada] = installation.enrol()
    unknown = FaceId(installation.world.uuid())
    erasure = installation.erasure()

    some = erasure.faces(GALLERY, [unknown, ada.face_id], permit=permit_for(Action.FORGET))
    none = erasure.faces(GALLERY, [unknown], permit=permit_for(Action.FORGET))

    assert (some.faces, some.unknown) == ((ada.face_id,), (unknown,))
    assert (none.unknown, none.proof, none.receipts) == ((unknown,), None, ())
    with pytest.raises(NotFoundError):
        erasure.faces(GalleryId("nowhere"), [unknown], permit=permit_for(Action.FORGET, GalleryId("nowhere")))


@pytest.mark.parametrize("action", sorted(set(Action) - {Action.FORGET, Action.MANAGE_GALLERY}))
def test_forgetting_takes_a_permit_to_forget(installation: Installation, action: Action) -> None:
    """On this gallery; any other is refused before anything is looked at."""
    [ada] = installation.enrol()
    erasure = installation.erasure()

    with pytest.raises(DeniedError):
        erasure.faces(GALLERY, [ada.face_id], permit=permit_for(action))
    with pytest.raises(DeniedError):
        erasure.subject(GALLERY, ADA, permit=permit_for(Action.FORGET, OTHER_GALLERY))
    with pytest.raises(DeniedError):
        erasure.gallery(GALLERY, permit=permit_for(Action.FORGET))
    assert len(installation.rows()) == 1


def test_an_opening_that_came_while_the_erasure_looked_is_destroyed_too(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that ends between the look and the transaction leaves no candidate behind."""
    [ada] = installation.enrol()
    late = []
    changing = installation.recorder.changing

    def search_first() -> object:
        monkeypatch.undo()
        late.append(installation.search(ada.face_id))
        return changing()

    monkeypatch.setattr(installation.recorder, "changing", search_first)
    installation.erasure().faces(GALLERY, [ada.face_id], permit=permit_for(Action.FORGET))

    assert installation.openable(late[0]) == {"case", "justification", "probe"}


def test_a_document_that_came_while_the_erasure_looked_is_cleaned_too(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is new, and one that names the face only since; what named it before and doesn't any more is left."""
    [ada], [other] = installation.enrol(), installation.enrol()
    named, nobody = json.dumps([ada.face_id]).encode(), json.dumps([other.face_id]).encode()
    with installation.records.transaction() as transaction:
        changing_later = transaction.insert_document(Document("review", "changes", "open", nobody))
        let_go_later = transaction.insert_document(Document("review", "lets go", "open", named))
    changing = installation.recorder.changing

    def write_first() -> object:
        monkeypatch.undo()
        with installation.records.transaction() as transaction:
            transaction.insert_document(Document("review", "comes", "open", named))
            transaction.replace_document(replace(changing_later, body=named))
            transaction.replace_document(replace(let_go_later, body=nobody))
        return changing()

    monkeypatch.setattr(installation.recorder, "changing", write_first)
    erased = installation.erasure().faces(GALLERY, [ada.face_id], permit=permit_for(Action.FORGET))

    assert erased.proof is not None
    assert erased.proof.documents == 2
    with installation.records.reading() as reader:
        assert [document.id for document in reader.documents("review", limit=10)] == ["lets go"]
    assert check_records(installation.records) == ()


@dataclass
class Scene:
    """An installation on disk with a subject to be erased, to be copied and broken again and again."""

    data: Path
    needles: Needles


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    world = World(np.random.default_rng(7))
    data = tmp_path_factory.mktemp("scene") / "data"
    installation = open_installation(data, world)
    installation.create(GALLERY)
    [ada] = installation.enrol(name="ada-lovelace.jpg", subject=ADA)
    installation.enrol(name="other-person.jpg")
    installation.search(ada.face_id)
    with installation.records.transaction() as transaction:
        transaction.insert_document(Document("review", "r", "open", json.dumps([ada.face_id]).encode()))
    installation.close()
    template = ada.template.astype("<f4").tobytes()
    return Scene(data, Needles(ids=[ada.face_id, ada.image_id], names=["ada-lovelace.jpg", ADA], blobs=[template]))


def erase_with(scene: Scene, folder: Path, plan: Plan) -> bool:
    """Erase the subject in a copy while one call to the database fails; then again in a new process's place.

    Answers whether the plan's call was reached. Whatever failed, the second attempt finds the work done or does it.
    """
    shutil.copytree(scene.data, folder)
    installation = open_installation(folder, World(np.random.default_rng(plan.failing + 1000)))
    permit = permit_for(Action.FORGET)
    installation.load_index()
    sabotage(installation.records, plan)
    with contextlib.suppress(UnavailableError):
        installation.erasure().subject(GALLERY, ADA, order=REQUEST, permit=permit)
    plan.failing = 0
    installation.close()

    again = open_installation(folder, World(np.random.default_rng(plan.calls + 5000)))
    erasure = again.erasure()
    erasure.subject(GALLERY, ADA, order=REQUEST, permit=permit)
    again.load_index()
    assert erasure.traces(scene.needles, folder=folder) == ()
    assert check_records(again.records) == ()
    assert [row.external_image_id for row in again.rows()] == ["other-person.jpg"]
    assert again.verified().is_sound
    with again.records.reading() as reader:
        proofs = reader.documents("erasure", limit=10)
        assert reader.pending_entries(10) == []
    assert len(proofs) == 1
    again.close()
    return True


@pytest.mark.parametrize("fault", Fault)
def test_whichever_call_fails_doing_it_again_completes_the_erasure_once(
    scene: Scene, tmp_path: Path, fault: Fault
) -> None:
    """A call to the database fails once; then nothing is left, the ledger verifies, and there is one proof."""
    counting = Plan()
    erase_with(scene, tmp_path / "counting", counting)
    assert counting.calls > 40
    assert counting.commits
    for failing in failing_calls(counting, fault):
        folder = tmp_path / str(failing)
        assert erase_with(scene, folder, Plan(failing, fault))
        shutil.rmtree(folder)


def erase_gallery_with(scene: Scene, folder: Path, plan: Plan) -> None:
    """As `erase_with`, for the whole gallery: `DeleteCollection` is this."""
    shutil.copytree(scene.data, folder)
    installation = open_installation(folder, World(np.random.default_rng(plan.failing + 1000)))
    permit = permit_for(Action.MANAGE_GALLERY)
    installation.load_index()
    sabotage(installation.records, plan)
    with contextlib.suppress(UnavailableError):
        installation.erasure().gallery(GALLERY, permit=permit)
    plan.failing = 0
    installation.close()

    again = open_installation(folder, World(np.random.default_rng(plan.calls + 5000)))
    erasure = again.erasure(kept=("review",))
    with contextlib.suppress(NotFoundError):
        erasure.gallery(GALLERY, permit=permit)
    assert erasure.traces(scene.needles, folder=folder / "ledger") == ()
    assert check_records(again.records) == ()
    assert again.verified().is_sound
    with again.records.reading() as reader:
        assert reader.galleries(limit=10) == []
        assert reader.pending_entries(10) == []
        assert len(reader.documents("erasure", limit=10)) == 1
    again.close()
    shutil.rmtree(folder)


@pytest.mark.parametrize("fault", Fault)
def test_whichever_call_fails_a_gallery_is_erased_whole_and_once(scene: Scene, tmp_path: Path, fault: Fault) -> None:
    """Key and entry go in one transaction: there is never a gallery without its key, or one gone without a proof."""
    counting = Plan()
    erase_gallery_with(scene, tmp_path / "counting", counting)
    assert counting.calls > 20

    for failing in failing_calls(counting, fault):
        erase_gallery_with(scene, tmp_path / str(failing), Plan(failing, fault))
