"""Administrators at their pages: who takes part, keys and accounts shown once, galleries, imports, subjects, health."""

import re
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from recognizance.documents import Standing
from recognizance.enrolling.jobs import JOB_KIND, JobState
from recognizance.governance.parties import CourseId, PersonId
from recognizance.identifiers import GalleryId, PrincipalId, SubjectId
from recognizance.records import SubjectKey
from recognizance.storage import new_id
from recognizance.web.administrator_imports import _plain, _subject
from recognizance.web.forms import Upload

from ..conftest import jpeg
from ..review_world import AGENCY, GALLERY, SEARCHER, SUPERVISOR, USE
from .reading import Reading, reading
from .world import ADMINISTRATOR, AUDITOR, DESK_OFFICER, Web

LISTS = ["agencies", "people", "programs", "keys", "accounts", "health", "models", "policy", "deployment"]


@pytest.fixture
def administrator(web: Web) -> Reading:
    return reading(web, ADMINISTRATOR)


def test_an_agency_is_registered_suspended_and_resumes(web: Web, administrator: Reading) -> None:
    """What is missing is said at its field; a suspension needs a reason, which is public."""
    agency = f"ferry-{new_id()[:8]}"
    form = {"agency": agency, "kind": "business", "name": "The Ferry", "accountable_person": "A. Pilot, harbour master"}
    assert administrator.post("/administration/agencies", **form).status_code == 422
    spelt = administrator.post("/administration/agencies", **{**form, "agency": "The Ferry!"}, contact="the quay")
    assert spelt.status_code == 422
    assert "letters, digits" in spelt.text
    assert administrator.post("/administration/agencies", **form, contact="the quay").is_redirect
    assert "The Ferry" in administrator.get("/administration/agencies").text

    path = f"/administration/agencies/{agency}"
    assert administrator.post(path, standing="suspended").status_code == 422
    assert administrator.post(path, standing="suspended", reason="an audit").is_redirect
    known = {str(each.id): standing for each, standing in web.service.governing.registration.agencies()}
    assert known[agency] is Standing.SUSPENDED


def test_somebody_is_registered_and_trained(web: Web, administrator: Reading) -> None:
    """Roles that contradict each other are sent back; a training counts from its days."""
    form: dict[str, Any] = {"name": "Ada Byron", "agency": AGENCY}
    assert administrator.post("/administration/people", **form, roles=["operator", "administrator"]).status_code == 422
    assert administrator.post("/administration/people", **form).status_code == 422
    path = administrator.post("/administration/people", **form, roles=["examiner"]).headers["location"]
    assert "Ada Byron" in administrator.get(path).text
    assert path in administrator.get("/administration/people?name=aDa+by").text
    assert path not in administrator.get("/administration/people?name=nobody").text

    training = {"course": "face-examination", "completed": "2026-01-02", "certificate": "42"}
    assert administrator.post(f"{path}/training", **training, expires="2025-01-01").status_code == 422
    assert administrator.post(f"{path}/training", **training, expires="2027-01-01").is_redirect
    person = PersonId(PrincipalId(path.rpartition("/")[2]))
    known = {record.person.id: record.person for record, _ in web.service.governing.registration.people()}[person]
    assert known.trained_until(CourseId("face-examination")) is not None
    assert administrator.post(path, standing="removed").is_redirect
    assert administrator.get("/administration/people/nobody").status_code == 404


def test_a_keys_secret_is_shown_once_and_works_until_it_is_revoked(web: Web, administrator: Reading) -> None:
    """Drawn, shown on one uncached answer, switched off, revoked: each from the next request on."""
    program = administrator.post("/administration/programs", name="a robot", agency=AGENCY)
    assert program.is_redirect
    tomorrow = (web.world.clock.now + timedelta(days=1)).date().isoformat()
    assert administrator.post("/administration/keys", owner=SEARCHER, use="", expires="2020-01-01").status_code == 422
    drawn = administrator.post("/administration/keys", owner=SEARCHER, use=USE, expires=tomorrow)
    assert drawn.headers["cache-control"] == "no-store"
    key, secret = re.findall(r"<dd><code>([^<]+)</code></dd>", drawn.text)
    listed = administrator.get("/administration/keys").text
    assert key in listed
    assert secret.replace("+", "&#43;") not in listed
    assert secret not in listed

    signer = web.service.keys.signer
    known = signer(key)
    assert known is not None
    assert known.secret == secret.replace("&#43;", "+")
    assert administrator.post(f"/administration/keys/{key}", what="off").is_redirect
    assert signer(key) is None
    assert administrator.post(f"/administration/keys/{key}", what="on").is_redirect
    assert signer(key) is not None
    assert administrator.post(f"/administration/keys/{key}", what="revoke").status_code == 422
    assert signer(key) is not None
    assert administrator.post(f"/administration/keys/{key}", what="revoke", confirmed="yes").is_redirect
    assert signer(key) is None
    assert administrator.get(f"/administration/keys/{key}").status_code == 404


