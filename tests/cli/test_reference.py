"""The documentation of the commands is what the commands say of themselves."""

import subprocess
import sys
from pathlib import Path

from typer.main import get_command

from recognizance.cli import app
from recognizance.cli.reference import commands_reference

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_documentation_lists_every_command_as_it_is() -> None:
    """`docs/commands.md` is generated; `python -m tests.cli.write_reference` writes it again."""
    assert DOCS.read_text(encoding="utf-8") == commands_reference(app)


def test_every_option_of_every_command_is_explained() -> None:
    """No option is left to be guessed."""

    def unexplained(command: object, name: str) -> list[str]:
        found = [
            f"{name} {parameter.name}"
            for parameter in getattr(command, "params", [])
            if not getattr(parameter, "help", None) and parameter.name not in {"help", "install_completion"}
        ]
        for key, subcommand in getattr(command, "commands", {}).items():
            found += unexplained(subcommand, f"{name} {key}")
        return found

    assert unexplained(get_command(app), "recognizance") == []


def test_help_loads_nothing_heavy() -> None:
    """`--help` answers at once: no network, no database and no array library is imported for it."""
    heavy = ["numpy", "openvino", "sqlalchemy", "numba", "cv2", "botocore", "matplotlib", "cryptography"]
    program = f"import sys, recognizance.cli; print([name for name in {heavy} if name in sys.modules])"

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)

    assert said.stdout == "[]\n"
