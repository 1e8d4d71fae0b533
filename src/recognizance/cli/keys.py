"""`recognizance keys`: the access keys that programs sign their requests with."""

from datetime import UTC
from typing import Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, Data, Expires, Json
from recognizance.cli.output import print_json, print_table, results, speaking_plainly
from recognizance.identifiers import AccessKeyId

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
        known = keys.list()
    if json:
        print_json(
            {
                "keys": [
                    {
                        "access_key_id": key.id,
                        "principal": key.principal,
                        "created": key.created.isoformat(),
                        "active": key.active,
                    }
                    for key in known
                ]
            }
        )
        return
    rows = [
        (key.id, key.principal, f"{key.created:%Y-%m-%d %H:%M} UTC", "active" if key.active else "off") for key in known
    ]
    print_table(("access key id", "belongs to", "created", "state"), rows, whole=("access key id", "belongs to"))


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
