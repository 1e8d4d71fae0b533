"""A walk over every route: each answers, and each answer is what the OpenAPI document says (`client.hold`)."""

import base64
import hashlib
import io
import json
import zipfile
from datetime import timedelta

from openapi_spec_validator import validate
from PIL import ImageOps

from recognizance.app import Service
from recognizance.cli.portraits import collins_portrait, hopper_portrait
from recognizance.evaluation.results import write_evaluation
from recognizance.identifiers import SubjectId
from recognizance.records import SubjectKey
from recognizance.storage import new_id

from ..conftest import jpeg
from ..evaluation.test_publication import result
from ..review_world import AGENCY, CASE, COURSE, GALLERY, USE
from .client import ROUTES, Client, document
from .subjects import walk_imports, walk_subjects, walk_where_nobody_reviews
from .world import ApiWorld

SHA = hashlib.sha256(b"a document").hexdigest()


def test_the_document_is_valid_openapi() -> None:
    """OpenAPI's own schema accepts it, and every operation says who may."""
    validate(document())

    operations = [each for methods in document()["paths"].values() for each in methods.values()]
    assert len(operations) == len(ROUTES)
    assert all(each["description"] and each["summary"].endswith(".") for each in operations)


def test_every_route_answers_as_the_document_says(api: ApiWorld, service: Service) -> None:
    """Whatever the table holds can be asked with success by somebody, and nothing is left out."""
    _published(api)
    _parties(api)
    _uses(api)
    _comments(api)
    _thresholds(api)
    _galleries(api)
    walk_subjects(api)
    walk_imports(api)
    walk_where_nobody_reviews(api, service)
    _retention(api)
    _probes(api)
    _reviews(api)
    _desk(api)
    _asking(api)
    _publications(api)
    _incidents(api)
    _evaluations(api)

    assert api.client.called == set(ROUTES)


def _evaluations(api: ApiWorld) -> None:
    """An auditor publishes; a tester finds something, and is answered."""
    client, auditor = api.client, api.keys["auditor"]
    document = result(evaluation="walk-2026", completed=api.world.clock.now - timedelta(days=1))
    published = client.done("publish_evaluation", auditor, body={"result": write_evaluation(document).decode()})
    listed = client.done("list_evaluations", query={"page_size": "200"})["evaluations"]
    found = client.done("submit_finding", api.keys["tester"], body={"statement": "FPIR differs"})["finding"]
    client.done(
        "mitigate_finding", api.keys["supervisor"], path={"finding": found}, body={"statement": "measured again"}
    )
    findings = {each["finding"]: each for each in client.done("list_findings", query={"page_size": "200"})["findings"]}

    assert published in listed
    assert findings[found]["mitigation"] == "measured again"


def _published(api: ApiWorld) -> None:
    client = api.client
    assert client.done("show_health")["status"] == "ok"
    assert client.done("show_who", api.keys["first"])["roles"] == ["examiner"]
    assert b'"openapi": "3.1.0"' in client.done("show_openapi")
    policies = client.done("list_policies")
    assert client.done("show_policy", path={"file": policies["files"][1]}).startswith(b"//")
    assert client.done("explain_problem", path={"kind": "denied"})["status"] == 403
    assert client.done("show_register")["as_of"]
    assert b"$schema" in client.done("show_register_schema")
    assert client.done("show_register_section", path={"file": "deployment.csv"}).startswith(b"table,")


