"""Options that several commands share, spelled once."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from recognizance.governance.purposes import Declaration


def one_of(choices: type[StrEnum]) -> str:
    """What may be chosen, for a help text: the parser's own list is broken within words where it is long.

    >>> one_of(Declaration)
    'protected_trait, lawful_protest, immigration_status or prediction'
    """
    *most, last = (each.value for each in choices)
    return f"{', '.join(most)} or {last}"


Data = Annotated[
    Path,
    typer.Option(
        "--data",
        envvar="RECOGNIZANCE_DATA",
        file_okay=False,
        help="Data folder of the installation; its first start, `init` or `import` makes it.",
    ),
]

DEFAULT_DATA = Path("data")

Json = Annotated[bool, typer.Option("--json", help="Print one line of JSON, for a program to read.")]

Gallery = Annotated[str, typer.Option("--gallery", help="The gallery's name (a CollectionId at the API).")]

Use = Annotated[
    str | None, typer.Option("--use", help="The use on whose behalf this is done; in a private installation, none.")
]
Case = Annotated[str | None, typer.Option("--case", help="The case that this is done for.")]
Justification = Annotated[str | None, typer.Option("--justification", help="Why this search is needed.")]
Declared = Annotated[
    list[Declaration] | None,
    typer.Option(
        "--declare",
        metavar="AIM",
        help=f"An aim that no use allows, stated truthfully: {one_of(Declaration)}. It is refused, on the record.",
    ),
]
Offence = Annotated[str | None, typer.Option("--offence", help="The offence, as the use lists it.")]

Expires = Annotated[
    datetime | None,
    typer.Option(
        "--expires",
        metavar="MOMENT",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"],
        help="When it works no more, UTC: 2027-01-31, or 2027-01-31T18:00.",
    ),
]

As = Annotated[
    str | None,
    typer.Option("--as", help="Pseudonym of whoever acts; without it, whoever runs the machine."),
]

Image = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A JPEG, PNG, WebP or HEIC file.")
]
