"""The desk at its pages: requests by their deadlines, looking up, correcting, erasing with proof; retention."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from recognizance.governance import Asking, Credential, Principal
from recognizance.governance.retention import HoldingKind, Schedule
from recognizance.governance.subjects import RequestEvent, RequestKind, RequestState
from recognizance.governing.registration import Actor
from recognizance.identifiers import SubjectId
from recognizance.records import SubjectKey
from recognizance.storage import new_id

from ..conftest import jpeg
from ..review_world import GALLERY, SEARCHER, SUPERVISOR
from .reading import Reading, reading
from .world import ADMINISTRATOR, DESK_OFFICER, Web


def officer(web: Web) -> Actor:
    del web
    return Actor(Principal(DESK_OFFICER, frozenset()), Asking(Credential.SIGN_IN))


def opened(web: Web, kind: RequestKind, *, days_ago: int = 0, verified: bool = True) -> str:
    received = web.world.clock.now.date() - timedelta(days=days_ago)
    request = web.service.desk.open(
        kind, asker=f"Ada Byron {new_id()[:8]}", statement="Please look.", received=received, by=officer(web)
    )
    if verified:
        web.service.desk.step(request.id, RequestEvent.VERIFY, by=officer(web))
    return request.id


@pytest.fixture
def desk(web: Web) -> Reading:
    return reading(web, DESK_OFFICER)


def test_overdue_requests_come_first(web: Web, desk: Reading) -> None:
    """What is late stands above everything else, with how late it is."""
    fresh, late = opened(web, RequestKind.ACCESS), opened(web, RequestKind.ACCESS, days_ago=30)
    text = desk.get("/desk").text

    assert text.index("Overdue") < text.index(late) < text.index("To be answered") < text.index(fresh)
    assert "2 days late" in text


def test_a_request_goes_from_the_letter_to_the_answer(web: Web, desk: Reading) -> None:
    """Taken, verified, answered; an answer without a word, or a refusal without a reason, is sent back."""
    assert desk.post("/desk/new", kind="access", asker=" ").status_code == 422
    assert desk.post("/desk/new", kind="access", asker="Ada", received="2999-01-01").status_code == 422
    path = desk.post("/desk/new", kind="access", asker="Ada, by letter", statement="What is held?").headers["location"]

    assert desk.post(path, event="refuse").status_code == 422
    assert desk.post(path, event="answer", answer="nothing").status_code == 409
    assert desk.post(path, event="verify").is_redirect
    assert desk.post(path, event="answer").status_code == 422
    assert desk.post(path, event="answer", answer="Nothing is held about you.").is_redirect

    file = web.service.desk.file(path.rpartition("/")[2], by=officer(web))
    assert file.request.state is RequestState.ANSWERED
    assert "Nothing is held about you." in desk.get(path).text


def test_more_time_is_taken_once_and_with_a_reason(web: Web, desk: Reading) -> None:
    path = f"/desk/requests/{opened(web, RequestKind.ACCESS)}/extension"
    assert desk.post(path, reason="").status_code == 422
    assert desk.post(path, reason="many galleries").is_redirect
    assert desk.post(path, reason="once more").status_code == 409


def test_nothing_is_looked_up_before_the_asker_is_proven(web: Web, desk: Reading) -> None:
    """Neither by name nor by photograph; the page doesn't offer it either."""
    request = opened(web, RequestKind.ACCESS, verified=False)
    assert "Look up what is held" not in desk.get(f"/desk/requests/{request}").text
    assert desk.post(f"/desk/requests/{request}/names", names="anybody").status_code == 409


