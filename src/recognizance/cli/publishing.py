"""`recognizance publish` and `incident`: what only people can say about a service, put where everybody can read it."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Json
from recognizance.cli.output import print_json, print_table, results, speaking_plainly
from recognizance.governance.purposes import Purpose

if TYPE_CHECKING:
    from recognizance.ledger import Receipt

_Choice = TypeVar("_Choice", bound=StrEnum)

publish_app = typer.Typer(help="Publish who runs and oversees the service, reports, sharing.", no_args_is_help=True)
incident_app = typer.Typer(help="Report what went wrong, and bring it before the overseers.", no_args_is_help=True)

AgencyOption = Annotated[str, typer.Option("--agency", help="Whose it is.")]
UseOption = Annotated[str | None, typer.Option("--use", help="The use that it is about.")]
Expires = Annotated[
    datetime | None,
    typer.Option(
        "--expires",
        metavar="DAY",
        formats=["%Y-%m-%d"],
        help="First day on which it no longer counts, like 2027-01-31.",
    ),
]


@publish_app.command("deployment")
@speaking_plainly
def deployment(
    operator: Annotated[str, typer.Option(help="Who operates the service.")],
    accountable_person: Annotated[str, typer.Option(help="Who answers for it: name and office.")],
    contact: Annotated[str, typer.Option(help="Where the public reaches them.")],
    legal_basis: Annotated[str, typer.Option(help="What allows it.")],
    purpose: Annotated[list[Purpose], typer.Option(help="What it is for; may be given again.")],
    prohibited: Annotated[
        list[str] | None, typer.Option(help="What it may not be used for, beside what is never allowed.")
    ] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Publish who operates the service, on what basis and for what. The last statement is in force."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governing.publishing import DeploymentStatement

    statement = DeploymentStatement(
        operator, accountable_person, contact, legal_basis, frozenset(purpose), frozenset(prohibited or ())
    )
    with government_of(data) as governing:
        _say(governing.publishing.deployment(statement, by=actor(acting_as)), json=json)


@publish_app.command("oversight-body")
@speaking_plainly
def oversight_body(
    name: Annotated[str, typer.Argument(help="What the body is called.")],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Publish who oversees the service: its overseers as they are registered now, and what it takes to decide."""
    from recognizance.cli.opening import actor, government_of

    with government_of(data) as governing:
        _say(governing.publishing.oversight_body(name, by=actor(acting_as)), json=json)


