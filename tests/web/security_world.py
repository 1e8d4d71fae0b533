"""Two agencies in one police installation, for tests of what the pages refuse.

The county is the one that is looked at: whatever its people could type, they typed an attack, by way of our own API.
The harbour police are the strangers: they have somebody in every role, and nothing of the county's is theirs to see.
Requests go through the whole application in this process, as whoever is asked for.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from PIL import ImageOps
from starlette.applications import Starlette

from recognizance.app import open_imports, page_services
from recognizance.cli.portraits import collins_portrait, hopper_portrait
from recognizance.faces import Calibration, FaceReader, QualityFilter, open_photograph
from recognizance.governance import Asking, Credential, Grounds, Policy, Principal, SearchFacts
from recognizance.governance.parties import PersonId, UseId
from recognizance.governance.purposes import Capture, OffenceCode
from recognizance.governing.access import ADMINISTRATOR as MACHINE_ADMINISTRATOR
from recognizance.governing.access import IssuedKey, principal_of
from recognizance.identifiers import AccessKeyId, DecisionId, FaceId, GalleryId, PrincipalId, SubjectId
from recognizance.ledger import FolderSource
from recognizance.permits import Action
from recognizance.records import SubjectKey
from recognizance.register import LiveRegister
from recognizance.storage import new_id
from recognizance.web.frame import Page
from recognizance.web.site import site_pages

from ..api.world import ADMINISTRATOR, AUDITOR, OFFICER, OVERSEERS, ApiWorld, api_world
from ..conftest import jpeg
from ..review_world import COURSE, FIRST, SUPERVISOR, person_id
from .client import Client
from .world import Web, now

HOST = "http://127.0.0.1"
COUNTY, COUNTY_GALLERY, COUNTY_USE = "county-sheriff", GalleryId("county-arrests"), UseId("county-use")
SHA = "ab" * 32

STRANGERS: Mapping[str, PersonId] = {
    "operator": person_id("operator and nothing else"),
    "examiner": FIRST,
    "supervisor": SUPERVISOR,
    "overseer": OVERSEERS[0],
    "desk_officer": OFFICER,
    "administrator": ADMINISTRATOR,
    "auditor": AUDITOR,
}
"""Somebody in each role who is nobody in the county. The last four belong to no agency but the desk officer."""

MARK = "x-attack"
"""The element that an attack would make."""


OWN = "county-only-"
"""What a private text begins with, so that no page says it by chance."""

PRIVATE = (
    "name-of-somebody", "photograph-name", "subject-name", "certificate", "justification", "asker", "recipient",
    "statement-of-asker", "answer-to-asker", "remarks", "evidence", "reason-of-mark", "edited-case", "case-of-county",
    "tag",
)  # fmt: skip
"""What only some people of the county may read; everything else that was typed is public."""


def attack(label: str) -> str:
    """A text that becomes an element, an attribute, a script or a template's value wherever it isn't escaped."""
    named = f"{OWN}{label}" if label.split(maxsplit=1)[0] in PRIVATE else label
    return f"{named}\"'><{MARK} onclick=alert(1)></textarea></title></script><{MARK}>{{{{1234*4321}}}}\\u003c{MARK}"


STATED = {"case": attack("case-of-county"), "justification": attack("justification"), "offence": "robbery"}
"""What the county's operator says of a search."""


class Attacks(HTMLParser):
    """Reads a page as a browser does, and lists what an attack made of it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.startswith(MARK):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            address = "".join((value or "").split()).lower()
            if name.startswith("on"):
                self.found.append(f"{tag} {name}")
            if name in {"href", "src", "action", "formaction"} and address.startswith(("javascript:", "data:", "vbs")):
                self.found.append(f"{tag} {name}={value}")


def form_token(answer: httpx.Response) -> str:
    """The token of the first form of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
    assert found is not None, answer.status_code
    return unescape(found[1])


def attacks_in(answer: httpx.Response) -> list[str]:
    """What an attack made of a page; nothing is what there has to be."""
    if not answer.headers.get("content-type", "").startswith(("text/html", "image/svg", "application/xhtml")):
        return []
    parser = Attacks()
    parser.feed(answer.text)
    return parser.found + (["a template computed"] if "5332114" in answer.text else [])


def listed(found: Iterable[object]) -> str:
    """What a test found, a line each, for whoever reads its failure."""
    return "\n".join(str(each) for each in found)