def test_an_invitation_is_shown_once_and_lets_its_person_in(web: Web, administrator: Reading) -> None:
    """The link leads to a page that sets a password; resetting gives another, disabling ends it."""
    path = administrator.post(
        "/administration/people", name="Mary Jackson", agency=AGENCY, roles=["desk_officer"]
    ).headers["location"]
    person, login = path.rpartition("/")[2], f"mary-{new_id()[:8]}"
    assert administrator.post("/administration/accounts", person=person, login="two words").status_code == 422
    invited = administrator.post("/administration/accounts", person=person, login=login)
    link = re.search(r"(/invitation/[\w=-]+)", invited.text)
    assert link is not None
    assert login in Reading(web.url, "").get(link[1]).text

    account = f"/administration/accounts/{person}"
    assert "second factor are forgotten" in administrator.get(account).text
    assert "/invitation/" in administrator.post(account, what="reset").text
    assert administrator.post(account, what="disable").is_redirect
    assert administrator.post(account, what="reset").status_code == 409
    assert administrator.post(account, what="enable").is_redirect


@pytest.mark.parametrize("name", LISTS)
def test_administration_is_for_administrators(web: Web, name: str) -> None:
    """Whoever searches, and whoever sits at the desk, is turned away from every page and form of it."""
    for person in (SEARCHER, DESK_OFFICER):
        assert reading(web, person).get(f"/administration/{name}").status_code == 403
    assert reading(web, SEARCHER).post(f"/administration/{name}").status_code in {403, 405}


def test_auditors_see_health_models_and_policy(web: Web) -> None:
    """What is well is said, and what isn't comes with what to do; the policy's text is whole."""
    auditor = reading(web, AUDITOR)
    health = auditor.get("/administration/health").text
    assert "The ledger agrees with the records" in health
    assert "sface" in auditor.get("/administration/models").text
    assert "needs-a-use" in auditor.get("/administration/policy").text


def test_who_operates_the_service_is_published(web: Web, administrator: Reading) -> None:
    form: dict[str, Any] = {"operator": "The Harbour", "accountable_person": "the clerk", "contact": "the quay"}
    path = "/administration/deployment"
    assert administrator.post(path, **form, legal_basis="an act").status_code == 422
    assert administrator.post(path, **form, legal_basis="an act", purposes=["investigate_offence"]).is_redirect
    filled = administrator.get(path).text
    assert "The Harbour" in filled
    # As published, and without what every statement says by itself: sending it again changes nothing.
    assert re.search(r'value="investigate_offence"[^>]* checked', filled)
    assert "lawful_protest" not in filled


def test_a_gallery_is_created_with_its_declaration(web: Web, administrator: Reading) -> None:
    """Nothing is guessed: all three have to be said, and images collected from the internet are refused."""
    name = f"new-{new_id()[:8]}"
    form = {"name": name, "agency": AGENCY, "source": "arrest_record"}
    assert administrator.post("/galleries/new", **form).status_code == 422
    assert administrator.post("/galleries/new", **{**form, "name": "a b"}, basis="statute").status_code == 422
    scraped = administrator.post("/galleries/new", **{**form, "source": "scraped"}, basis="statute")
    assert scraped.status_code == 403
    assert administrator.post("/galleries/new", **form, basis="statute").is_redirect
    assert administrator.post("/galleries/new", **form, basis="statute").status_code == 422
    assert "arrest records" in administrator.get(f"/galleries/{name}").text
    assert administrator.post(f"/galleries/{name}/declaration", **form, basis="court_order").is_redirect
    assert administrator.get("/galleries/nothing").status_code == 404


