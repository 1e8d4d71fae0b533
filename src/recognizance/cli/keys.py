"""`recognizance keys`: the access keys that programs sign their requests with."""

from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, Data, Expires, Json
from recognizance.cli.output import print_json, print_table, results, speaking_plainly
from recognizance.identifiers import AccessKeyId

if TYPE_CHECKING:
    from datetime import datetime

    from recognizance.records import AccessKey as AccessKeyRow

app = typer.Typer(help="Create, list, switch off and delete access keys.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(help="The access key's id.")]


@app.command()
@speaking_plainly
def create(expires: Expires = None, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Draw a key pair. Its secret is printed now and never again."""
    from recognizance.cli.opening import keys_of

    with keys_of(data) as keys:
        issued = keys.create(expires=None if expires is None else expires.replace(tzinfo=UTC))
    if json:
        print_json({"access_key_id": issued.id, "secret_access_key": issued.secret})
    else:
        results.print(f"access key id      {issued.id}\nsecret access key  {issued.secret}")


@app.command("list")
@speaking_plainly
def list_keys(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List the keys, without their secrets."""
    from recognizance.cli.opening import keys_of

    with keys_of(data) as keys:
        known, limits = keys.list(), keys.limits()
    ends = {key: limit.expires for key, limit in limits.items() if limit.expires is not None}
    uses = {key: limit.bound_use for key, limit in limits.items()}
    if json:
        print_json(
            {
                "keys": [
                    {
                        "access_key_id": key.id,
                        "principal": key.principal,
                        "created": key.created.isoformat(),
                        "active": key.active,
                        "expires": ends[key.id].isoformat() if key.id in ends else None,
                        "use": uses.get(key.id),
                    }
                    for key in known
                ]
            }
        )
        return
    rows = [
        (key.id, key.principal, uses.get(key.id) or "", f"{key.created:%Y-%m-%d}", _state(key, ends.get(key.id)))
        for key in known
    ]
    columns = ("access key id", "belongs to", "only for", "created", "state")
    print_table(columns, rows, whole=("access key id", "belongs to", "created"))


def _state(key: "AccessKeyRow", ends: "datetime | None") -> str:
    from recognizance.storage import now

    if not key.active:
        return "off"
    if ends is None:
        return "active"
    return f"{'active until' if now() < ends else 'expired'} {ends:%Y-%m-%d %H:%M} UTC"


@app.command()
@speaking_plainly
def disable(key: Key, data: Data = DEFAULT_DATA) -> None:
    """Switch a key off, from the next request on."""
    from recognizance.cli.opening import keys_of

    with keys_of(data) as keys:
        keys.switch(AccessKeyId(key), active=False)


@app.command()
@speaking_plainly
def enable(key: Key, data: Data = DEFAULT_DATA) -> None:
    """Switch a key on again."""
    from recognizance.cli.opening import keys_of

    with keys_of(data) as keys:
        keys.switch(AccessKeyId(key), active=True)


@app.command()
@speaking_plainly
def delete(key: Key, data: Data = DEFAULT_DATA) -> None:
    """Delete a key and its secret."""
    from recognizance.cli.opening import keys_of

    with keys_of(data) as keys:
        keys.delete(AccessKeyId(key))