@dataclass
class Guarded:
    """The installation.

    Attributes:
        county: The county's people by role.
        objects: For each variable of a path, something of the county's that it could name.
        typed: Which fields of which routes of the API an attack was typed into.
    """

    api: ApiWorld
    web: Web
    county: dict[str, PersonId] = field(default_factory=dict)
    keys: dict[str, IssuedKey] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    typed: set[tuple[str, str]] = field(default_factory=set)
    _sessions: dict[PersonId, str] = field(default_factory=dict)
    _pages: list[Page] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return self.api.client.app

    def pages(self) -> list[Page]:
        """The table of all pages."""
        if not self._pages:
            service = self.api.world.service
            recorder = service.recorder
            register = LiveRegister(FolderSource(recorder.public), (recorder.verifier,))
            self._pages = site_pages(page_services(service, register, open_imports(service)))
        return self._pages

    def address(self, page: Page, *, absent: str = "") -> str:
        """Where a page is, with something of the county's in each variable of its path.

        Args:
            absent: What the last variable names instead, that isn't there.
        """
        names = re.findall(r"\{(\w+)(?::\w+)?\}", page.path)
        if "draft" in names:
            self._keep_looked_at()
        values = {name: self.objects.get(f"{page.path} {name}", self.objects.get(name, "x")) for name in names}
        if absent:
            values[names[-1]] = absent
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: quote(values[found[1]], safe=""), page.path)

    def person(self, role: str) -> PersonId:
        """Somebody in a role: of the county, or of the installation where the county has none."""
        own = {"examiner": "first"}.get(role, role)
        return self.county.get(own) or STRANGERS[role]

    def owner(self, page: Page, role: str = "") -> PersonId:
        """Somebody for whom a page is: of the county, where it has somebody in that role."""
        of_review = "/reviews/" in page.path or page.path == "/reviews"
        roles = [role] if role else sorted(each.value for each in page.who.roles or ())
        return self.county["first"] if of_review else self.person(next((each for each in roles), "operator"))

    def session(self, person: PersonId) -> str:
        """A complete session of somebody; the same each time, while it lasts."""
        known = self._sessions.get(person)
        if known is None or self.web.service.entrance.sign_in.whose(known) is None:
            self._sessions[person] = known = self.web.session(person)
        return known

    def browser(self, person: PersonId | None = None, *, base: str = HOST) -> Client:
        """A browser in which somebody is signed in, or nobody."""
        client = Client(self.app, base=base, address="127.0.0.1")
        if person is not None:
            client.cookies.set("session", self.session(person))
        return client

    def send(self, person: PersonId | None, path: str, /, *, files: Any = None, **fields: str) -> httpx.Response:
        """Send a form of the pages, as somebody or as nobody in particular."""
        browser = self.browser(person)
        token = form_token(browser.get("/sign-in" if person is None else "/account"))
        return browser.post(path, data={"csrf": token, **fields}, files=files)

    def draft(self, person: PersonId, stated: Mapping[str, str], *, picture: bytes | None = None) -> str:
        """Begin a search with a photograph; answers what the pages call it while its faces are chosen."""
        photo = {"photo": ("a.jpg", picture or jpeg(collins_portrait(), 80), "image/jpeg")}
        begun = self.send(person, f"/search/begin?use={COUNTY_USE}", files=photo, **stated)
        assert begun.status_code == 303, re.findall(r"error-[^<]*", begun.text)
        return begun.headers["location"].rpartition("/")[2]

    def _keep_looked_at(self) -> None:
        """Begin the county's search again if its photograph made room for those of other tests: three lie at once."""
        operator = self.county["operator"]
        if self.browser(operator).get(f"/search/probe/{self.objects['draft']}").status_code == 404:
            self.objects["draft"] = self.draft(operator, STATED)

    def do(self, name: str, who: str | None, /, *, path: Mapping[str, str] | None = None, **body: Any) -> Any:
        """Ask the API as somebody of the county or of the installation, and remember which texts were attacks."""
        key = None if who is None else self.keys.get(who) or self.api.keys[who]
        self.typed |= {(name, place) for place in _attacked("", body)}
        return self.api.client.done(name, key, path=path, body=body or None)