def _parties(api: ApiWorld) -> None:
    client, root = api.client, api.keys["administrator"]
    museum = {
        "agency": "city-museum",
        "kind": "business",
        "name": "City Museum",
        "accountable_person": "the director",
        "contact": "museum@example.org",
    }
    client.done("add_agency", root, body=museum)
    for standing in ("suspended", "active"):
        client.done(
            "set_agency_standing", root, path={"agency": "city-museum"}, body={"standing": standing, "reason": "a test"}
        )
    known = {each["agency"] for each in client.done("list_agencies")["agencies"]}
    person = client.done("add_person", root, body={"name": "A Curator", "roles": ["operator"], "agency": "city-museum"})
    where = {"person": person["id"]}
    client.done("set_person_standing", root, path=where, body={"standing": "active"})
    course = {"course": COURSE, "completed": "2026-01-01", "expires": "2027-01-01", "certificate": "nr. 7"}
    client.done("add_training", root, path=where, body=course)
    people = {each["person"]: each for each in client.done("list_people", root, query={"page_size": "200"})["people"]}
    client.done("add_program", root, body={"name": "a door", "agency": "city-museum"})
    programs = client.done("list_programs", root)["programs"]
    key = client.done("issue_key", root, body={"owner": person["id"], "expires": "2099-01-01T00:00:00Z"})
    client.done("set_key_standing", root, path={"key": key["access_key_id"]}, body={"active": False})
    keys = {each["access_key_id"]: each for each in client.done("list_keys", root, query={"page_size": "200"})["keys"]}
    client.done("delete_key", root, path={"key": key["access_key_id"]})

    assert {AGENCY, "city-museum"} <= known
    assert people[person["id"]]["trainings"][0]["course"] == COURSE
    assert {"a door", "a program"} <= {each["name"] for each in programs}
    assert not keys[key["access_key_id"]]["active"]
    month = f"{api.world.clock.now:%Y-%m}"
    report = client.done("show_report", path={"agency": "city-museum", "file": f"{month}.html"})
    assert b"City Museum" in report
    assert client.done("show_report", path={"agency": "city-museum", "file": f"{month}.pdf"}).startswith(b"%PDF")


def _uses(api: ApiWorld) -> None:
    client, supervisor = api.client, api.keys["supervisor"]
    # The id of a use may hold a slash, which stands percent-encoded in a path.
    asked, given_up, urgent = api.propose("harbour/2026/proposal"), api.propose(), api.propose()
    client.done("comment_on_use", path={"use": asked}, body={"statement": "keep it short"})
    client.done("withdraw_use", supervisor, path={"use": given_up})
    began = client.done("declare_emergency", supervisor, path={"use": urgent}, body={"grounds": "a child is missing"})
    client.done("suspend_use", api.keys["overseer1"], path={"use": urgent}, body={"reasons": "look at it first"})
    listed = {each["use"]: each["state"] for each in client.done("list_uses", query={"page_size": "200"})["uses"]}
    shown = client.done("show_use", path={"use": asked})
    api.world.clock.now += timedelta(days=31)
    try:
        assert client.done("sweep_uses", api.keys["administrator"])["steps"] >= 1
        for number in (1, 2, 3):
            ballot = {"choice": "approve", "reasons": "read", "terms_sha256": shown["terms_sha256"]}
            after = client.done("vote_on_use", api.keys[f"overseer{number}"], path={"use": asked}, body=ballot)
    finally:
        api.world.clock.now -= timedelta(days=31)

    assert (listed[given_up], listed[urgent], listed[asked]) == ("withdrawn", "emergency_suspended", "proposed")
    assert began["state"] == "emergency"
    assert shown["comments"][0]["statement"] == "keep it short"
    assert after["state"] == "active"


def _comments(api: ApiWorld) -> None:
    """What an overseer hides is shown to nobody, with the reason; it can be shown again."""
    client, overseer, use = api.client, api.keys["overseer1"], api.propose()
    client.done("comment_on_use", path={"use": use}, body={"statement": "my neighbour should be searched for"})
    [said] = client.done("list_comments", path={"use": use})["comments"]
    where, why = {"use": use, "comment": said["comment"]}, {"reason": "names somebody who has no part in it"}
    client.done("hide_comment", overseer, path=where, body=why)
    [hidden] = client.done("list_comments", path={"use": use})["comments"]
    again = client.ask("hide_comment", overseer, path=where, body=why)
    client.done("show_comment", overseer, path=where, body={"reason": "a mistake of mine"})
    [shown] = client.done("list_comments", path={"use": use})["comments"]

    assert (hidden["statement"], hidden["hidden"]) == ("", why["reason"])
    assert again.status_code == 409
    assert shown == said