def test_what_is_held_is_shown_exported_and_erased_with_proof(web: Web, desk: Reading, collins: Image.Image) -> None:
    """The whole way of a request for erasure; the face is gone and the proof can be downloaded."""
    name = f"erased-{new_id()[:8]}"
    face = web.world.enrol(name, collins.resize((320, 320)))
    path = f"/desk/requests/{opened(web, RequestKind.ERASURE)}"

    found = desk.post(f"{path}/names", names=f"{name}\nnobody")
    assert face in found.text
    held = desk.post(f"{path}/export", names=name)
    assert held.headers["content-disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(held.content)) as archive:
        assert json.loads(archive.read("held.json"))["faces"][0]["face_id"] == face

    assert desk.post(f"{path}/erasure", names=name).status_code == 422
    erased = desk.post(f"{path}/erasure", names=name, confirmed="yes")
    assert "nothing of it is left" in erased.text
    proof = erased.text.partition('href="/desk/erasures/')[2].partition('"')[0]
    handed_over = desk.get(f"/desk/erasures/{proof}")
    assert handed_over.json()["faces"] == 1
    assert hashlib.sha256(handed_over.content).hexdigest() in erased.text
    assert "Nothing is enrolled" in desk.post(f"{path}/names", names=name).text


def test_a_photograph_brings_up_faces_without_names(web: Web, desk: Reading, hopper: Image.Image) -> None:
    """The officer says which of them are the asker's; what is no photograph is sent back."""
    name = f"Grace-{new_id()[:8]}"
    face = web.world.enrol(name, hopper)
    path = f"/desk/requests/{opened(web, RequestKind.ACCESS)}/photograph"

    def sent(data: bytes) -> Any:
        return desk.post(path, files=[("photograph", ("me.jpg", data, "image/jpeg"))])

    found = sent(jpeg(hopper, 80))
    assert face in found.text
    assert name not in found.text
    assert sent(b"<svg onload=alert(1)>").status_code == 422
    assert desk.post(path).status_code == 422


def test_a_face_is_corrected(web: Web, desk: Reading, collins: Image.Image) -> None:
    """Whose face it was is put right on a request for correction, and on no other."""
    face = web.world.enrol(f"mistaken-{new_id()[:8]}", collins.resize((300, 300)))
    subject = f"right-{new_id()[:8]}"
    with web.service.records.transaction() as transaction:
        transaction.create_subject(GALLERY, SubjectId(subject), key=SubjectKey(new_id()), created=web.world.clock.now)
    form = {"gallery": GALLERY, "face": face, "subject": subject}

    other = opened(web, RequestKind.ACCESS)
    assert desk.post(f"/desk/requests/{other}/correction", **form).status_code == 409
    assert desk.post(f"/desk/requests/{opened(web, RequestKind.CORRECTION)}/correction", **form).is_redirect
    with web.service.records.reading() as reader:
        assert reader.faces_by_id(GALLERY, [face])[face].subject == subject


def test_only_officers_come_to_the_desk(web: Web) -> None:
    request = opened(web, RequestKind.ACCESS)
    for person in (SEARCHER, ADMINISTRATOR):
        for path in ("/desk", "/desk/new", f"/desk/requests/{request}"):
            assert reading(web, person).get(path).status_code == 403


def test_a_schedule_is_set_shown_and_run_with_a_receipt(web: Web) -> None:
    """An administrator sets it; the run leaves its receipt on the page."""
    administrator = reading(web, ADMINISTRATOR)
    path = f"/retention/{GALLERY}"
    assert administrator.post(path, years="9").status_code == 422
    days = {"days-kept_image": "3000", "days-result": "3000"}
    assert administrator.post(path, years="3", **days).is_redirect
    assert web.service.retention.schedule(GALLERY) == Schedule(
        GALLERY, {HoldingKind.KEPT_IMAGE: 3000, HoldingKind.RESULT: 3000}, 3
    )
    assert "Nothing." in administrator.get(path).text
    before = len(web.service.retention.receipts())
    assert administrator.post("/retention").is_redirect
    receipts = web.service.retention.receipts()
    assert len(receipts) > before
    assert receipts[0].run in administrator.get("/retention").text
    assert reading(web, SUPERVISOR).post("/retention").status_code == 403


def test_an_order_to_preserve_holds_a_face(web: Web, collins: Image.Image) -> None:
    """Of the order only its hash is kept; an erasure of what it holds is refused, in words."""
    name = f"held-{new_id()[:8]}"
    face = web.world.enrol(name, collins.resize((280, 280)))
    supervisor, path = reading(web, SUPERVISOR), f"/retention/{GALLERY}/hold"
    order = [("order", ("order.pdf", b"%PDF an order", "application/pdf"))]
    until = (web.world.clock.now + timedelta(days=5)).date().isoformat()

    assert supervisor.post(path, files=order, holding=face, until="2020-01-01").status_code == 422
    assert supervisor.post(path, holding=face, until=until).status_code == 422
    assert supervisor.post(path, files=order, holding=face, until=until).is_redirect
    request = opened(web, RequestKind.ERASURE)
    refused = reading(web, DESK_OFFICER).post(f"/desk/requests/{request}/erasure", names=name, confirmed="yes")
    assert refused.status_code == 422
    assert "an order to preserve holds" in refused.text
