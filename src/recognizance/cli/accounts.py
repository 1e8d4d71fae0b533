"""`recognizance account`: who can sign in to the pages.

A link is printed once, and is as good as a password for three days: give it to the person themselves.
"""

from typing import Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Json
from recognizance.cli.output import print_json, print_table, results, speaking_plainly

app = typer.Typer(help="Let people sign in to the pages, reset how they do, and stop it.", no_args_is_help=True)

PersonId = Annotated[str, typer.Argument(help="The person's pseudonym, as `person list` shows it.")]


@app.command()
@speaking_plainly
def invite(
    person: PersonId,
    login: Annotated[str, typer.Option(help="What they sign in with: an e-mail address, or a short name.")],
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Give somebody an account, and print the path of the page on which they choose a password."""
    from recognizance.cli.opening import actor, installed_office_of
    from recognizance.governance.parties import PersonId
    from recognizance.identifiers import PrincipalId

    with installed_office_of(data) as office:
        made = office.entrance.accounts.invite(PersonId(PrincipalId(person)), login, by=actor(acting_as))
    _say_link(made.token, made.expires.isoformat(), json=json)


@app.command()
@speaking_plainly
def reset(person: PersonId, data: Data = DEFAULT_DATA, acting_as: As = None, json: Json = False) -> None:
    """Take password and second factor away, end all sessions, and print a path to set both up again."""
    from recognizance.cli.opening import actor, installed_office_of
    from recognizance.governance.parties import PersonId
    from recognizance.identifiers import PrincipalId

    with installed_office_of(data) as office:
        made = office.entrance.accounts.reset(PersonId(PrincipalId(person)), by=actor(acting_as))
    _say_link(made.token, made.expires.isoformat(), json=json)


@app.command()
@speaking_plainly
def disable(person: PersonId, data: Data = DEFAULT_DATA, acting_as: As = None) -> None:
    """Let nobody sign in as this person any more, and end their sessions."""
    from recognizance.cli.opening import actor, installed_office_of
    from recognizance.governance.parties import PersonId
    from recognizance.identifiers import PrincipalId

    with installed_office_of(data) as office:
        office.entrance.accounts.disable(PersonId(PrincipalId(person)), by=actor(acting_as))


@app.command()
@speaking_plainly
def enable(person: PersonId, data: Data = DEFAULT_DATA, acting_as: As = None) -> None:
    """Let a person whose account was disabled sign in again."""
    from recognizance.cli.opening import actor, installed_office_of
    from recognizance.governance.parties import PersonId
    from recognizance.identifiers import PrincipalId

    with installed_office_of(data) as office:
        office.entrance.accounts.enable(PersonId(PrincipalId(person)), by=actor(acting_as))


@app.command()
@speaking_plainly
def link(
    person: PersonId,
    issuer: Annotated[str, typer.Option(help="The OpenID provider, as its tokens name it.")],
    subject: Annotated[str, typer.Option(help="What the provider calls the person (`sub`).")],
    data: Data = DEFAULT_DATA,
    acting_as: As = None,
) -> None:
    """Let a person with an account sign in at the OpenID provider instead."""
    from recognizance.cli.opening import actor, installed_office_of
    from recognizance.governance.parties import PersonId
    from recognizance.identifiers import PrincipalId

    with installed_office_of(data) as office:
        office.entrance.accounts.link_identity(PersonId(PrincipalId(person)), issuer, subject, by=actor(acting_as))


@app.command("list")
@speaking_plainly
def list_accounts(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List the accounts, for whoever runs the machine."""
    from recognizance.cli.opening import installed_office_of

    with installed_office_of(data) as office:
        accounts = office.entrance.accounts
        known = [(account, state, accounts.is_doubly_guarded(account)) for account, state in accounts.list()]
    if json:
        print_json(
            {
                "accounts": [
                    {
                        "person": account.person,
                        "login": account.login,
                        "state": state.value,
                        "second_factor": guarded,
                        "identity": account.identity or None,
                    }
                    for account, state, guarded in known
                ]
            }
        )
        return
    rows = [(each.person, each.login, state.value, "yes" if guarded else "no") for each, state, guarded in known]
    print_table(("pseudonym", "login", "state", "second factor"), rows, whole=("pseudonym", "login"))


def _say_link(token: str, expires: str, *, json: bool) -> None:
    path = f"/invitation/{token}"
    if json:
        print_json({"path": path, "expires": expires})
    else:
        results.print(
            f"path     {path}\nexpires  {expires}\nIt works once, for whoever has it: give it to nobody else."
        )