def _thresholds(api: ApiWorld) -> None:
    """An administrator asks for a stricter bound; the difference is public, and three overseers approve the rule."""
    client = api.client
    present = client.done("show_threshold_rule")
    table = client.done("show_rule_table", path={"rule": present["rule"]["sha256"]})
    asked = {"summary": "fewer false candidates", "table": json.dumps(table), "max_fpir": 0.001}
    proposed = client.done("propose_change", api.keys["administrator"], body=asked)
    where = {"change": proposed["change"]}
    listed = [each["change"] for each in client.done("list_changes", query={"page_size": "200"})["changes"]]
    shown = client.done("show_change", path=where)
    ballot = {"choice": "approve", "reasons": "read", "rule_sha256": shown["rule"]["sha256"]}
    other = client.ask("vote_on_change", api.keys["overseer1"], path=where, body=ballot | {"rule_sha256": SHA})
    stricter = [each["after"]["score"] > each["before"]["score"] for each in shown["difference"]["steps"]]
    votes = [client.done("vote_on_change", api.keys[f"overseer{n}"], path=where, body=ballot) for n in (1, 2, 3)]

    assert proposed["change"] in listed
    assert (shown["before_sha256"], shown["rule"]["max_fpir"]) == (present["rule"]["sha256"], 0.001)
    assert stricter == [False] * 3 + [True] * 3
    assert other.status_code == 409
    assert [each["state"] for each in votes] == ["proposed", "proposed", "approved"]


def _galleries(api: ApiWorld) -> None:
    client, supervisor = api.client, api.keys["supervisor"]
    declared = {"agency": AGENCY, "source": "arrest_record", "basis": "statute"}
    client.done("declare_gallery", api.keys["administrator"], path={"gallery": "visitors"}, body=declared)
    visitors = client.done("show_gallery", supervisor, path={"gallery": "visitors"})
    arrests = {"gallery": GALLERY}
    spare = api.world.enrol("spare.jpg", ImageOps.mirror(hopper_portrait()))
    body = {"face": spare, "reasons": "another nose", "case": "24-9"}
    mark = client.done("add_mark", supervisor, path=arrests, body=body)
    lifted = client.done(
        "lift_mark", supervisor, path=arrests | {"mark": mark["mark"]}, body={"reasons": "the wrong case"}
    )
    erased = client.done("erase", supervisor, path=arrests, body={"faces": [spare, "nobody"]})
    proof = client.done("show_proof", path={"erasure": erased["proof"]["erasure"]})

    assert (visitors["source"], visitors["faces"]) == ("arrest_record", None)
    assert client.done("show_gallery", supervisor, path=arrests)["faces"] == 2
    assert [each["mark"] for each in client.done("list_marks", supervisor, path=arrests)["marks"]] == [mark["mark"]]
    assert lifted["state"] == "lifted"
    assert (erased["faces"], erased["unknown"]) == ([spare], ["nobody"])
    assert proof == erased["proof"]


def _retention(api: ApiWorld) -> None:
    client, supervisor, root = api.client, api.keys["supervisor"], api.keys["administrator"]
    where = {"gallery": GALLERY}
    kept = [{"kind": kind, "days": 3650} for kind in ("kept_image", "probe", "result")]
    client.done("set_schedule", supervisor, path=where, body={"days": kept})
    order = {"order_sha256": SHA, "until": "2099-01-01"}
    client.done("hold", supervisor, path=where | {"holding": "some-face"}, body=order)
    runs = {each["gallery"]: each for each in client.done("run_retention", root)["runs"]}

    assert client.done("show_schedule", path=where)["days"] == kept
    assert client.done("list_due", supervisor, path=where)["due"] == []
    assert client.done("list_holds", root)["holds"][0]["holding"] == "some-face"
    assert runs[GALLERY]["run"] is not None


