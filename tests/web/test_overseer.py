"""Overseers at their pages: what they decide by, votes, a suspension that holds at once, rules that changed."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image

from recognizance.documents import Kind, UseRecord, inserted, replaced, stored
from recognizance.governance import Asking, Credential, Principal
from recognizance.governance.oversight import Quorum
from recognizance.governance.parties import PersonId, UseId
from recognizance.governance.uses import Use, UseEvent, UseState, advance
from recognizance.governing.access import IssuedKey
from recognizance.governing.incidents import Incident
from recognizance.governing.registration import Actor, at_the_machine
from recognizance.identifiers import PrincipalId
from recognizance.ledger import Entry, EntryId, facts
from recognizance.recording import EntryDraft
from recognizance.storage import new_id
from recognizance.web.differences import LineKind, difference
from recognizance.web.overseer_rules import policy_steps, threshold_steps

from ..conftest import jpeg
from ..review_world import GALLERY, OVERSEERS, SEARCHER, SUPERVISOR, USE
from .reading import Reading, reading
from .world import Web


def copied(web: Web, name: str, *, open_to_votes: bool = False) -> UseId:
    """A use of its own for a test: active like the world's, or waiting for the votes of the overseers."""
    use = UseId(name)
    with web.service.records.transaction() as transaction:
        known = stored(transaction, Kind.USE, USE, UseRecord).value.use
        made: Use = replace(known, id=use, state=UseState.ACTIVE, suspension=None, reinstatement_votes=())
        if open_to_votes:
            made = replace(made, state=UseState.PROPOSED, votes=())
            made = advance(made, UseEvent.CLOSE_COMMENTS, made.comments_until)
        inserted(transaction, Kind.USE, use, UseRecord(made, new_id()), state=made.state.value)
    return use


@contextmanager
def boto(web: Web, service: str, key: IssuedKey, token: str = "") -> Iterator[Any]:  # boto3 ships no types
    client = boto3.client(
        service,
        endpoint_url=web.url,
        region_name=web.service.settings.region,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        aws_session_token=token or None,
        config=Config(retries={"total_max_attempts": 1}),
    )
    try:
        yield client
    finally:
        client.close()


@contextmanager
def searching(web: Web, use: UseId) -> Iterator[Any]:
    """A boto3 client in a session on a use, with a case."""
    key = web.service.governing.registration.issue_key(SEARCHER, by=at_the_machine())
    tags = {"Case": "24-00117", "Justification": "robbery at the pier", "Offence": "robbery"}
    with boto(web, "sts", key) as sts:
        answer = sts.assume_role(
            RoleArn=f"arn:aws:iam::{web.service.settings.account}:role/{use}",
            RoleSessionName="case",
            Tags=[{"Key": name, "Value": value} for name, value in tags.items()],
        )["Credentials"]
    session = IssuedKey(answer["AccessKeyId"], answer["SecretAccessKey"])
    with boto(web, "rekognition", session, answer["SessionToken"]) as client:
        yield client


@pytest.fixture
def overseer(web: Web) -> Reading:
    return reading(web, OVERSEERS[0])


def test_the_next_search_after_a_suspension_is_denied(web: Web, overseer: Reading, collins: Image.Image) -> None:
    """One form, confirmed once: a boto3 client that has just been answered isn't answered again."""
    use = copied(web, f"stopped-{new_id()[:8]}")
    asked = {"CollectionId": GALLERY, "Image": {"Bytes": jpeg(collins)}, "FaceMatchThreshold": 99, "MaxFaces": 5}
    path = f"/oversight/uses/{use}/suspend"
    with searching(web, use) as client:
        assert "FaceMatches" in client.search_faces_by_image(**asked)
        assert overseer.get(path).status_code == 200
        assert overseer.post(path, reasons="too many searches").status_code == 422
        assert "FaceMatches" in client.search_faces_by_image(**asked)

        assert overseer.post(path, reasons="too many searches", confirmed="yes").is_redirect

        with pytest.raises(ClientError) as refused:
            client.search_faces_by_image(**asked)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "too many searches" in overseer.get(f"/oversight/uses/{use}").text