def finished(who: Reading, path: str) -> str:
    """The page of an import when it's over."""
    deadline = time.monotonic() + 60
    while not who.get(f"{path}/progress").json()["is_over"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return who.get(path).text


def test_photographs_are_imported_and_rejects_downloaded(web: Web, collins: Image.Image) -> None:
    """Two of one person, one without a face; nobody else sees the import, and nothing is left on the disk."""
    operator = reading(web, SEARCHER)
    ada = f"ada-{new_id()[:8]}"
    files = [
        ("photographs", (f"{ada}#1.jpg", jpeg(collins), "image/jpeg")),
        ("photographs", (f"{ada}#2.jpg", jpeg(collins.resize((400, 400))), "image/jpeg")),
        ("photographs", ("wall.png", _blank(), "image/png")),
    ]
    path = f"/galleries/{GALLERY}/import"
    assert operator.post(path, use=USE, quality="NONE").status_code == 422
    assert reading(web, SUPERVISOR).post(path, files=files, use=USE, quality="NONE").status_code == 403
    begun = operator.post(path, files=files, use=USE, quality="NONE")
    job = begun.headers["location"]
    text = finished(operator, job)
    assert "It is over." in text
    assert "wall.png" in operator.get(f"{job}/rejects.csv").text
    with web.service.records.reading() as reader:
        assert reader.subject(GALLERY, SubjectId(ada)).face_count == 2
    assert job in operator.get(f"/galleries/{GALLERY}/import").text
    assert job not in reading(web, SUPERVISOR).get(f"/galleries/{GALLERY}/import").text
    for path in (job, f"{job}/progress", f"{job}/rejects.csv"):
        assert reading(web, SUPERVISOR).get(path).status_code == 404
    assert operator.post(job, files=files).status_code == 409
    assert not list(web.service.data.rglob("*.jpg"))


def test_an_interrupted_import_is_gone_on_with_on_its_page(web: Web, hopper: Image.Image) -> None:
    """As after the server's end: what is settled is said, and the same photographs finish it."""
    operator = reading(web, SEARCHER)
    grace = f"grace-{new_id()[:8]}"
    files = [
        ("photographs", (f"{grace}.jpg", jpeg(hopper), "image/jpeg")),
        ("photographs", ("door.png", _blank(), "image/png")),
    ]
    job = operator.post(f"/galleries/{GALLERY}/import", files=files, use=USE, quality="NONE").headers["location"]
    finished(operator, job)
    with web.service.records.transaction() as transaction:
        known = transaction.document(JOB_KIND, job.rpartition("/")[2])
        transaction.replace_document(replace(known, state=JobState.RUNNING))

    page = operator.get(job).text
    assert "The server ended in the middle of it." in page
    assert "door.png" in page
    assert "interrupted" in operator.get(f"/galleries/{GALLERY}/import").text
    assert operator.post(job).status_code == 422
    assert reading(web, SUPERVISOR).post(job, files=files).status_code == 404
    assert operator.post(job, files=files).headers["location"] == job
    assert "It is over." in finished(operator, job)
    with web.service.records.reading() as reader:
        assert reader.subject(GALLERY, SubjectId(grace)).face_count == 1


def _blank() -> bytes:
    import io

    file = io.BytesIO()
    Image.new("RGB", (200, 200), (200, 200, 200)).save(file, format="PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "subject"), [("ada.jpg", "ada"), ("C:\\me\\ada#2.jpeg", "ada"), ("../x/José Núñez.png", "José Núñez")]
)
def test_a_photograph_is_of_whom_its_file_is_named_after(name: str, subject: str) -> None:
    assert _subject(Upload(name, b"")) == subject


@pytest.mark.parametrize("text", ["=1+1", "@x", "-1", "+1"])
def test_no_cell_of_a_download_is_a_formula(text: str) -> None:
    assert _plain(text) == f"'{text}"


def enrolled(web: Web, pictures: list[Image.Image]) -> SubjectId:
    subject = SubjectId(f"subject-{new_id()[:8]}")
    faces = [web.world.enrol(f"{subject}-{number}", picture) for number, picture in enumerate(pictures)]
    with web.service.records.transaction() as transaction:
        transaction.create_subject(GALLERY, subject, key=SubjectKey(new_id()), created=web.world.clock.now)
        transaction.associate(GALLERY, subject, faces)
    return subject


def faces_of(web: Web, subject: SubjectId) -> list[str]:
    with web.service.records.reading() as reader:
        return [row.face_id for row in reader.faces(GALLERY, subject=subject, limit=100)]


def test_one_subject_is_made_of_two_and_two_of_one(web: Web, collins: Image.Image, hopper: Image.Image) -> None:
    """Reviewers decide here who resembles whom, so nothing is compared; splitting takes a stranger out again."""
    operator = reading(web, SEARCHER)
    one = enrolled(web, [collins.resize((301, 301)), hopper])
    other = enrolled(web, [collins.resize((302, 302))])
    pages = f"/galleries/{GALLERY}/subjects"
    assert one in operator.get(f"{pages}/{one}").text

    assert operator.get(f"{pages}?name={one}").headers["location"].endswith(f"/{one}")
    assert "Nobody is called" in operator.get(f"{pages}?name=0").text
    both = operator.get(f"{pages}/{one}/merge?into={other}").text
    assert f"Face 2 of {one}" in both
    assert f"Face 1 of {other}" in both
    assert operator.get(f"{pages}/{one}/merge?into=nobody").status_code == 422
    assert operator.post(f"{pages}/{one}/merge", into=one, use=USE).status_code == 422
    assert operator.post(f"{pages}/{one}/merge", into="nobody", use=USE).status_code == 404
    assert operator.post(f"{pages}/{one}/merge", into=other, use=USE).headers["location"].endswith(other)
    assert (len(faces_of(web, other)), faces_of(web, one)) == (3, [])
    stranger = faces_of(web, other)[0]

    mixed = enrolled(web, [collins.resize((303, 303)), hopper.resize((300, 375))])
    first, second = faces_of(web, mixed)
    fresh = f"fresh-{new_id()[:8]}"
    assert operator.post(f"{pages}/{mixed}/split", name=fresh, use=USE).status_code == 422
    assert operator.post(f"{pages}/{mixed}/split", name=fresh, faces=[first, second], use=USE).status_code == 422
    assert operator.post(f"{pages}/{mixed}/split", name=fresh, faces=[first], use=USE).is_redirect
    assert faces_of(web, SubjectId(fresh)) == [first]
    assert operator.get(f"/galleries/{GALLERY}/faces/{stranger}/picture").headers["content-type"] == "image/png"
    assert operator.get(f"/galleries/{GALLERY}/faces/nothing/picture").status_code == 404


def test_a_mark_is_set_for_a_case_and_taken_back(web: Web, collins: Image.Image) -> None:
    """Its case is nowhere to be read; both steps need reasons."""
    operator = reading(web, SEARCHER)
    face = web.world.enrol(f"marked-{new_id()[:8]}", collins.resize((260, 260)))
    path = f"/galleries/{GALLERY}/marks"
    assert operator.post(path, face=face, case="26-09999").status_code == 422
    assert operator.post(path, face=face, case="26-09999", reasons="another nose").is_redirect
    page = operator.get(path).text
    assert "another nose" in page
    assert "26-09999" not in page
    mark = re.search(rf"{path}/([\w-]+)", page)
    assert mark is not None
    assert operator.post(f"{path}/{mark[1]}", reasons="").status_code == 422
    assert operator.post(f"{path}/{mark[1]}", reasons="the wrong case").is_redirect


def test_another_agencys_galleries_stay_closed(web: Web) -> None:
    """Whom a gallery holds is for its own agency: subjects, faces and marks are refused to others."""
    from recognizance.declarations import declare
    from recognizance.documents import GalleryDeclaration, Kind, inserted
    from recognizance.governance.parties import Agency, AgencyId, AgencyKind
    from recognizance.governance.purposes import LawfulBasis, Source

    name, theirs = GalleryId(f"theirs-{new_id()[:8]}"), AgencyId(f"others-{new_id()[:8]}")
    with web.service.recorder.changing() as change:
        agency = Agency(theirs, AgencyKind.LAW_ENFORCEMENT, "Others", "their chief", "elsewhere")
        inserted(change.transaction, Kind.AGENCY, theirs, agency)
        change.transaction.create_gallery(name, model=web.service.reader.model, created=web.world.clock.now, tags={})
        declare(change, GalleryDeclaration(name, theirs, Source.ARREST_RECORD, LawfulBasis.STATUTE), by=ADMINISTRATOR)
    operator = reading(web, SEARCHER)
    for path in ("subjects", "subjects/anybody", "faces/any/picture", "marks"):
        assert operator.get(f"/galleries/{name}/{path}").status_code == 403