def _probes(api: ApiWorld) -> None:
    client = api.client
    picture = jpeg(collins_portrait())
    edit = {
        "picture": base64.b64encode(picture).decode(),
        "kind": "brightness",
        "parameters": "+20",
        "use": USE,
        "case": CASE,
        "justification": "robbery at the pier",
        "offence": "robbery",
    }
    edited = client.done("edit_probe", api.keys["operator"], body=edit)
    again = client.done("edit_probe", api.keys["operator"], body=edit)
    before = client.done("show_version", api.keys["auditor"], path={"edit": edited["edit"], "version": "before"})

    assert again == edited
    assert before == picture
    assert hashlib.sha256(base64.b64decode(edited["png"])).hexdigest() == edited["after_sha256"]


def _reviews(api: ApiWorld) -> None:
    client, keys = api.client, api.keys
    review = api.under_review()
    where = {"review": review}
    assert review in client.done("list_reviews", keys["first"], query={"page_size": "200"})["reviews"]
    client.done("claim_review", keys["third"], path=where)
    client.done("release_review", keys["third"], path=where)
    for name in ("first", "second"):
        client.done("claim_review", keys[name], path=where)
        shown = client.done("show_review", keys[name], path=where)
        findings = [
            {"face": each["face"], "outcome": "same_person", "observations": ["nose", "ears", "light"]}
            for each in shown["candidates"]
        ]
        client.done("answer_review", keys[name], path=where, body={"findings": findings})
    [candidate, *_] = shown["candidates"]
    assert client.done("show_probe", keys["first"], path=where).startswith(b"\x89PNG")
    picture = client.done("show_candidate", keys["first"], path=where | {"face": candidate["face"]})
    assert picture.startswith(b"\x89PNG")
    assert client.done("show_progress", keys["searcher"], path=where)["progress"] == "lead"

    leads = client.done("list_leads", keys["supervisor"], query={"page_size": "200"})["leads"]
    [lead] = [each["lead"] for each in leads if each["review"] == review]
    evidence = {"kind": "document", "description": "a ticket in that name", "document_sha256": SHA}
    client.done("attest_evidence", keys["supervisor"], path={"lead": lead}, body=evidence)
    exported = client.done("export_lead", keys["supervisor"], path={"lead": lead})
    named = client.done("show_lead", keys["searcher"], path={"lead": lead})
    assert exported["lead"] == named
    assert named["stamp"] == "investigative lead, not the sole basis for any action"
    assert named["face"] == api.world.enrolled["collins.jpg"]
    became = {"kind": "arrest", "statement": "arrested at the pier"}
    concluded = client.done("conclude_lead", keys["supervisor"], path={"lead": lead}, body=became)
    assert (concluded["state"], [each["kind"] for each in concluded["outcomes"]]) == ("arrest", ["acted_on", "arrest"])
    assert client.ask("conclude_lead", keys["supervisor"], path={"lead": lead}, body=became).status_code == 409

    asked = {"case": named["case"], "recipient_kind": "defence", "recipient": "A Lawyer"}
    bundle = client.done("disclose", keys["supervisor"], body=asked)
    summary = client.done("disclose", keys["auditor"], body=asked | {"form": "summary"})
    assert "summary.pdf" in zipfile.ZipFile(io.BytesIO(bundle)).namelist()
    assert summary.startswith(b"%PDF")


