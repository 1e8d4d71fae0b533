"""`recognizance backup`, `restore`, `reconcile` and `rotate-master-key`: keeping what an installation holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Json
from recognizance.cli.output import notices, print_json, progress, results, speaking_plainly, steps

if TYPE_CHECKING:
    from recognizance.keeping.reconcile import Reconciled

Reason = Annotated[str, typer.Option("--reason", help="Why the records were put back; public, in the ledger.")]


@speaking_plainly
def backup(
    target: Annotated[Path, typer.Argument(file_okay=False, help="The folder to write; it must not exist.")],
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Write records, ledger and the ledger's key to one folder, at one moment, while the service runs.

    All of it is sealed; the master key isn't in it. Keep that apart.
    """
    from recognizance.cli.opening import records_of
    from recognizance.keeping.backup import back_up
    from recognizance.storage import now

    with records_of(data) as records, progress("copying the ledger", None) as advance:
        manifest = back_up(data, records, target, now=now(), progress=lambda _done, _total: advance(1))
    if json:
        print_json({"backup": str(target), "entries": manifest.entries, "origin": manifest.origin})
        return
    results.print(f"{target}: records, and the {manifest.entries} entries of the ledger that they know")
    notices.print("without the master key it is worthless, so keep a copy of that apart from it")


@speaking_plainly
def restore(
    backup_folder: Annotated[
        Path, typer.Argument(metavar="BACKUP", exists=True, file_okay=False, help="What `backup` wrote.")
    ],
    master_key: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The file of its master key.")],
    reason: Reason,
    ledger: Annotated[
        str | None,
        typer.Option(help="The newest copy of the ledger's public files: a folder, a ZIP file, or an address."),
    ] = None,
    nothing_published_since: Annotated[
        bool,
        typer.Option(
            "--nothing-published-since",
            help="Go on from the backup's own ledger: nobody has seen an entry or a receipt that it doesn't have.",
        ),
    ] = False,
    ledger_key: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="The file of the ledger's key, if that was changed after the backup."
        ),
    ] = None,
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Put a backup back into a new data folder, on the newest ledger that there is, and reconcile the two."""
    from recognizance.errors import InputError
    from recognizance.keeping.restore import restore as put_back
    from recognizance.ledger import source_at

    if (ledger is None) != nothing_published_since:
        raise InputError(
            "say where the newest copy of the ledger is with --ledger, or that the backup's own is the newest with"
            " --nothing-published-since: two continuations of one ledger are a fork, and witnesses name it"
        )
    source = None if ledger is None else source_at(ledger)
    with progress("putting the ledger back", None) as advance:
        put_back(
            backup_folder,
            data,
            master_key=master_key,
            ledger=source,
            ledger_key=ledger_key,
            progress=lambda _done, _total: advance(1),
        )
    _say(_finish(data, reason, acting_as), json=json)


@speaking_plainly
def reconcile(reason: Reason, data: Data = DEFAULT_DATA, acting_as: As = None, json: Json = False) -> None:
    """Bring records that were put back from an older copy to agree with a ledger that went on. Stop the server first.

    The ledger is never rewritten: an entry says which entries the records have lost.
    """
    from recognizance.cli.opening import records_of
    from recognizance.config import read_settings
    from recognizance.keeping.reconcile import adopt
    from recognizance.recording import KEY_FILE, read_key
    from recognizance.storage import public_folder

    with records_of(data) as records:
        key, public = read_key(data / KEY_FILE, origin=""), public_folder(data, read_settings(data))
        gap = adopt(data, records, key, public=public)
    if gap is None:
        notices.print("records and ledger agree; there is nothing to reconcile")
        return
    _say(_finish(data, reason, acting_as), json=json)


def _finish(data: Path, reason: str, acting_as: str | None) -> "Reconciled":
    from contextlib import closing

    from recognizance.cli.opening import actor, permit_here
    from recognizance.config import read_settings
    from recognizance.keeping.reconcile import finish
    from recognizance.ledger import FolderSource
    from recognizance.office import open_office
    from recognizance.permits import Action
    from recognizance.reviewing.upkeep import withdraw_use
    from recognizance.storage import now

    with (
        closing(open_office(data, read_settings(data), reconciling=True)) as office,
        progress("erasing galleries again, by rows", None) as advance,
    ):
        return finish(
            FolderSource(office.recorder.public),
            office.records,
            office.recorder,
            office.erasure,
            permit_for=lambda gallery: permit_here(office, Action.MANAGE_GALLERY, gallery),
            ends_use=withdraw_use,
            now=now(),
            reason=reason,
            by=actor(acting_as).principal.id,
            progress=steps(advance),
        )


def _say(done: "Reconciled", *, json: bool) -> None:
    if json:
        print_json(
            {
                "known_entries": done.gap.known,
                "ledger_entries": done.gap.ledger,
                "unknown_entries": done.gap.unknown,
                "galleries_erased": list(done.galleries_erased),
                "rights_ended": list(done.rights_ended),
                "erasures_to_repeat": [
                    {
                        "entry": each.index,
                        "at": each.at.isoformat(),
                        "gallery": each.gallery,
                        "scope": each.scope,
                        "faces": each.faces,
                        "request": each.request,
                    }
                    for each in done.to_repeat
                ],
                "holds_lost": done.holds_lost,
            }
        )
        return
    gap = done.gap
    if gap.unknown:
        results.print(
            f"the records knew {gap.known} entries of {gap.ledger}; {gap.unknown} are lost to them, and stay public"
        )
    else:
        results.print(f"the records know all {gap.ledger} entries of the ledger; nothing is lost")
    for title, names in (("erased again", done.galleries_erased), ("stopped again", done.rights_ended)):
        for name in names:
            results.print(f"{title}: {name}", markup=False)
    for each in done.to_repeat:
        asked = "" if each.request is None else f", request {each.request}"
        notices.print(
            f"entry {each.index} ({each.at:%Y-%m-%d}): erase {each.faces} faces ({each.scope}) of gallery"
            f" {each.gallery} again{asked}",
            markup=False,
        )
    if done.holds_lost:
        notices.print(f"{done.holds_lost} orders to preserve were lost and have to be entered again")


@speaking_plainly
def rotate_master_key(data: Data = DEFAULT_DATA) -> None:
    """Draw a new master key, put every data key under it, and drop the old one. A crash on the way loses nothing.

    Backups from before open with the old key alone: keep your copy of it for as long as you keep them.
    """
    from recognizance.cli.opening import records_of
    from recognizance.config import read_settings
    from recognizance.records import replace_key_file
    from recognizance.storage import master_key_file

    path = master_key_file(data, read_settings(data))
    with records_of(data) as records:
        # In between, the file holds both keys: whatever is wrapped under either opens.
        records.rewrap(replace_key_file(path, keep_older=True))
        replace_key_file(path, keep_older=False)
    notices.print(
        f"{path} holds a new key: copy it elsewhere, and restart a server that is running. Keep your copy of the old"
        " one for as long as you keep backups from before, which open with nothing else."
    )
