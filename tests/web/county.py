"""The life of the county in the world of `security_world.py`: whatever its people could type, they typed an attack.

They do so by way of our own API, and by the pages where there is no other way.
"""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from PIL import ImageOps

from recognizance.cli.portraits import collins_portrait, hopper_portrait
from recognizance.faces import Calibration, FaceReader, QualityFilter, open_photograph
from recognizance.governance import Asking, Credential, Grounds, Policy, Principal, SearchFacts
from recognizance.governance.parties import PersonId
from recognizance.governance.purposes import Capture, OffenceCode
from recognizance.governing.access import ADMINISTRATOR as MACHINE_ADMINISTRATOR
from recognizance.governing.access import IssuedKey, principal_of
from recognizance.identifiers import AccessKeyId, DecisionId, FaceId, PrincipalId, SubjectId
from recognizance.permits import Action
from recognizance.records import SubjectKey
from recognizance.storage import new_id

from ..api.world import api_world
from ..conftest import jpeg
from ..review_world import COURSE
from .attacks import MARK, OWN, attack
from .security_world import COUNTY, COUNTY_GALLERY, COUNTY_USE, HOST, SHA, STATED, STRANGERS, Guarded
from .world import Web, now


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