def _desk(api: ApiWorld) -> None:
    client, officer = api.client, api.keys["desk_officer"]

    def opened(kind: str) -> dict[str, str]:
        body = {"kind": kind, "asker": "Ms. Hopper, hopper@example.org", "statement": "am I in there?"}
        request = client.done("open_request", officer, body=body)["request"]
        client.done("step_request", officer, path={"request": request}, body={"event": "verify"})
        return {"request": request}

    access, correction, erasure = opened("access"), opened("correction"), opened("erasure")
    client.done("extend_request", officer, path=access, body={"reason": "an archive is being moved"})
    photograph = {"photograph": base64.b64encode(jpeg(hopper_portrait())).decode()}
    alike = client.done("look_up_photograph", officer, path=access, body=photograph)
    names = {"names": [each["face"] for each in alike["faces"]]}
    held = client.done("look_up_names", officer, path=access, body=names)
    export = client.done("export_held", officer, path=access, body=names)
    answered = client.done("step_request", officer, path=access, body={"event": "answer", "answer": "you are"})
    face = api.world.enrolled["hopper.jpg"]
    wrong = client.ask("correct_held", officer, path=correction, body={"gallery": GALLERY, "face": face})
    with api.world.service.records.transaction() as transaction:
        transaction.create_subject(GALLERY, SubjectId("hopper"), key=SubjectKey(new_id()), created=api.world.clock.now)
    fixed = client.ask(
        "correct_held", officer, path=correction, body={"gallery": GALLERY, "face": face, "subject": "hopper"}
    )
    erased = client.done("erase_held", officer, path=erasure, body=names)

    assert [each["face"] for each in alike["faces"]] == [face]
    assert held["is_enrolled"]
    assert "held.json" in zipfile.ZipFile(io.BytesIO(export)).namelist()
    assert (answered["state"], answered["answer"]) == ("answered", "you are")
    assert (wrong.status_code, fixed.status_code) == (409, 204)
    assert erased["erasures"][0]["faces"] == [face]
    assert erased["traces"] == 0
    pages = client.done("list_requests", officer, query={"page_size": "2"})
    rest = client.done("list_requests", officer, query={"page_size": "2", "page_token": pages["next_page"]})
    listed = {each["request"] for page in (pages, rest) for each in page["requests"]}
    assert {access["request"], correction["request"], erasure["request"]} <= listed
    assert client.done("show_request", officer, path=access)["asker"].startswith("Ms. Hopper")


def _asking(api: ApiWorld) -> None:
    """Whoever asks without an account follows their own request with its code, and nobody else's."""
    client, photograph = api.client, jpeg(hopper_portrait())
    form = {"kind": "access", "asker": "Ms. Hopper, hopper@example.org", "agency": AGENCY}
    asked = client.done("ask", body=form | {"photograph": base64.b64encode(photograph).decode()})
    [part] = asked["parts"]
    own = {"reference": part["reference"], "code": asked["code"]}
    status = client.done("show_own_request", body=own)
    sent = client.done("show_request_photograph", api.keys["desk_officer"], path={"request": part["reference"]})
    early = client.ask("appeal_own_request", body=own)
    wrong = client.ask("show_own_request", body=own | {"code": "AAAA-AAAA"})
    unknown = client.ask("show_own_request", body=own | {"reference": "no such request"})
    taken_back = client.done("withdraw_own_request", body=own)
    gone = client.ask("show_request_photograph", api.keys["desk_officer"], path={"request": part["reference"]})
    refused = client.done("ask", body=form)
    other = {"reference": refused["parts"][0]["reference"], "code": refused["code"]}
    no = {"event": "refuse", "refusal": "not_proven_who_asks"}
    client.done("step_request", api.keys["desk_officer"], path={"request": other["reference"]}, body=no)
    appealed = client.done("appeal_own_request", body=other)

    assert (status["state"], taken_back["state"], appealed["state"]) == ("received", "withdrawn", "appealed")
    assert sent == photograph
    assert (early.status_code, wrong.status_code, unknown.status_code, gone.status_code) == (409, 404, 404, 404)
    assert wrong.json()["detail"] == unknown.json()["detail"]


def test_without_an_account_one_writes_at_a_pace_and_over_a_private_line(api: ApiWorld) -> None:
    """A machine that floods comments or requests is told to wait; who asks isn't told over a line that others read."""
    use, far = api.propose(), Client(api.client.app, address="203.0.113.7")
    try:
        comments = [far.ask("comment_on_use", path={"use": use}, body={"statement": f"{n}"}) for n in range(5)]
        asking = far.ask("ask", body={"kind": "access", "asker": "Ms. Hopper"})
        status = far.ask("show_own_request", body={"reference": "x", "code": "y"})
    finally:
        far.close()

    assert [each.status_code for each in comments] == [201, 201, 201, 429, 429]
    assert int(comments[-1].headers["retry-after"]) > 0
    assert (asking.status_code, status.status_code) == (401, 401)


