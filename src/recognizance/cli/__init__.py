"""The command line. Each file holds the commands of one subject; this one puts them together.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

from typing import Annotated

import typer

from recognizance.cli import (
    accounts,
    checkup,
    comments,
    demo,
    desk,
    evaluating,
    faces,
    governing,
    importing,
    keeping,
    keys,
    ledger,
    marks,
    models,
    publishing,
    register,
    retention,
    reviewing,
    serving,
    thresholds,
    unit,
    uses,
)
from recognizance.cli.output import results

__all__ = ["app", "main"]

app = typer.Typer(
    name="recognizance",
    help="Face recognition that answers for itself: Amazon Rekognition's face API on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        results.print(f"recognizance {version('recognizance')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options that come before a command."""


app.command("init")(governing.init)
app.command("serve")(serving.serve)
app.command("unit")(unit.unit)
app.command("import")(importing.import_photographs)
app.command("search")(faces.search)
app.command("compare")(faces.compare)
app.command("detect")(faces.detect)
app.add_typer(keys.app, name="keys")
app.add_typer(governing.agency_app, name="agency")
app.add_typer(governing.person_app, name="person")
app.add_typer(accounts.app, name="account")
app.add_typer(governing.training_app, name="training")
app.add_typer(governing.gallery_app, name="gallery")
app.add_typer(uses.app, name="use")
app.add_typer(comments.app, name="comment")
app.command("vote")(uses.vote)
app.add_typer(desk.app, name="desk")
app.add_typer(retention.app, name="retention")
app.add_typer(marks.app, name="mark")
app.add_typer(evaluating.app, name="evaluate")
app.add_typer(thresholds.app, name="threshold")
app.add_typer(ledger.app, name="ledger")
app.add_typer(models.app, name="models")
app.add_typer(publishing.publish_app, name="publish")
app.add_typer(publishing.incident_app, name="incident")
app.command("register")(register.register)
app.command("report")(register.report)
app.add_typer(reviewing.review_app, name="review")
app.add_typer(reviewing.lead_app, name="lead")
app.command("disclose")(reviewing.disclose)
app.command("verify-disclosure")(reviewing.verify_disclosure)
app.command("backup")(keeping.backup)
app.command("restore")(keeping.restore)
app.command("reconcile")(keeping.reconcile)
app.command("rotate-master-key")(keeping.rotate_master_key)
app.command("doctor")(checkup.doctor)
app.command("demo")(demo.demo)


def main() -> None:
    """Run the command that the process was started with."""
    app()
