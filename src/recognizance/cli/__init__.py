"""The command line. Each file holds the commands of one subject; this one puts them together.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

from importlib.metadata import version
from typing import Annotated

import typer

from recognizance.cli import checkup, demo, faces, importing, keeping, keys, models, serving
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
        results.print(f"recognizance {version('recognizance')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options that come before a command."""


app.command("serve")(serving.serve)
app.command("import")(importing.import_photographs)
app.command("search")(faces.search)
app.command("compare")(faces.compare)
app.command("detect")(faces.detect)
app.add_typer(keys.app, name="keys")
app.add_typer(models.app, name="models")
app.command("backup")(keeping.backup)
app.command("rotate-master-key")(keeping.rotate_master_key)
app.command("doctor")(checkup.doctor)
app.command("demo")(demo.demo)


def main() -> None:
    """Run the command that the process was started with."""
    app()
