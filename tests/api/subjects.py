"""Subjects and imports over the API, as tests use them: enrolled people, pairs who resemble each other, an import."""

import base64
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PIL import Image

from recognizance.app import Service, bulk_enrolment, http_app
from recognizance.cli.portraits import collins_portrait
from recognizance.enrolling.bulk import items_of
from recognizance.faces import QualityFilter
from recognizance.governance import Policy
from recognizance.governing.access import ADMINISTRATOR as MACHINE
from recognizance.governing.access import principal_of
from recognizance.identifiers import DecisionId, FaceId, SubjectId
from recognizance.imports import Sent
from recognizance.permits import Action
from recognizance.records import SubjectKey
from recognizance.storage import new_id

from ..conftest import jpeg
from ..review_world import GALLERY, USE
from .client import Client
from .world import ApiWorld

ARRESTS, UNDER = {"gallery": GALLERY}, {"use": USE}


def enrolled(api: ApiWorld, pictures: Sequence[Image.Image]) -> tuple[SubjectId, list[FaceId]]:
    """A fresh subject with a face of each picture."""
    subject = SubjectId(f"subject-{new_id()}")
    faces = [api.world.enrol(f"{subject}-{number}.jpg", each) for number, each in enumerate(pictures)]
    with api.world.service.records.transaction() as transaction:
        transaction.create_subject(GALLERY, subject, key=SubjectKey(new_id()), created=api.world.clock.now)
        transaction.associate(GALLERY, subject, faces)
    return subject, faces


def portraits(count: int, *, larger_by: int) -> list[Image.Image]:
    """Different photographs of one person."""
    return [collins_portrait().resize((300 + larger_by + number,) * 2) for number in range(count)]


def alike(api: ApiWorld, *, larger_by: int) -> str:
    """A pair of subjects who resemble each other, found by a search of whoever runs the machine; answers its id."""
    one, other = (enrolled(api, [each])[0] for each in portraits(2, larger_by=larger_by))
    permit = Policy().decide(principal_of(MACHINE), Action.SEARCH, gallery=GALLERY, decision_id=DecisionId(new_id()))
    api.world.service.duplicates.look(GALLERY, one, permit=permit)
    pairs = api.client.done("list_duplicates", api.keys["operator"], path=ARRESTS, query={"page_size": "200"})["pairs"]
    return next(
        str(each["pair"]) for each in pairs if {each[who]["subject"] for who in ("one", "other")} == {one, other}
    )


def photographs(*people: str, larger_by: int = 0) -> dict[str, Any]:
    """The body of an import."""
    pictures = portraits(len(people), larger_by=larger_by)
    return {
        "photographs": [
            {"name": f"{person}.jpg", "subject": person, "picture": base64.b64encode(jpeg(picture)).decode()}
            for person, picture in zip(people, pictures, strict=True)
        ]
    }


def finished(api: ApiWorld, job: str, who: str = "operator") -> Any:
    """An import when it is over."""
    deadline = time.monotonic() + 60
    while True:
        shown = api.client.done("show_import", api.keys[who], path=ARRESTS | {"job": job})
        if shown["state"] != "running":
            return shown
        assert time.monotonic() < deadline
        time.sleep(0.02)


def walk_subjects(api: ApiWorld) -> None:
    """Every route about subjects, once with success."""
    client, operator = api.client, api.keys["operator"]
    subject, faces = enrolled(api, portraits(2, larger_by=0))
    body = UNDER | {"faces": faces[:1], "into": f"{subject}-other"}
    made = client.done("split_subject", operator, path=ARRESTS | {"subject": subject}, body=body)
    where = ARRESTS | {"subject": made["subject"]}
    merged = client.done("merge_subjects", operator, path=where, body=UNDER | {"into": subject})
    pair = ARRESTS | {"pair": alike(api, larger_by=10)}
    shown = client.done("show_duplicate", operator, path=pair)
    client.done("tell_apart", operator, path=pair, body={"reasons": "sisters"})
    _forget(api)

    assert made == {"subject": f"{subject}-other", "faces": 1}
    assert merged == {"subject": made["subject"], "into": subject, "stayed": []}
    assert shown["pair"] == pair["pair"]


def walk_imports(api: ApiWorld) -> None:
    """Every route about imports, once with success."""
    client, operator = api.client, api.keys["operator"]
    begun = client.done(
        "begin_import", operator, path=ARRESTS, body=photographs("eve", larger_by=20) | UNDER | {"quality": "NONE"}
    )
    ended = finished(api, begun["job"])
    listed = client.done("list_imports", operator, path=ARRESTS, query={"page_size": "200"})["imports"]
    where = ARRESTS | {"job": begun["job"]}
    rejects = client.done("list_rejects", operator, path=where)["rejects"]
    interrupt(api, begun["job"])
    client.done("go_on_with_import", operator, path=where, body=photographs("eve", larger_by=20))
    again = finished(api, begun["job"])
    _forget(api)

    assert (ended["state"], ended["enrolled"], ended["rejected"], rejects) == ("over", 1, 0, [])
    assert begun["job"] in {each["job"] for each in listed}
    assert again["enrolled"] == 1


def interrupt(api: ApiWorld, job: str) -> None:
    """Leave an import as the server's end would."""
    with api.world.service.records.transaction() as transaction:
        known = transaction.document("import_job", job)
        transaction.replace_document(replace(known, state="running"))


def _forget(api: ApiWorld) -> None:
    """Erase all subjects: what one test enrols, another would find."""
    with api.world.service.records.reading() as reader:
        subjects = [row.subject_id for row in reader.subjects(GALLERY, after=None, limit=100)]
    for subject in subjects:
        api.client.done("erase", api.keys["operator"], path=ARRESTS, body={"subject": subject})


def walk_where_nobody_reviews(api: ApiWorld, service: Service) -> None:
    """Looking for somebody by name is for installations whose candidates nobody reviews: a private one."""
    client, key = Client(http_app(service)), service.keys.create()
    machine = principal_of(MACHINE)
    making, enrolling = (
        Policy().decide(machine, action, gallery=GALLERY, decision_id=DecisionId(new_id()))
        for action in (Action.MANAGE_GALLERY, Action.ENROL)
    )
    service.galleries.create(GALLERY, tags={}, permit=making)
    items = items_of(
        [
            (name, Sent(jpeg(picture)), name)
            for name, picture in zip(("ada", "ida"), portraits(2, larger_by=0), strict=True)
        ]
    )
    bulk = bulk_enrolment(service)
    assert list(bulk.run(GALLERY, items, job="x", max_faces=1, quality_filter=QualityFilter.NONE, permit=enrolling))
    found = client.done("look_for_duplicates", key, path=ARRESTS | {"subject": "ada"}, body={})
    client.close()
    api.client.called |= client.called

    assert found == {"found": [{"subject": "ida", "faces": 1}]}