def test_a_vote_is_cast_with_reasons_on_the_text_that_was_read(web: Web, overseer: Reading) -> None:
    """Without reasons or on another text nothing is counted; the third approval begins the use."""
    use = copied(web, f"asked-{new_id()[:8]}", open_to_votes=True)
    page = overseer.get(f"/oversight/uses/{use}/vote")
    matter = re.search(r'name="matter" value="(\w+)"', page.text)
    assert matter is not None
    form = {"question": "terms", "choice": "approve", "reasons": "weighed", "matter": matter[1]}

    path = f"/oversight/uses/{use}/vote"
    assert overseer.post(path, **{**form, "reasons": " "}).status_code == 422
    assert overseer.post(path, **{**form, "matter": "0" * 64}).status_code == 422
    assert overseer.post(path, **{**form, "choice": "reject", "conditions": "less"}).status_code == 422
    assert web.service.governing.uses.get(use).use.votes == ()
    assert overseer.post(path, **form, conditions="a report each month\n\n").is_redirect
    assert overseer.get(path).status_code == 409
    for person in OVERSEERS[1:3]:
        assert reading(web, person).post(path, **form).is_redirect

    after = web.service.governing.uses.get(use).use
    assert after.state is UseState.ACTIVE
    assert after.count.conditions == ("a report each month",)
    assert "a report each month" in overseer.get(f"/oversight/uses/{use}").text


def test_what_is_decided_by_stands_on_one_page(web: Web, overseer: Reading) -> None:
    """Terms, report, evaluation, comments and votes; and whether the evaluation allows it now."""
    text = overseer.get(f"/oversight/uses/{USE}").text

    for said in ("whom to ask next", "read and weighed", "robbery", "true positives"):
        assert said in text


def test_an_incident_is_received_once(web: Web, overseer: Reading) -> None:
    """The page shows what waits, and what an overseer thinks of it goes on the record."""
    reported, _ = web.service.governing.incidents.report(
        Incident(facts.Occurrence.BREACH, web.world.clock.now - timedelta(hours=2), "a laptop was left in a train"),
        by=Actor(at_the_machine().principal),
    )
    assert "a laptop was left in a train" in overseer.get("/oversight/incidents").text
    path = f"/oversight/incidents/{reported.id}"
    assert overseer.post(path, statement="the key was revoked").is_redirect
    assert overseer.post(path, statement="again").status_code == 409
    assert overseer.get("/oversight/incidents/nothing").status_code == 404


def test_findings_wait_for_an_answer_where_overseers_begin_and_overdue_ones_are_flagged(
    web: Web, overseer: Reading
) -> None:
    """Until somebody answers; an answered one is in the register alone."""
    now = web.world.clock.now
    for name, due in (("women are found less often", now + timedelta(days=3)), ("nobody asked us", now - timedelta(1))):
        web.service.recorder.record(finding(name, due))
    web.world.entries()

    text = overseer.get("/oversight").text
    waiting, overdue = (text[text.index(each) :].partition("</li>")[0] for each in ("women are found", "nobody asked"))
    assert "overdue" not in waiting
    assert "overdue" in overdue


@pytest.mark.parametrize(
    "path",
    ["/oversight", "/oversight/unusual", "/oversight/changes", "/oversight/calendar", "/oversight/incidents"],
)
def test_only_overseers_and_auditors_come_here(web: Web, path: str) -> None:
    """Whoever searches is turned away; nobody in particular is asked to sign in."""
    assert reading(web, SEARCHER).get(path).status_code == 403
    assert httpx.get(f"{web.url}{path}").status_code == 303


def test_overseers_alone_vote_and_suspend(web: Web) -> None:
    """A supervisor who sends the very form gets nowhere."""
    supervisor = reading(web, SUPERVISOR)
    for path in (f"/oversight/uses/{USE}/suspend", f"/oversight/uses/{USE}/vote"):
        assert (
            supervisor.post(path, reasons="no", confirmed="yes", choice="approve", question="terms").status_code == 403
        )


def test_unusual_use_is_flagged_with_its_entries(web: Web, overseer: Reading, collins: Image.Image) -> None:
    """Five searches for one person in one case: the page names the entries, and neither the case nor the face."""
    picture = collins.resize((300, 300))
    for _ in range(web.service.governing.watching.thresholds.searches_for_one):
        web.world.search(picture, case="24-00555")

    text = overseer.get("/oversight/unusual").text
    assert "One person was searched for often" in text
    assert "24-00555" not in text
    assert "<code>" in text


