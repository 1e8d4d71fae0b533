"""`recognizance ledger`: checking, proving, copying and witnessing, with static files and a public key alone.

Works on the files of any log of this form, wherever they are: a data folder, a copy of the public files, a ZIP file, or
an address. Nothing here opens a database but `check-records`, and nothing else but `key`, `rotate-key` and a data
folder's default reads a secret.
"""

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, Data, Json
from recognizance.cli.output import EXIT_FAILED, notices, print_json, progress, results, speaking_plainly, steps

if TYPE_CHECKING:
    from recognizance.ledger import Source, VerifierKey

app = typer.Typer(help="Verify, prove, copy and witness the ledger.", no_args_is_help=True)

_PLACE = "A data folder, a copy of the ledger's files, a ZIP file, or an address."
Place = Annotated[str, typer.Argument(envvar="RECOGNIZANCE_DATA", help=_PLACE)]
LedgerPlace = Annotated[str, typer.Option("--data", "--from", envvar="RECOGNIZANCE_DATA", help=_PLACE)]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="The log's public key, name+hash+base64; several if it was changed."),
]


@app.command("key")
@speaking_plainly
def show_key(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Print the ledger's public key, which whoever verifies it needs from elsewhere than the ledger itself."""
    from recognizance.recording import known_keys

    verifier, *former = known_keys(data)
    if json:
        print_json({"origin": verifier.name, "key": str(verifier), "former_keys": list(map(str, former))})
    else:
        results.print(str(verifier), markup=False)
    if former and not json:
        notices.print("before it, for older checkpoints:\n" + "\n".join(map(str, former)), markup=False)


@app.command("rotate-key")
@speaking_plainly
def rotate_key(
    reason: Annotated[str, typer.Option(help="Why it is changed; public.")],
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Change the key that signs the ledger; the server has to be stopped. A crash on the way loses nothing.

    An entry under the former key names the new one. Publish the new key where the former one was published, keep the
    former one there for older checkpoints, and give the new one to witnesses beside it.
    """
    from recognizance.cli.opening import records_of
    from recognizance.config import read_settings
    from recognizance.recording import known_keys
    from recognizance.recording import rotate_key as change_key
    from recognizance.storage import open_recorder

    settings = read_settings(data)
    with records_of(data) as records:
        verifier = change_key(data, lambda: open_recorder(data, settings, records), reason=reason)
    if json:
        print_json({"key": str(verifier), "former_keys": list(map(str, known_keys(data)[1:]))})
    else:
        results.print(str(verifier), markup=False)


@app.command()
@speaking_plainly
def verify(
    place: Place = str(DEFAULT_DATA),
    key: Keys = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(exists=True, dir_okay=False, help="A checkpoint from before, which the log has to continue."),
    ] = None,
    witness: Annotated[list[str] | None, typer.Option(help="A witness's public key.")] = None,
    quorum: Annotated[int, typer.Option(min=0, help="How many of the witnesses must have cosigned.")] = 0,
    json: Json = False,
) -> None:
    """Recompute the whole ledger and hold it against its signed checkpoint; exit status 1 if anything is wrong."""
    from recognizance.ledger import VerifierKey
    from recognizance.ledger import verify as verify_log

    source, keys = _source(place), _keys(place, key)
    earlier = [path.read_bytes() for path in checkpoint or ()]
    with progress("verifying", None) as advance:
        report = verify_log(
            source,
            keys,
            witnesses=[VerifierKey.parse(text) for text in witness or ()],
            quorum=quorum,
            earlier=earlier,
            progress=steps(advance),
        )
    size = None if report.checkpoint is None else report.checkpoint.size
    if json:
        findings = [
            {"trouble": found.trouble.value, "where": found.where, "detail": found.detail, "entry": found.index}
            for found in report.findings
        ]
        origin = None if report.checkpoint is None else report.checkpoint.origin
        root = None if report.checkpoint is None else base64.b64encode(report.checkpoint.root).decode()
        print_json(
            {
                "sound": report.is_sound,
                "origin": origin,
                "size": size,
                "root": root,
                "entries": report.entries,
                "unknown_entries": report.unknown_entries,
                "witnesses": [each.name for each in report.witnesses],
                "findings": findings,
            }
        )
    else:
        for found in report.findings:
            results.print(str(found), markup=False)
        if report.is_sound and report.checkpoint is not None:
            results.print(
                f"sound: {report.entries} entries of {report.checkpoint.origin}, {len(report.witnesses)} witnesses",
                markup=False,
            )
    if not report.is_sound:
        raise typer.Exit(1)


@app.command("check-records")
@speaking_plainly
def check_records(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Hold the records against the ledger, row by row: what was edited, dropped, swapped or put back is named.

    Verify the ledger itself first: what it says is believed here. Exit status 1 if anything differs.
    """
    from recognizance.agreement import check_agreement
    from recognizance.cli.opening import records_of

    source, keys = _source(str(data)), _keys(str(data), None)
    with records_of(data) as records, progress("comparing", None) as advance:
        found = check_agreement(records, source, keys, progress=steps(advance))
    if json:
        rows = [{"table": each.table, "row": each.row, "text": each.text, "entry": each.entry} for each in found]
        print_json({"agree": not found, "disagreements": rows})
    else:
        results.print("\n".join(map(str, found)) or "records and ledger agree", markup=False)
    if found:
        raise typer.Exit(1)


@app.command()
@speaking_plainly
def prove(
    index: Annotated[int, typer.Argument(min=0, help="The entry's index.")],
    place: LedgerPlace = str(DEFAULT_DATA),
    key: Keys = None,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the proof here, as a `.tlog-proof` file.")
    ] = None,
    json: Json = False,
) -> None:
    """Print an entry, and the proof that it is in the ledger."""
    from recognizance.ledger import prove as prove_entry

    proven = prove_entry(_source(place), _keys(place, key), index)
    if out is not None:
        _write(out, proven.receipt.data)
    if json:
        print_json(
            {
                "index": index,
                "entry": proven.entry.decode(),
                "receipt": base64.b64encode(proven.receipt.data).decode(),
            }
        )
        return
    results.print(proven.entry.decode(), markup=False)
    if out is None:
        results.print(proven.receipt.data.decode(), markup=False, end="")
    else:
        notices.print(f"wrote {out}", markup=False)


@app.command("check-receipt")
@speaking_plainly
def check_receipt(
    receipt: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="A `.tlog-proof` file, or what the header x-recognizance-receipt says."
        ),
    ],
    place: LedgerPlace = str(DEFAULT_DATA),
    entry: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The entry's JSON; then no ledger is needed, and none is read."),
    ] = None,
    key: Keys = None,
    json: Json = False,
) -> None:
    """Check a receipt that was kept: its entry is in the ledger, which still continues what was signed then.

    Prints the entry. Exit status 1 if the receipt doesn't hold.
    """
    from recognizance.errors import InputError
    from recognizance.ledger import Receipt, find_receipted

    kept, keys = Receipt.parse(_receipt_in(receipt.read_bytes())), _keys(place, key)
    try:
        # An editor or a shell may have ended the line; an entry never ends with one.
        given = None if entry is None else entry.read_bytes().removesuffix(b"\n")
        found = find_receipted(_source(place), keys, kept) if given is None else given
        checkpoint = kept.verify(found, keys).checkpoint
    except InputError as error:
        notices.print(f"{receipt.name} doesn't hold: {error}", style="bold red", markup=False)
        raise typer.Exit(EXIT_FAILED) from error
    if json:
        print_json(
            {
                "origin": checkpoint.origin,
                "index": kept.index,
                "size": checkpoint.size,
                "ledger_continues": None if entry is not None else True,
                "entry": found.decode(),
            }
        )
        return
    still = "" if entry is not None else f", which the one at {place} continues"
    notices.print(
        f"it holds: entry {kept.index} of {checkpoint.origin}, signed at {checkpoint.size} entries{still}",
        markup=False,
    )
    results.print(found.decode(), markup=False)


