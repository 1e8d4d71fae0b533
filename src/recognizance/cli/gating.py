"""`recognizance evaluate publish` and `evaluate findings`: evaluations that uses rely on, and what testers found."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Json
from recognizance.cli.output import print_json, print_table, results, speaking_plainly

if TYPE_CHECKING:
    from recognizance.governance.findings import Finding

findings_app = typer.Typer(help="What testers found, and what was done about it.", no_args_is_help=True)


@speaking_plainly
def publish(
    result: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="result.json, as `evaluate` wrote it.")],
    expires: Annotated[
        datetime | None,
        typer.Option(
            metavar="DAY",
            formats=["%Y-%m-%d"],
            help="First day on which it no longer counts, like 2027-01-31; at most a year after it.",
        ),
    ] = None,
    decision: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="The decision that set labels aside, to be read by all. It names people.",
        ),
    ] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Publish an evaluation, for uses to rely on and for everybody to read; uses that waited for it become active."""
    from recognizance.cli.measuring import read_file
    from recognizance.cli.opening import actor, government_of
    from recognizance.evaluation.publication import publish as published
    from recognizance.governing.published_results import Form

    until = None if expires is None else expires.replace(tzinfo=UTC)
    with government_of(data) as governing:
        evaluation, receipt = published(
            governing.evaluations,
            read_file(result),
            decision=None if decision is None else read_file(decision),
            expires=until,
            by=actor(acting_as),
        )
        gated = governing.profile.needs_evaluation
        shown = governing.evaluations.results.path(evaluation.report_sha256, Form.RESULT)
    if json:
        print_json(
            {
                "evaluation": evaluation.id,
                "report_sha256": evaluation.report_sha256,
                "expires": evaluation.expires.isoformat(),
                "entry": receipt.index,
                "gated": gated,
                "shown_from": str(shown),
            }
        )
        return
    results.print(
        f"{evaluation.id} is published and counts until {evaluation.expires:%Y-%m-%d %H:%M} UTC; uses name it as"
        f" {evaluation.report_sha256}",
        markup=False,
        soft_wrap=True,
    )
    results.print(f"{shown}: from this the public pages make its report", markup=False, soft_wrap=True)
    if not gated:
        results.print("this installation is private: no use has to name an evaluation", markup=False)


@speaking_plainly
def fits(
    use: Annotated[str, typer.Argument(help="The use's id.")],
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Say whether the evaluation that a use relies on still allows it, and if not, for whom it errs too often."""
    from recognizance.cli.opening import government_of
    from recognizance.governance.parties import UseId

    with government_of(data) as governing:
        evidence = governing.uses.evidence(UseId(use))
    if json:
        print_json({"use": use, "evaluation": evidence.fitness.value, "shortfalls": list(evidence.shortfalls)})
    else:
        results.print(f"{use}: {evidence.fitness.value.replace('_', ' ')}", markup=False)
        for shortfall in evidence.shortfalls:
            results.print(f"  {shortfall}", markup=False, soft_wrap=True)
    if not evidence.allows:
        raise typer.Exit(3)


@findings_app.command("submit")
@speaking_plainly
def submit(
    statement: Annotated[str, typer.Argument(help="What was found; public.")],
    result: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The result that shows it; its hash is published.")
    ] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Put a finding on the record. Whoever runs the service has 90 days to say what they did about it."""
    import hashlib

    from recognizance.cli.measuring import read_file
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.oversight import Sha256Hex

    digest = None if result is None else Sha256Hex(hashlib.sha256(read_file(result)).hexdigest())
    with government_of(data) as governing:
        finding, _ = governing.findings.submit(statement, result_sha256=digest, by=actor(acting_as))
    _say(finding, json=json)


@findings_app.command("mitigate")
@speaking_plainly
def mitigate(
    finding: Annotated[str, typer.Argument(help="The finding's id.")],
    statement: Annotated[str, typer.Argument(help="What was done about it; public, and said once.")],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Say what was done about a finding."""
    from recognizance.cli.opening import actor, government_of

    with government_of(data) as governing:
        answered, _ = governing.findings.mitigate(finding, statement, by=actor(acting_as))
    _say(answered, json=json)


@findings_app.command("list")
@speaking_plainly
def list_findings(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List all findings, the oldest first; exit status 3 if one is overdue."""
    from recognizance.cli.opening import government_of
    from recognizance.storage import now

    moment = now()
    with government_of(data) as governing:
        known = governing.findings.list()
    if json:
        print_json({"findings": [_described(each, moment) for each in known]})
    else:
        columns = ("finding", "submitted", "due", "mitigated", "overdue", "statement")
        rows = [
            (
                each.id,
                f"{each.submitted:%Y-%m-%d}",
                f"{each.due:%Y-%m-%d}",
                "" if each.mitigated is None else f"{each.mitigated:%Y-%m-%d}",
                "yes" if each.is_overdue_at(moment) else "",
                each.statement,
            )
            for each in known
        ]
        print_table(columns, rows, whole=columns[:-1])
    if any(each.is_overdue_at(moment) and each.mitigated is None for each in known):
        raise typer.Exit(3)


def _say(finding: "Finding", *, json: bool) -> None:
    from recognizance.storage import now

    if json:
        print_json(_described(finding, now()))
    elif finding.mitigated is None:
        results.print(
            f"finding {finding.id} is on the record; an answer is due by {finding.due:%Y-%m-%d}", markup=False
        )
    else:
        results.print(f"finding {finding.id} is answered", markup=False)


def _described(finding: "Finding", moment: datetime) -> dict[str, object]:
    return {
        "finding": finding.id,
        "statement": finding.statement,
        "result_sha256": finding.result_sha256,
        "submitted": finding.submitted.isoformat(),
        "due": finding.due.isoformat(),
        "mitigation": finding.mitigation,
        "mitigated": None if finding.mitigated is None else finding.mitigated.isoformat(),
        "overdue": finding.is_overdue_at(moment),
    }