def _publications(api: ApiWorld) -> None:
    client, supervisor, overseer = api.client, api.keys["supervisor"], api.keys["overseer1"]
    deployment = {
        "operator": "Harbour County",
        "accountable_person": "The County Clerk",
        "contact": "clerk@harbour.example",
        "legal_basis": "County Code 7",
        "purposes": ["investigate_offence"],
        "prohibited_uses": ["traffic"],
    }
    report = {"report": "yearly-2026", "agency": AGENCY, "sha256": SHA, "use": USE, "cost_cents": 1_250_000}
    elements = ("processes", "period_and_frequency", "people_affected", "risks", "oversight", "measures")
    impact = {"report": "impact", "agency": AGENCY, "expires": "2099-01-01T00:00:00Z"}
    shared = {"agency": AGENCY, "recipient": "State Police", "data": "a lead", "standard": "agreement of 2025"}
    year = api.world.clock.now.year - 1
    figures = {"agency": AGENCY, "year": year, "dimension": "age", "counts": {"under_18": 0, "adults": 0}}
    client.done("publish_deployment", api.keys["administrator"], body=deployment)
    client.done("publish_body", overseer, body={"name": "Harbour Oversight Board"})
    client.done("publish_member", overseer, body={"name": "Ada L.", "office": "for the library"})
    client.done("publish_report", supervisor, body=report | {"kind": "yearly"})
    audit = client.done("publish_audit", api.keys["auditor"], body=report | {"report": "audit-2026"})
    client.done("publish_rights_impact", supervisor, body=impact | dict.fromkeys(elements, "as it is"))
    client.done("publish_sharing", supervisor, body=shared)
    more = client.ask("publish_lead_figures", supervisor, body=figures | {"counts": {"adults": 90}})
    client.done("publish_lead_figures", supervisor, body=figures)
    again = client.ask("publish_lead_figures", supervisor, body=figures)
    whole = client.ask("publish_report", supervisor, body=report | {"kind": "rights_impact"})
    tables = {name: _tables(api, name) for name in ("deployment", "oversight", "use", "incidents")}

    assert audit["index"] > 0
    assert (again.status_code, whole.status_code, more.status_code) == (409, 422, 422)
    assert "on record are 0 that the agency acted on" in more.text
    assert "Harbour County" in tables["deployment"]
    assert "as it is" in tables["deployment"]
    assert "Harbour Oversight Board" in tables["oversight"]
    assert "Ada L." in tables["oversight"]
    assert f"leads_by_group,,,{AGENCY},,age,,0,{year}," in tables["use"]
    assert "State Police" in tables["incidents"]
    assert "audit-2026" in tables["incidents"]


def _incidents(api: ApiWorld) -> None:
    client, now = api.client, api.world.clock.now
    violation = {
        "occurrence": "violation",
        "discovered": (now - timedelta(hours=25)).isoformat(),
        "statement": "A search was made for another case.",
        "agency": AGENCY,
        "people_affected": 1,
    }
    reported = client.done("report_incident", api.keys["first"], body=violation)
    waiting = client.done("list_incidents", api.keys["overseer1"], query={"waiting": "true"})
    where = {"incident": reported["incident"]}
    received = client.done("receive_incident", api.keys["overseer1"], path=where, body={"statement": "Looked into."})
    again = client.ask("receive_incident", api.keys["overseer2"], path=where, body={"statement": "Me too."})
    after = client.done("list_incidents", api.keys["overseer1"], query={"waiting": "true"})

    assert reported["late"]
    assert reported["received"] is None
    assert reported["incident"] in waiting["late"]
    assert received["received"] is not None
    assert again.status_code == 409
    assert reported["incident"] not in [each["incident"] for each in after["incidents"]]


def _tables(api: ApiWorld, section: str) -> str:
    text: bytes = api.client.done("show_register_section", path={"file": f"{section}.csv"})
    return text.decode()
