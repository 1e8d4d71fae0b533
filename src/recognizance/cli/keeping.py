"""`recognizance backup` and `rotate-master-key`: keeping what the records hold."""

from pathlib import Path
from typing import Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, Data
from recognizance.cli.output import notices, speaking_plainly


@speaking_plainly
def backup(
    target: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write; it must not exist.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Write a consistent copy of the records while the service runs. The master key isn't in it: keep that apart."""
    from recognizance.cli.opening import records_of

    with records_of(data) as records:
        records.backup(target)
    notices.print(f"wrote {target}; without the master key it is worthless, so keep a copy of that apart from it")
    notices.print(f"the records belong to the ledger: stop the server and copy {data}/ledger and ledger.key with them")


@speaking_plainly
def rotate_master_key(data: Data = DEFAULT_DATA) -> None:
    """Draw a new master key, put every data key under it, and drop the old one. A crash on the way loses nothing."""
    from recognizance.cli.opening import records_of
    from recognizance.config import read_settings
    from recognizance.records import replace_key_file
    from recognizance.storage import master_key_file

    path = master_key_file(data, read_settings(data))
    with records_of(data) as records:
        # In between, the file holds both keys: whatever is wrapped under either opens.
        records.rewrap(replace_key_file(path, keep_older=True))
        replace_key_file(path, keep_older=False)
    notices.print(f"{path} holds a new key; restart a server that is running, and replace your copy of the old one")
