"""Subjects and imports over the API: the same services as the pages, the same refusals, and nothing twice."""

from collections.abc import Iterator

import pytest

from recognizance.faces import Calibration, FaceReader

from ..review_world import GALLERY
from .subjects import ARRESTS, UNDER, alike, enrolled, finished, interrupt, photographs, portraits
from .world import ApiWorld, api_world


@pytest.fixture(scope="module")
def api(faces: tuple[FaceReader, Calibration], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiWorld]:
    """An installation of this file's own: what is enrolled here, searches of others would find."""
    with api_world(tmp_path_factory.mktemp("subjects") / "data", faces) as world:
        yield world


def test_what_is_one_subject_already_is_not_merged_again(api: ApiWorld) -> None:
    """Sent twice, the second is told that the emptied subject isn't there."""
    (one, _), (other, _) = (enrolled(api, [each]) for each in portraits(2, larger_by=30))
    where, body = ARRESTS | {"subject": one}, UNDER | {"into": other}
    answers = [
        api.client.ask("merge_subjects", api.keys["operator"], path=where, body=body).status_code for _ in range(2)
    ]
    assert answers == [200, 404]
    assert (
        api.client.ask(
            "merge_subjects", api.keys["operator"], path=ARRESTS | {"subject": other}, body=UNDER | {"into": other}
        ).status_code
        == 422
    )


def test_without_a_use_nobodys_faces_change_hands(api: ApiWorld) -> None:
    """The refusal says what is missing, and both are as they were."""
    subject, faces = enrolled(api, portraits(2, larger_by=40))
    body = {"faces": faces[:1], "into": f"{subject}-other"}
    refused = api.client.ask("split_subject", api.keys["operator"], path=ARRESTS | {"subject": subject}, body=body)
    assert refused.status_code == 403
    assert refused.json()["missing"]
    with api.world.service.records.reading() as reader:
        assert reader.subject(GALLERY, subject).face_count == 2


def test_a_use_whose_candidates_wait_looks_for_nobody(api: ApiWorld) -> None:
    """Neither by itself nor after an import: a subject is a name."""
    subject, _ = enrolled(api, portraits(1, larger_by=50))
    operator = api.keys["operator"]
    asked = (
        api.client.ask("look_for_duplicates", operator, path=ARRESTS | {"subject": subject}, body=UNDER),
        api.client.ask("begin_import", operator, path=ARRESTS, body=photographs("x") | UNDER | {"looks": True}),
    )
    assert [answer.status_code for answer in asked] == [403, 403]


def test_a_pair_is_told_apart_once(api: ApiWorld) -> None:
    """With reasons; then it waits no longer."""
    pair = ARRESTS | {"pair": alike(api, larger_by=60)}
    answers = [
        api.client.ask("tell_apart", api.keys["operator"], path=pair, body={"reasons": reasons}).status_code
        for reasons in ("", "sisters", "sisters")
    ]
    assert answers == [422, 204, 404]


def test_an_import_is_its_starters_alone(api: ApiWorld) -> None:
    """Another person's key finds nothing, and goes on with nothing; one that is over isn't gone on with."""
    body = photographs("frank", larger_by=70)
    begun = api.client.done("begin_import", api.keys["operator"], path=ARRESTS, body=body | UNDER | {"quality": "NONE"})
    finished(api, begun["job"])
    where = ARRESTS | {"job": begun["job"]}
    assert api.client.ask("go_on_with_import", api.keys["operator"], path=where, body=body).status_code == 409
    interrupt(api, begun["job"])
    for name, sent in (("show_import", None), ("list_rejects", None), ("go_on_with_import", body)):
        assert api.client.ask(name, api.keys["searcher"], path=where, body=sent).status_code == 404
    assert api.client.done("list_imports", api.keys["searcher"], path=ARRESTS)["imports"] == []


def test_two_photographs_of_an_import_have_two_names(api: ApiWorld) -> None:
    sent = photographs("gina", larger_by=80)
    body = {"photographs": sent["photographs"] * 2} | UNDER
    assert api.client.ask("begin_import", api.keys["operator"], path=ARRESTS, body=body).status_code == 422


def test_an_import_asked_for_twice_with_one_key_is_one(api: ApiWorld) -> None:
    """What the network repeated begins nothing more."""
    body = photographs("hedy", larger_by=90) | UNDER
    begun = [
        api.client.done(
            "begin_import", api.keys["operator"], path=ARRESTS, body=body, headers={"Idempotency-Key": "hedy"}
        )["job"]
        for _ in range(2)
    ]
    assert len(set(begun)) == 1
    finished(api, begun[0])