def _attacked(place: str, value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _attacked(f"{place}.{name}" if place else str(name), each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _attacked(place, each)
    elif isinstance(value, str) and MARK in value:
        yield place


@contextmanager
def guarded_world(data: Path, faces: tuple[FaceReader, Calibration]) -> Iterator[Guarded]:
    """The installation in `data`, with everything that can be typed an attack."""
    with api_world(data, faces, now=now()) as api:
        guarded = Guarded(api, Web(HOST, api.world))
        _take_up_the_county(guarded)
        _publish(guarded)
        _begin_uses(guarded)
        _change_the_rule(guarded)
        review = _enrol_and_search(guarded)
        _review(guarded, review)
        _ask_the_desk(guarded)
        _ask_without_an_account(guarded)
        _use_the_pages(guarded)
        yield guarded


def _take_up_the_county(guarded: Guarded) -> None:
    guarded.do(
        "add_agency",
        "administrator",
        agency=COUNTY,
        kind="law_enforcement",
        name=attack("name-of-agency"),
        accountable_person=attack("accountable-person"),
        contact="javascript:alert(1)//" + attack("contact"),
    )
    for name, role in (
        ("operator", "operator"),
        ("first", "examiner"),
        ("second", "examiner"),
        ("third", "examiner"),
        ("supervisor", "supervisor"),
        ("desk_officer", "desk_officer"),
    ):
        added = guarded.do("add_person", "administrator", name=attack("name-of-somebody"), roles=[role], agency=COUNTY)
        person = PersonId(PrincipalId(added["id"]))
        guarded.county[name] = person
        course = {"course": COURSE, "completed": "2020-01-01", "expires": "2099-12-31"}
        where = {"person": person}
        guarded.do("add_training", "administrator", path=where, certificate=attack("certificate"), **course)
        key = guarded.do("issue_key", "administrator", owner=person)
        guarded.keys[f"county {name}"] = IssuedKey(AccessKeyId(key["access_key_id"]), key["secret_access_key"])
    guarded.do("add_program", "administrator", name=attack("program"), agency=COUNTY)
    guarded.do(
        "declare_gallery",
        "administrator",
        path={"gallery": COUNTY_GALLERY},
        agency=COUNTY,
        source="arrest_record",
        basis="statute",
    )
    guarded.objects |= {
        "agency": COUNTY,
        "gallery": COUNTY_GALLERY,
        "use": COUNTY_USE,
        "person": guarded.county["operator"],
        "token": "not-a-token",
        "key": str(guarded.keys["county operator"].id),
    }


def _publish(guarded: Guarded) -> None:
    guarded.do(
        "publish_deployment",
        "administrator",
        operator=attack("operator-of-service"),
        accountable_person=attack("accountable-for-service"),
        contact="javascript:alert(1)//" + attack("contact-of-service"),
        legal_basis=attack("legal-basis"),
        purposes=["investigate_offence"],
        prohibited_uses=[attack("prohibited-use")],
    )
    guarded.do("publish_body", "overseer1", name=attack("name-of-body"))
    guarded.do("publish_member", "overseer1", name=attack("name-of-overseer"), office=attack("office"))
    elements = ("processes", "period_and_frequency", "people_affected", "risks", "oversight", "measures")
    typed: dict[str, Any] = {element: attack(element) for element in elements}
    guarded.do(
        "publish_rights_impact",
        "county supervisor",
        report="impact",
        agency=COUNTY,
        expires="2099-01-01T00:00:00Z",
        **typed,
    )
    guarded.do(
        "publish_sharing",
        "county supervisor",
        agency=COUNTY,
        recipient=attack("shared-with"),
        data=attack("shared-data"),
        standard=attack("standard"),
    )
    incident = guarded.do(
        "report_incident",
        "county first",
        occurrence="violation",
        discovered=guarded.api.world.clock.now.isoformat(),
        statement=attack("incident"),
        agency=COUNTY,
    )["incident"]
    guarded.do("receive_incident", "overseer1", path={"incident": incident}, statement=attack("notice"))
    guarded.objects["incident"] = incident


def _terms(guarded: Guarded, gallery: str) -> dict[str, Any]:
    terms = guarded.api.terms()
    report = {
        name: attack(f"report-{name}") if isinstance(value, str) and name not in {"published", "expires"} else value
        for name, value in terms["report"].items()
    }
    return terms | {"agency": COUNTY, "gallery": gallery, "report": report}


def _begin_uses(guarded: Guarded) -> None:
    clock = guarded.api.world.clock
    for use in (COUNTY_USE, "county-proposal", "county-stopped", "county-urgent", "county-spare"):
        terms = _terms(guarded, COUNTY_GALLERY if use == COUNTY_USE else f"gallery-of-{use}")
        guarded.do("propose_use", "county supervisor", use=use, terms=terms)
        guarded.do("comment_on_use", "county supervisor", path={"use": use}, statement=attack("comment"))
    guarded.do("declare_emergency", "county supervisor", path={"use": "county-urgent"}, grounds=attack("grounds"))
    clock.now += timedelta(days=31)
    try:
        for use in (COUNTY_USE, "county-stopped"):
            for number in (1, 2, 3):
                guarded.do(
                    "vote_on_use",
                    f"overseer{number}",
                    path={"use": use},
                    choice="approve",
                    reasons=attack("reasons"),
                    conditions=[attack("condition")],
                )
        guarded.do("suspend_use", "overseer1", path={"use": "county-stopped"}, reasons=attack("suspension"))
    finally:
        clock.now -= timedelta(days=31)


def _change_the_rule(guarded: Guarded) -> None:
    change = guarded.do("propose_change", "administrator", summary=attack("summary-of-change"), max_fpir=0.5)
    where = {"change": change["change"]}
    guarded.do("vote_on_change", "overseer2", path=where, choice="reject", reasons=attack("reasons-for-rule"))
    guarded.objects |= {"change": change["change"], "rule": change["rule_sha256"]}


def _grounds() -> Grounds:
    return Grounds(case=attack("case-of-county"), justification=attack("justification"), offence=OffenceCode("robbery"))


def _enrol_and_search(guarded: Guarded) -> str:
    """Enrol some people and search for one of them; answers the review."""
    service, machine = guarded.api.world.service, principal_of(MACHINE_ADMINISTRATOR)
    decision = DecisionId(new_id())
    making = Policy().decide(machine, Action.MANAGE_GALLERY, gallery=COUNTY_GALLERY, decision_id=decision)
    service.galleries.create(COUNTY_GALLERY, tags={"note": attack("tag")}, permit=making)
    enrolling = Policy().decide(machine, Action.ENROL, gallery=COUNTY_GALLERY, decision_id=decision)
    for number, picture in enumerate((ImageOps.mirror(hopper_portrait()), collins_portrait(), hopper_portrait())):
        [face] = service.enrolment.enrol(
            COUNTY_GALLERY,
            open_photograph(jpeg(picture), enrolling),
            external_image_id=attack(f"photograph-name {number}"),
            max_faces=1,
            quality_filter=QualityFilter.NONE,
            permit=enrolling,
        ).faces
        guarded.objects.setdefault("spare", face.row.face_id)
        guarded.objects["face"] = face.row.face_id
    subject = SubjectId(f"{OWN}subject-name")
    with service.records.transaction() as transaction:
        now = guarded.api.world.clock.now
        transaction.create_subject(COUNTY_GALLERY, subject, key=SubjectKey(new_id()), created=now)
        transaction.associate(COUNTY_GALLERY, subject, [FaceId(guarded.objects["face"])])
    guarded.objects["subject"] = subject
    edit = guarded.do(
        "edit_probe",
        "county operator",
        picture=base64.b64encode(jpeg(collins_portrait())).decode(),
        kind="brightness",
        parameters="+20",
        use=COUNTY_USE,
        case=attack("edited-case"),
        justification=attack("justification"),
        offence="robbery",
    )
    guarded.objects |= {"edit": edit["edit"], "version": "before"}
    return _searched(guarded)


def _searched(guarded: Guarded) -> str:
    service = guarded.api.world.service
    asked = SearchFacts(None, Capture.STILL, threshold_pct=99.0, candidates=10)
    permit = service.policy.decide(
        Principal(guarded.county["operator"], frozenset()),
        Action.SEARCH,
        gallery=COUNTY_GALLERY,
        decision_id=DecisionId(new_id()),
        asking=Asking(Credential.PERSON_KEY, use=COUNTY_USE, search=asked, grounds=_grounds()),
    )
    found = service.search.faces_by_photograph(
        COUNTY_GALLERY,
        open_photograph(jpeg(collins_portrait(), 80), permit),
        threshold_pct=99.0,
        limit=10,
        quality_filter=QualityFilter.NONE,
        permit=permit,
    ).found
    assert found is not None
    assert found.review is not None
    return str(found.review.review)


def _review(guarded: Guarded, review: str) -> None:
    for reviewer in ("county first", "county second"):
        guarded.do("claim_review", reviewer, path={"review": review})
        shown = guarded.do("show_review", reviewer, path={"review": review})
        findings = [
            {"face": each["face"], "outcome": "same_person", "observations": ["nose"], "remarks": attack("remarks")}
            for each in shown["candidates"]
        ]
        guarded.do("answer_review", reviewer, path={"review": review}, findings=findings)
    [lead] = guarded.do("list_leads", "county supervisor")["leads"]
    evidence = {"kind": "document", "description": attack("evidence"), "document_sha256": SHA}
    guarded.do("attest_evidence", "county supervisor", path={"lead": lead["lead"]}, **evidence)
    became = {"kind": "acted_on", "statement": attack("outcome")}
    guarded.do("conclude_lead", "county supervisor", path={"lead": lead["lead"]}, **became)
    guarded.do(
        "disclose", "county supervisor", case=lead["case"], recipient_kind="defence", recipient=attack("recipient")
    )
    where = {"gallery": COUNTY_GALLERY}
    mark = guarded.do(
        "add_mark",
        "county supervisor",
        path=where,
        face=guarded.objects["face"],
        reasons=attack("reason-of-mark"),
        case=attack("case-of-county"),
    )
    waiting = _searched(guarded)
    guarded.do("claim_review", "county first", path={"review": waiting})
    shown = guarded.do("show_review", "county first", path={"review": waiting})
    guarded.objects |= {
        "review": waiting,
        "settled": review,
        "lead": lead["lead"],
        "case": lead["case"],
        "mark": mark["mark"],
        "candidate": shown["candidates"][0]["face"],
    }


def _ask_the_desk(guarded: Guarded) -> None:
    for kind in ("access", "correction"):
        request = guarded.do(
            "open_request",
            "county desk_officer",
            kind=kind,
            asker=attack("asker"),
            statement=attack("statement-of-asker"),
        )["request"]
        where = {"request": request}
        guarded.do("step_request", "county desk_officer", path=where, event="verify")
        guarded.do("extend_request", "county desk_officer", path=where, reason=attack("extension"))
        if kind == "access":
            answer = attack("answer-to-asker")
            guarded.do("step_request", "county desk_officer", path=where, event="answer", answer=answer)
        guarded.objects["request"] = request


def _ask_without_an_account(guarded: Guarded) -> None:
    asker, statement = attack("asker"), attack("statement-of-asker")
    guarded.do("ask", None, kind="access", agency=COUNTY, asker=asker, statement=statement)
    [comment] = guarded.do("list_comments", None, path={"use": "county-stopped"})["comments"]
    where = {"use": "county-stopped", "comment": comment["comment"]}
    for act in ("hide_comment", "show_comment"):
        guarded.do(act, "overseer1", path=where, reason=attack("reason-for-hiding"))


def _use_the_pages(guarded: Guarded) -> None:
    """Leave behind what only pages make: a photograph that is looked at, a search, a sheet, a request, an import."""
    operator, supervisor = guarded.county["operator"], guarded.county["supervisor"]
    searched = guarded.draft(operator, STATED)
    found = guarded.send(operator, f"/search/probe/{searched}/search", face="0")
    guarded.objects |= {
        "index": found.headers["location"].rpartition("/")[2],
        "number": "1",
        "draft": guarded.draft(operator, STATED),
    }
    sheet = guarded.send(supervisor, f"/leads/{guarded.objects['lead']}/export")
    guarded.objects |= {"sheet": sheet.headers["location"].rpartition("/")[2], "which": "probe"}
    asked = {"kind": "access", "name": attack("asker"), "contact": attack("asker"), "names": attack("asker")}
    guarded.send(None, "/ask/request", agency=COUNTY, statement=attack("statement-of-asker"), **asked)
    use = guarded.api.client.done("show_use", path={"use": "county-proposal"})
    entry = use["comments"][0]["entry"]
    overseer = STRANGERS["overseer"]
    guarded.send(overseer, f"/uses/county-proposal/comments/{entry}", reason=attack("reason-for-hiding"))
    erased = guarded.do(
        "erase", "county supervisor", path={"gallery": COUNTY_GALLERY}, faces=[guarded.objects["spare"]]
    )
    files = [("photographs", (name, b"<svg/>", "image/jpeg")) for name in (f"a#<{MARK} onclick=alert(1)>.jpg", "b.jpg")]
    where = f"/galleries/{COUNTY_GALLERY}/import"
    begun = guarded.send(operator, where, files=files, quality="NONE", use=COUNTY_USE)
    assert begun.status_code == 303, re.findall(r"error-[^<]*", begun.text)
    guarded.objects |= {
        "job": begun.headers["location"].rpartition("/")[2],
        "evaluation": "none",
        "file": "report.html",
        "passkey": "none",
        "pair": "none",
        "entry": entry,
        "/uses/{use:path}/comments/{entry} use": "county-proposal",
        # Whatever a test sends there, the use that others search under goes on.
        "/oversight/uses/{use:path}/suspend use": "county-urgent",
        "/proposals/{use:path}/withdraw use": "county-spare",
        "/proposals/{use:path}/emergency use": "county-spare",
        "/reviews/{review}/candidates/{face} face": guarded.objects["candidate"],
        "/record/by-id/{id} id": entry,
        "section": "deployment",
        "erasure": erased["proof"]["erasure"],
    }
