"""`recognizance threshold`: the rule by which a search accepts a candidate, and how overseers change it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Json
from recognizance.cli.output import print_json, print_table, results, speaking_plainly
from recognizance.governance.oversight import Choice

if TYPE_CHECKING:
    from recognizance.governing.running import StatedRule, ThresholdRule
    from recognizance.governing.thresholds import ProposedRule

app = typer.Typer(help="The rule for thresholds: show it, propose another, vote, adopt.", no_args_is_help=True)

TableFile = Annotated[
    Path | None,
    typer.Option("--table", exists=True, dir_okay=False, help="Made by `evaluate calibrate`; without it, the present."),
]
MaxFpir = Annotated[
    float | None,
    typer.Option(
        min=0.0, max=1.0, help="The bound on the false positive identification rate; without it, the present."
    ),
]


@app.command("show")
@speaking_plainly
def show(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Show the rule in force and the changes that were proposed."""
    from recognizance.cli.opening import government_of

    with government_of(data) as governing:
        known, changes = governing.thresholds.in_force(), governing.thresholds.list()
    if json:
        rule = None if known is None else _rule(known.rule) | {"since": known.since.isoformat()}
        print_json({"in_force": rule, "changes": [_described(each) for each in changes]})
        return
    if known is None:
        results.print("no service has started here yet, so no rule is in force")
    else:
        results.print(f"in force since {known.since:%Y-%m-%d}: {_in_words(known.rule)}", markup=False)
    if changes:
        rows = [
            (each.change.id, each.change.state.value, _in_words(each.rule), each.change.summary) for each in changes
        ]
        print_table(("change", "state", "rule", "summary"), rows, whole=("change",))


@app.command("propose")
@speaking_plainly
def propose(
    summary: Annotated[str, typer.Argument(help="Why; public.")],
    table: TableFile = None,
    max_fpir: MaxFpir = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Propose another rule, for overseers to vote on."""
    from recognizance.cli.opening import actor, government_of

    asked = _asked_for(data, table, max_fpir)
    with government_of(data) as governing:
        proposed = governing.thresholds.propose(asked, summary, by=actor(acting_as))
    _say(proposed, json=json)


@app.command("vote")
@speaking_plainly
def vote(
    change: Annotated[str, typer.Argument(help="The change's id.")],
    choice: Annotated[Choice, typer.Argument(help="What the overseer decides.")],
    reasons: Annotated[str, typer.Option(help="Why; public.")],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Cast an overseer's vote on a change of the rule. It is public, with its reasons, and final."""
    from recognizance.cli.opening import actor, government_of

    with government_of(data) as governing:
        voted = governing.thresholds.vote(change, choice, reasons, by=actor(acting_as))
    _say(voted, json=json)


@app.command("adopt")
@speaking_plainly
def adopt(
    table: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Made by `evaluate calibrate`.")],
    max_fpir: MaxFpir = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Put a table in the place of the present one, from the next start on, if overseers approved it."""
    from recognizance.cli.measuring import write_files
    from recognizance.cli.opening import government_of
    from recognizance.evaluation.calibrate import checked
    from recognizance.faces import table_name
    from recognizance.office import TABLES_FOLDER

    text = table.read_text(encoding="utf-8")
    calibration, rule = checked(text), _asked_for(data, table, max_fpir).rule
    with government_of(data) as governing:
        governing.thresholds.require_startable(rule)
    place = data / TABLES_FOLDER / table_name(calibration.model)
    write_files(place.parent, {place.name: text.encode()})
    if json:
        print_json({"table": str(place), "rule": _rule(rule)})
    else:
        results.print(f"{place}: in effect from the next start; max_fpir has to be {rule.max_fpir:g}", markup=False)


def _asked_for(data: Path, table: Path | None, max_fpir: float | None) -> "StatedRule":
    """The rule with this table and bound, and with what the settings say where one isn't given."""
    from recognizance.config import read_settings
    from recognizance.errors import InputError
    from recognizance.evaluation.calibrate import checked
    from recognizance.governing.running import stated_rule
    from recognizance.office import calibration_of, open_models

    settings = read_settings(data)
    if table is None:
        calibration = calibration_of(data, settings)
    else:
        calibration = checked(table.read_text(encoding="utf-8"))
        model = open_models(data).model(settings.recogniser).id
        if calibration.model != model:
            raise InputError(f"{table} is a table of {calibration.model}, and the settings' recogniser is {model}")
    return stated_rule(calibration, max_fpir=settings.max_fpir if max_fpir is None else max_fpir)


def _say(known: "ProposedRule", *, json: bool) -> None:
    if json:
        print_json(_described(known))
    else:
        change = known.change
        results.print(f"change {change.id} is {change.state.value}: {_in_words(known.rule)}", markup=False)


def _described(known: "ProposedRule") -> dict[str, object]:
    change = known.change
    return {
        "change": change.id,
        "state": change.state.value,
        "summary": change.summary,
        "before": change.before_sha256,
        "after": change.after_sha256,
        "votes": len(change.votes),
        "approvals_needed": change.quorum.needed,
        "rule": _rule(known.rule),
    }


def _rule(rule: "ThresholdRule") -> dict[str, object]:
    return {"model": rule.model, "table_sha256": rule.table_sha256, "max_fpir": rule.max_fpir, "sha256": rule.sha256}


def _in_words(rule: "ThresholdRule") -> str:
    return f"{rule.model}, table {rule.table_sha256[:16]}, max_fpir {rule.max_fpir:g}"
