"""The reference of all commands, written from the commands themselves: `docs/commands.md`."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

_INTRODUCTION = """# Commands

Results go to standard output, everything else to standard error. `--json` prints what a program reads. Exit status: 0
for success, 1 if the service or its data failed, 2 if the request has to change, 3 if a measurement was made and its
limits weren't shown to hold (`evaluate`).

Every command that needs an installation takes `--data`, or the environment variable `RECOGNIZANCE_DATA`.
"""


def commands_reference(app: typer.Typer) -> str:
    """Write a section for each command, in the order of `--help`: its purpose, its arguments and its options."""
    root = get_command(app)
    return "\n".join([_INTRODUCTION, *_sections(root, "recognizance")])


def _sections(command: Any, name: str) -> Iterator[str]:  # Typer carries its own copy of Click, whose types it hides
    subcommands = getattr(command, "commands", None)
    if subcommands is not None:
        for key, subcommand in subcommands.items():
            yield from _sections(subcommand, f"{name} {key}")
        return
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    usage = " ".join([name, *(parameter.name.upper() for parameter in arguments)])
    yield f"## {usage}\n\n{command.help}\n"
    rows = [row for parameter in command.params if (row := _row(parameter))]
    yield "| | default | |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _row(parameter: Any) -> str:
    text = getattr(parameter, "help", None) or ""
    if parameter.param_type_name == "argument":
        return f"| `{parameter.name.upper()}` | | {text} |"
    spelled = ", ".join(f"`{option}`" for option in parameter.opts)
    bare = parameter.is_flag or parameter.default is None
    default = "required" if parameter.required else "" if bare else f"`{_shown(parameter.default)}`"
    return f"| {spelled} | {default} | {text} |"


def _shown(default: object) -> str:
    return str(getattr(default, "value", default))