@publish_app.command("oversight-member")
@speaking_plainly
def oversight_member(
    name: Annotated[str | None, typer.Argument(help="One's own name; without it, that it is no longer shown.")] = None,
    office: Annotated[str | None, typer.Option(help="Which office or community one speaks for.")] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Publish one's own name as an overseer. Nobody has to; the ledger keeps what it was told."""
    from recognizance.cli.opening import actor, government_of

    with government_of(data) as governing:
        _say(governing.publishing.oversight_member(name, office, by=actor(acting_as)), json=json)


@publish_app.command("report")
@speaking_plainly
def report(
    identifier: Annotated[str, typer.Argument(metavar="REPORT", help="What the report is called.")],
    document: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Its text; its SHA-256 is published.")],
    kind: Annotated[str, typer.Option(help="accountability, monthly, yearly or audit; audits are an auditor's.")],
    agency: AgencyOption,
    use: UseOption = None,
    expires: Expires = None,
    cost_cents: Annotated[
        int | None, typer.Option(min=0, help="What it says that the use cost, in hundredths of the currency.")
    ] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Publish that a report or an audit exists, which text it is, and what the use cost."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import AgencyId, UseId
    from recognizance.governing.publishing import PublishedReport
    from recognizance.ledger.facts import ReportKind

    published = PublishedReport(
        id=identifier,
        kind=_choice(ReportKind, kind),
        agency=AgencyId(agency),
        sha256=_sha256(document),
        use=None if use is None else UseId(use),
        expires=_day(expires),
        cost_cents=cost_cents,
    )
    with government_of(data) as governing:
        _say(governing.publishing.report(published, by=actor(acting_as)), json=json)


@publish_app.command("rights-impact")
@speaking_plainly
def rights_impact(
    identifier: Annotated[str, typer.Argument(metavar="REPORT", help="What the assessment is called.")],
    assessment: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="JSON with the six elements: processes, period_and_frequency, people_affected, risks, oversight,"
            " measures.",
        ),
    ],
    agency: AgencyOption,
    use: UseOption = None,
    expires: Expires = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Publish, whole, what a use means for people's rights: the six elements of the EU AI Act's article 27(1)."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import AgencyId, UseId
    from recognizance.governing.publishing import RightsImpactAssessment

    written = _elements(assessment)
    assessed = RightsImpactAssessment(
        id=identifier,
        agency=AgencyId(agency),
        use=None if use is None else UseId(use),
        expires=_day(expires),
        **written,
    )
    with government_of(data) as governing:
        _say(governing.publishing.rights_impact(assessed, by=actor(acting_as)), json=json)


@publish_app.command("sharing")
@speaking_plainly
def sharing(
    agency: AgencyOption,
    recipient: Annotated[str, typer.Option(help="To whom data went.")],
    shared: Annotated[str, typer.Option("--what", help="Which data.")],
    standard: Annotated[str, typer.Option(help="Under which standard or agreement.")],
    use: UseOption = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Publish that data went outside an agency."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import AgencyId, UseId
    from recognizance.governing.publishing import SharedData

    said = SharedData(AgencyId(agency), recipient, shared, standard, None if use is None else UseId(use))
    with government_of(data) as governing:
        _say(governing.publishing.sharing(said, by=actor(acting_as)), json=json)


@publish_app.command("leads")
@speaking_plainly
def leads(
    agency: AgencyOption,
    year: Annotated[int, typer.Option(min=2000, max=9999, help="A year that is over.")],
    dimension: Annotated[str, typer.Option(help="age, race or sex.")],
    count: Annotated[
        list[str], typer.Option(help="GROUP=COUNT, as people recorded it; may be given again. Small ones are hidden.")
    ],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Publish how many leads an agency acted on, by age, race or sex, once for each year."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.errors import InputError
    from recognizance.governance.parties import AgencyId
    from recognizance.governing.publishing import Dimension, LeadCounts

    counts: dict[str, int] = {}
    for each in count:
        group, _, number = each.partition("=")
        if group in counts or not number.isdecimal():
            raise InputError(f"{each!r} isn't GROUP=COUNT, each group once")
        counts[group] = int(number)
    counted = LeadCounts(AgencyId(agency), year, _choice(Dimension, dimension), counts)
    with government_of(data) as governing:
        _say(governing.publishing.lead_figures(counted, by=actor(acting_as)), json=json)


@incident_app.command("report")
@speaking_plainly
def report_incident(
    occurrence: Annotated[str, typer.Argument(help="violation, breach, outage or error.")],
    statement: Annotated[str, typer.Option(help="What happened; public, so it names nobody.")],
    discovered: Annotated[
        datetime,
        typer.Option(
            metavar="MOMENT",
            formats=["%Y-%m-%dT%H:%M"],
            help="When somebody first knew, UTC, like 2026-01-31T18:00; the clock starts here.",
        ),
    ],
    agency: Annotated[str | None, typer.Option(help="Whose doing it was.")] = None,
    about: Annotated[str | None, typer.Option(help="The id of the ledger entry that it concerns.")] = None,
    people_affected: Annotated[int | None, typer.Option(min=0, help="How many people it affected.")] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Report that something went wrong. A violation or a breach has to reach an overseer within 24 hours."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import AgencyId
    from recognizance.governing.incidents import Incident
    from recognizance.ledger import EntryId
    from recognizance.ledger.facts import Occurrence

    incident = Incident(
        _choice(Occurrence, occurrence),
        discovered.replace(tzinfo=UTC),
        statement,
        agency=None if agency is None else AgencyId(agency),
        about=None if about is None else EntryId(about),
        people_affected=people_affected,
    )
    with government_of(data) as governing:
        reported, _ = governing.incidents.report(incident, by=actor(acting_as))
    due = incident.due
    if json:
        print_json({"incident": reported.id, "due": None if due is None else due.isoformat()})
    else:
        results.print(
            f"incident {reported.id}" + ("" if due is None else f", to reach an overseer by {due:%F %H:%M} UTC")
        )


@incident_app.command("receive")
@speaking_plainly
def receive(
    incident: Annotated[str, typer.Argument(help="The incident's id.")],
    statement: Annotated[str, typer.Option(help="What the overseer says to it; public.")],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Say as an overseer that an incident has reached one, and what follows from it."""
    from recognizance.cli.opening import actor, government_of

    with government_of(data) as governing:
        governing.incidents.receive(incident, statement, by=actor(acting_as))


@incident_app.command("list")
@speaking_plainly
def list_incidents(
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those that have reached no overseer.")] = False,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """List incidents, the most urgent first."""
    from recognizance.cli.opening import actor, government_of

    now = datetime.now(UTC)
    with government_of(data) as governing:
        known = governing.incidents.list(waiting=waiting, by=actor(acting_as))
    if json:
        rows = [
            {
                "incident": each.id,
                "occurrence": each.incident.occurrence.value,
                "statement": each.incident.statement,
                "due": None if each.incident.due is None else each.incident.due.isoformat(),
                "received": None if each.received is None else each.received.isoformat(),
                "late": each.is_late_at(now),
            }
            for each in known
        ]
        print_json({"incidents": rows})
        return
    lines: list[tuple[str, ...]] = []
    for each in known:
        due = "" if each.incident.due is None else f"{each.incident.due:%F %H:%M} UTC"
        state = "received" if each.received else f"{due}{' (late)' if each.is_late_at(now) else ''}"
        lines.append((each.id, each.incident.occurrence, each.incident.statement, state))
    print_table(("incident", "kind", "what", "reaches an overseer by"), lines, whole=("incident",))


def _say(receipt: "Receipt", *, json: bool) -> None:
    if json:
        print_json({"entry": receipt.index})
    else:
        results.print(f"published as entry {receipt.index} of the ledger")


def _choice(kind: type[_Choice], text: str) -> _Choice:
    """Read a word that only a command which runs can tell: what it is a choice of takes long to load."""
    from recognizance.errors import InputError

    try:
        return kind(text)
    except ValueError as error:
        raise InputError(f"{text!r} is none of {', '.join(kind)}") from error


def _day(day: datetime | None) -> datetime | None:
    return None if day is None else day.replace(tzinfo=UTC)


def _sha256(path: Path) -> str:
    from hashlib import file_digest

    from recognizance.errors import UnavailableError

    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnavailableError(f"can't read {path}: {error.strerror}") from error


def _elements(path: Path) -> dict[str, str]:
    """The six elements, each of them and nothing else."""
    import json as json_reader

    from recognizance.errors import InputError

    names = {"processes", "period_and_frequency", "people_affected", "risks", "oversight", "measures"}
    try:
        written = json_reader.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {error}") from error
    if (
        not isinstance(written, dict)
        or written.keys() != names
        or not all(isinstance(v, str) for v in written.values())
    ):
        raise InputError(f"{path} isn't one JSON object with the texts {', '.join(sorted(names))}")
    return dict(written)