def finding(statement: str, due: datetime) -> Callable[[EntryDraft], facts.Facts]:
    """What a tester submitted, with the end of its clock wherever a test wants it."""
    return lambda entry: facts.Finding(
        finding=sha256(statement.encode()).hexdigest()[:32],
        step=facts.FindingStep.SUBMITTED,
        statement=statement,
        result_digest=None,
        due=due,
        stated_by=entry.pseudonym(PrincipalId("a tester")),
    )


def entry(number: int, said: facts.Facts) -> Entry:
    return Entry(EntryId(f"00000000-0000-4000-8000-{number:012d}"), datetime(2026, 1, number, tzinfo=UTC), said)


def threshold(new: float, former: float | None = None) -> facts.ThresholdChange:
    return facts.ThresholdChange(
        model="sface", gallery=None, former=former, new=new, false_match_rate=None, evaluation=None, proposal=None,
        changed_by=None, reason="measured",
    )  # fmt: skip


def test_a_lowered_threshold_is_called_looser_by_the_ledgers_own_word() -> None:
    """What an entry says was before doesn't count where the ledger has it: here it claims a rise."""
    first, second = threshold_steps([entry(1, threshold(0.5)), entry(2, threshold(0.4, former=0.3))])
    assert not first.is_looser
    assert second.is_looser
    assert second.former == 0.5


def test_policies_are_shown_as_what_changed() -> None:
    """Names and lines that came and went, against the policy before."""

    def policy(document: str, *names: str) -> facts.PolicyChange:
        return facts.PolicyChange(version="1", digest="0" * 64, names=names, document=document, changed_by=None)

    first, second = policy_steps([entry(1, policy("a\nb", "x")), entry(2, policy("a\nc", "x", "y"))])
    assert first.is_first
    assert second.added == {"y"}
    assert [(line.kind, line.text) for line in second.lines] == [
        (LineKind.SAME, "a"),
        (LineKind.REMOVED, "b"),
        (LineKind.ADDED, "c"),
    ]


def test_unchanged_lines_far_away_are_counted() -> None:
    """Nothing is left out in silence: shown and skipped lines together are the whole text."""
    before = [f"line {number}" for number in range(40)]
    after = [*before[:20], "changed", *before[21:]]
    lines = difference("\n".join(before), "\n".join(after))

    skipped = [int(line.text) for line in lines if line.kind is LineKind.SKIPPED]
    kept = [line.text for line in lines if line.kind in {LineKind.SAME, LineKind.REMOVED}]
    assert sum(skipped) + len(kept) == len(before)
    assert difference("same", "same") == []


def test_an_overseer_without_a_vote_isnt_asked(web: Web) -> None:
    """Whoever isn't in the quorum sees no ballot, and can't send one."""
    use = copied(web, f"others-{new_id()[:8]}", open_to_votes=True)
    with web.service.records.transaction() as transaction:
        known = stored(transaction, Kind.USE, use, UseRecord)
        fewer: frozenset[PersonId] = frozenset(OVERSEERS[1:])
        changed = replace(known.value, use=replace(known.value.use, quorum=Quorum(3, fewer)))
        replaced(transaction, known, changed, state=known.document.state)
    assert reading(web, OVERSEERS[0]).get(f"/oversight/uses/{use}/vote").status_code == 409


def test_what_waits_says_what_is_asked(web: Web) -> None:
    """With the count so far; and a vote that was given is one's own, by name once an overseer has published it."""
    overseer = reading(web, OVERSEERS[4])
    use = copied(web, f"asked-{new_id()[:8]}", open_to_votes=True)
    waiting = overseer.get("/oversight").text
    assert re.search(rf"{use}</strong>.*?Should this use be allowed.*?So far 0 of 3 approvals", waiting, re.DOTALL)
    matter = web.service.governing.uses.get(use).use.terms_sha256
    path = f"/oversight/uses/{use}"
    voted = overseer.post(f"{path}/vote", question="terms", choice="abstain", reasons="I know them", matter=matter)
    assert voted.is_redirect
    asks = Actor(Principal(OVERSEERS[4], frozenset()), Asking(Credential.SIGN_IN))
    web.service.governing.publishing.oversight_member("Grace Hopper", by=asks)
    web.world.entries()
    assert re.search(r"Grace Hopper</bdi> <code>[^<]+</code> \(you\)", overseer.get(path).text)