@app.command()
@speaking_plainly
def export(
    out: Annotated[Path, typer.Argument(help="A new folder, or a new file that ends in .zip.")],
    place: LedgerPlace = str(DEFAULT_DATA),
    json: Json = False,
) -> None:
    """Copy the ledger's public files, for a web server, a bucket, or somebody who will check them."""
    from recognizance.ledger import export_archive, export_folder

    source = _source(place)
    with progress("copying", None) as advance:
        copy = export_archive if out.suffix == ".zip" else export_folder
        checkpoint = copy(source, out, progress=steps(advance))
    if json:
        print_json({"origin": checkpoint.origin, "size": checkpoint.size, "out": str(out)})
    else:
        results.print(f"wrote {checkpoint.size} entries of {checkpoint.origin} to {out}", markup=False)


@app.command()
@speaking_plainly
def witness(
    name: Annotated[str, typer.Argument(help="What the witness is called, such as witness.example.org.")],
    log: Annotated[list[str], typer.Option("--log", help="Public key of a log to witness; several are possible.")],
    folder: Annotated[Path, typer.Option(file_okay=False, help="Where it keeps its key and what it has seen.")] = Path(
        "witness"
    ),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on.")] = 8090,
) -> None:
    """Witness others' logs: cosign the checkpoints of those that only ever grow (c2sp.org/tlog-witness)."""
    import time
    from contextlib import closing

    import uvicorn

    from recognizance.ledger import VerifierKey, Witness
    from recognizance.ledger.witness_server import FolderWitnessStore, witness_app
    from recognizance.recording import draw_key, read_key

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_file = folder / "witness.key"
    key = read_key(key_file, origin=name) if key_file.exists() else draw_key(key_file, origin=name)
    known: dict[str, tuple[VerifierKey, ...]] = {}
    for text in log:
        verifier = VerifierKey.parse(text)
        known[verifier.name] = (*known.get(verifier.name, ()), verifier)
    with closing(FolderWitnessStore(folder)) as store:
        notices.print(f"{key.cosigner}\nwitnesses {', '.join(known)} at http://{host}:{port}", markup=False)
        uvicorn.run(
            witness_app(Witness(key, known, store, now_s=lambda: int(time.time()))),
            host=host,
            port=port,
            log_level="warning",
        )


def _source(place: str) -> "Source":
    from recognizance.config import read_settings
    from recognizance.ledger import source_at
    from recognizance.recording import LEDGER_FOLDER
    from recognizance.storage import public_folder

    is_data = (Path(place) / LEDGER_FOLDER).is_dir()
    return source_at(str(public_folder(Path(place), read_settings(Path(place)))) if is_data else place)


def _keys(place: str, given: list[str] | None) -> "tuple[VerifierKey, ...]":
    from recognizance.errors import InputError
    from recognizance.ledger import VerifierKey
    from recognizance.recording import KEY_FILE, known_keys

    if given:
        return tuple(VerifierKey.parse(text) for text in given)
    own = Path(place) / KEY_FILE
    if not own.exists():
        raise InputError("the log's public key has to be given with --key; a ledger can't vouch for itself")
    return known_keys(Path(place))


def _receipt_in(data: bytes) -> bytes:
    """A receipt as it is, or out of the base64 that an answer's header carries."""
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        return data


def _write(path: Path, data: bytes) -> None:
    from recognizance.errors import UnavailableError

    try:
        path.write_bytes(data)
    except OSError as error:
        raise UnavailableError(f"can't write {path}: {error.strerror}") from error
