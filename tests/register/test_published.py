"""What only people can say: in a world that publishes everything, no table of the register is empty."""

import datetime as dt
import json
from dataclasses import replace

from recognizance.ledger import Entry, NoteKey, facts
from recognizance.register import SECTIONS, build_register, to_json

from .world import DIGEST, entry, one_year, reading_of, someone, transition

ALL = facts.Witness(
    standing=facts.Standing.ADDED,
    key=str(NoteKey("witness.example", bytes(32)).cosigner),
    operator="Example University",
)


def finding(name: str, step: facts.FindingStep, *, due: str = "2026-06-18") -> facts.Finding:
    return facts.Finding(
        finding=name,
        step=step,
        statement="FPIR of women is ten times higher" if step is facts.FindingStep.SUBMITTED else "a higher threshold",
        result_digest=DIGEST,
        due=dt.datetime.fromisoformat(f"{due}T12:00:00+00:00"),
        stated_by=someone(9),
    )


def everything() -> list[Entry]:
    """A year, and what it lacks: rules, software, a comment, a suspension, a witness."""
    year = one_year()
    proposed = next(each for each in year if isinstance(each.facts, facts.UseProposal))
    more: list[facts.Facts] = [
        facts.Model(
            model="sface",
            standing=facts.Standing.ADDED,
            role=facts.ModelRole.RECOGNISER,
            file_digest=DIGEST,
            source="a hub",
            licence="Apache-2.0",
        ),
        facts.ThresholdChange(
            model="sface",
            gallery=None,
            former=None,
            new=0.42,
            false_match_rate=1e-6,
            evaluation=None,
            proposal=None,
            changed_by=None,
            reason="as measured",
        ),
        facts.PolicyChange(
            version="law-enforcement", digest=DIGEST, names=("needs-a-case",), document="forbid", changed_by=None
        ),
        finding("f-1", facts.FindingStep.SUBMITTED),
        facts.Software(name="recognizance", version="1", digest=DIGEST, dependencies_digest=DIGEST),
        facts.Comment(about=proposed.id, statement="Please publish the error rates."),
        transition("active", "suspended"),
        transition("suspended", "active"),
        ALL,
    ]
    return [*year, *(entry(said, day="2026-03-20") for said in more)]


def test_no_table_of_the_register_is_empty() -> None:
    """All nine sections, and each table in them."""
    document = json.loads(to_json(build_register(reading_of(everything()))))

    empty = [f"{section}.{table}" for section in SECTIONS for table, rows in document[section].items() if not rows]
    assert empty == []


def test_what_people_published_is_shown_as_they_said_it() -> None:
    """An assessment whole, a named overseer beside pseudonyms, counts as the ranges that the ledger has."""
    document = json.loads(to_json(build_register(reading_of(one_year()))))

    [impact] = document["deployment"]["rights_impact"]
    assert (impact["risks"], impact["measures"]) == ("wrong accusations", "suspension")
    assert document["oversight"]["bodies"][0]["members"] == 3
    assert [(row["member"], row["name"]) for row in document["oversight"]["members"]] == [(someone(11), "B. Overseer")]
    leads = [(row["dimension"], row["group"], row["count"]) for row in document["use"]["leads_by_group"]]
    assert leads == [
        ("age", None, 30),
        ("age", "adults", "26 to 29"),
        ("age", "under_18", "<5"),
        ("sex", None, "<5"),
        ("sex", "withheld", "withheld"),
    ]


def test_an_overseer_who_takes_their_name_back_is_shown_no_longer() -> None:
    """The last word is theirs; the ledger keeps what it was told."""
    year = one_year()
    named = next(each.facts for each in year if isinstance(each.facts, facts.OversightMember))
    withdrawn = replace(named, standing=facts.Standing.REMOVED, name=None, office=None)
    register = build_register(reading_of([*year, entry(withdrawn, day="2026-03-20")]))

    assert register.oversight.members == ()


def test_the_clock_of_a_breach_is_held_against_when_an_overseer_had_it() -> None:
    """A breach of the last night of January was received three weeks later; a violation never was."""
    incidents = build_register(reading_of(one_year())).incidents.incidents

    assert [(row.occurrence, row.in_time, row.received is not None) for row in incidents] == [
        ("violation", False, False),
        ("breach", False, True),
    ]
    assert incidents[1].due is not None
    assert incidents[1].due.isoformat() == "2026-02-01T23:59:00+00:00"


def test_a_finding_that_nobody_answers_in_time_is_flagged_for_good() -> None:
    """Before its day it isn't; from then on it is, and an answer that comes late doesn't take the flag away."""
    submitted, answered = (finding("f-1", step, due="2026-04-01") for step in facts.FindingStep)
    begins = [*one_year(), entry(submitted, day="2026-03-20")]
    later = entry(facts.Software(name="recognizance", version="2", digest=DIGEST, dependencies_digest=DIGEST))
    worlds = {
        "waiting": begins,
        "forgotten": [*begins, replace(later, time=later.time.replace(month=5))],
        "in time": [*begins, entry(answered, day="2026-03-31")],
        "late": [*begins, entry(answered, day="2026-04-02")],
    }
    found = {when: build_register(reading_of(said)).evaluations.findings[0] for when, said in worlds.items()}

    assert {when: row.is_overdue for when, row in found.items()} == {
        "waiting": False,
        "forgotten": True,
        "in time": False,
        "late": True,
    }
    assert found["late"].mitigation == "a higher threshold"


def test_an_evaluation_shows_how_large_its_gallery_was_and_until_when_it_counts() -> None:
    """Published later with an end, it stands there once, with its end and the uses that rely on it."""
    year = one_year()
    [measured] = [each for each in year if isinstance(each.facts, facts.Evaluation)]
    assert isinstance(measured.facts, facts.Evaluation)
    until = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    published = replace(measured.facts, gallery_faces=2_000, expires=until)
    [proposal] = [each.facts for each in year if isinstance(each.facts, facts.UseProposal)]
    relying = replace(proposal, evaluation=measured.facts.evaluation, use="relying")

    [before] = build_register(reading_of(year)).evaluations.evaluations
    [row] = build_register(
        reading_of([*year, entry(published, day="2026-03-20"), entry(relying, day="2026-04-02")])
    ).evaluations.evaluations

    assert (before.expires, before.is_expired, before.uses) == (None, None, ())
    assert (row.gallery_faces, row.expires, row.is_expired, row.uses) == (2_000, until, True, ("relying", "robberies"))
