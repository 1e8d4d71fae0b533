"""`recognizance unit`: a hardened unit of systemd, with the command of this very installation in it."""

import os
import shutil
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from recognizance.cli.output import speaking_plainly


@speaking_plainly
def unit(
    command: Annotated[
        Path | None, typer.Option(help="The command to start; without it, the one that prints this.")
    ] = None,
) -> None:
    """Print a unit of systemd that runs `recognizance serve` in a sandbox, under an account of its own."""
    typer.echo(unit_text(command or own_command()), nl=False)


def unit_text(command: Path) -> str:
    """The unit that starts `command`.

    Raises:
        InputError: If systemd would read the path as several words, or as something else than itself.
    """
    from recognizance.errors import InputError

    path = str(command)
    if not command.is_absolute() or any(character.isspace() or character in "%$\"'\\;" for character in path):
        raise InputError(f"a unit starts an absolute path without spaces, quotes, % and $; this is {path!r}")
    text = resources.files("recognizance.cli").joinpath("recognizance.service").read_text(encoding="utf-8")
    return text.replace("{command}", path)


def own_command() -> Path:
    """Where this program's own command is; its Python's, if it was started in another way."""
    beside = Path(sys.executable).with_name("recognizance")
    found = beside if beside.exists() else Path(shutil.which("recognizance") or beside)
    return Path(os.path.abspath(found))  # noqa: PTH100  # `absolute` keeps `..`; `resolve` would leave the environment
