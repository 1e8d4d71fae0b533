"""`recognizance register` and `recognizance report`: what the public is told, from a ledger's public files alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import Json
from recognizance.cli.output import notices, print_json, progress, results, speaking_plainly
from recognizance.errors import InputError

if TYPE_CHECKING:
    from recognizance.register import Reading

STATE_FILE = "register.state.json"

Ledger = Annotated[
    str, typer.Option("--ledger", help="Folder, ZIP file or http(s) address of the ledger's public files.")
]
Key = Annotated[
    list[str] | None,
    typer.Option("--key", help="The ledger's public key (name+hash+base64), and those before it; else its own word."),
]
Out = Annotated[Path, typer.Option("--out", file_okay=False, help="Folder to write into; it's created.")]


@speaking_plainly
def register(
    ledger: Ledger,
    out: Out,
    key: Key = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Read the ledger from its first entry, whatever was read before.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the public register: register.json, its JSON Schema, and a CSV file for each section.

    What was read stays in the folder, so that the next run reads only what is new.
    """
    from recognizance.register import build_register, load_reading, register_files, save_reading

    saved = out / STATE_FILE
    earlier = load_reading(saved.read_bytes()) if saved.is_file() and not anew else None
    reading = _read(ledger, key, earlier)
    written = [*register_files(build_register(reading)), (STATE_FILE, save_reading(reading))]
    for path, data in written:
        _write(out / path, data)
    fresh = reading.state.size - (earlier.state.size if earlier else 0)
    if json:
        print_json(
            {
                "entries": reading.state.size,
                "new": fresh,
                "origin": reading.origin,
                "files": [path for path, _ in written],
            }
        )
    else:
        results.print(f"{out}: the register of {reading.origin} at {reading.state.size} entries, {fresh} of them new")


@speaking_plainly
def report(
    ledger: Ledger,
    agency: Annotated[str, typer.Option("--agency", help="The agency, as the ledger names it.")],
    out: Out,
    month: Annotated[str | None, typer.Option("--month", help="The month, like 2026-01.")] = None,
    year: Annotated[str | None, typer.Option("--year", help="The year, like 2026.")] = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Write an agency's monthly or yearly report as HTML and PDF."""
    from recognizance.register.reports import Period, agency_report, write_html, write_pdf

    if (month is None) == (year is None):
        raise InputError("state either --month or --year")
    period = Period.parse(month or year or "")
    if (period.month is None) != (month is None):
        raise InputError("--month takes a month like 2026-01, and --year a year like 2026")
    written = agency_report(_read(ledger, key, None), agency, period)
    stem = f"{_file_name(agency)}-{period}"
    paths = [out / f"{stem}.html", out / f"{stem}.pdf"]
    for path, data in zip(paths, (write_html(written), write_pdf(written)), strict=True):
        _write(path, data)
    if json:
        print_json({"agency": agency, "period": str(period), "files": [path.name for path in paths]})
    else:
        results.print(f"{paths[0]} and {paths[1].name}", markup=False)


def _read(ledger: str, key: list[str] | None, earlier: "Reading | None") -> "Reading":
    from recognizance.ledger import VerifierKey, source_at
    from recognizance.register import keys_stated_by, read_log

    source = source_at(ledger)
    if key:
        keys = tuple(map(VerifierKey.parse, key))
    else:
        keys = keys_stated_by(source)
        notices.print(f"no --key was given: believing the ledger's own word that its key is {keys[0]}", markup=False)
    with progress("entries", None) as advance:
        done = 0

        def tell(now: int, _total: int) -> None:
            nonlocal done
            advance(now - done)
            done = now

        return read_log(source, keys, earlier=earlier, progress=tell)


def _file_name(agency: str) -> str:
    """An agency's name may hold a path's separators, and never leads out of the folder."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in agency)


def _write(path: Path, data: bytes) -> None:
    """Replace a file whole, so that whoever serves the folder never serves half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(data)
    beside.replace(path)
