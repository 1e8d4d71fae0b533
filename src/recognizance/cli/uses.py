"""`recognizance use` and `recognizance vote`: proposing, discussing, deciding and stopping uses."""

import json as json_reader
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Json
from recognizance.cli.output import notices, print_json, print_table, results, speaking_plainly
from recognizance.governance.oversight import Choice

if TYPE_CHECKING:
    from recognizance.documents import UseRecord
    from recognizance.governance.gate import Evidence
    from recognizance.governance.uses import Use

app = typer.Typer(help="Propose, discuss, show and stop uses.", no_args_is_help=True)

UseArgument = Annotated[str, typer.Argument(help="The use's id; `AssumeRole` names it as role.")]
Reasons = Annotated[str, typer.Option(help="Why; public.")]


@app.command("propose")
@speaking_plainly
def propose(
    use: UseArgument,
    terms: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The terms as JSON; docs/governance.md has an example.")
    ],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Propose a use of the caller's own agency, with the terms that overseers vote on."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.errors import InputError
    from recognizance.governance.codec import parse_document
    from recognizance.governance.parties import UseId
    from recognizance.governance.terms import UseTerms

    try:
        written = json_reader.loads(terms.read_text(encoding="utf-8"))
        parsed = parse_document(UseTerms, written)
    except (ValueError, InputError) as error:
        raise InputError(f"{terms}: {error}") from error
    with government_of(data) as governing:
        proposed = governing.uses.propose(UseId(use), parsed, by=actor(acting_as))
        evidence = governing.uses.evidence(proposed.id)
    _say(proposed, json=json)
    _warn(evidence)


@app.command("list")
@speaking_plainly
def list_uses(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List the uses as they stand now."""
    from recognizance.cli.opening import government_of

    with government_of(data) as governing:
        known = governing.uses.list()
    if json:
        print_json({"uses": [_described(record) for record in known]})
        return
    rows = [
        (
            use.id,
            use.terms.agency,
            use.terms.gallery or "",
            use.terms.purpose.value,
            use.state.value,
            f"{use.ends_at:%Y-%m-%d}",
        )
        for use in (record.use for record in known)
    ]
    columns = ("use", "agency", "gallery", "purpose", "state", "ends")
    print_table(columns, rows, whole=("use", "agency", "gallery", "ends"))


@app.command("show")
@speaking_plainly
def show(use: UseArgument, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Show a use: its terms, comments and votes."""
    from recognizance.cli.opening import government_of
    from recognizance.governance.parties import UseId

    with government_of(data) as governing:
        record = governing.uses.get(UseId(use))
    if json:
        print_json(_described(record))
        return
    results.print(json_reader.dumps(_described(record), indent=2, ensure_ascii=False))


@app.command("comment")
@speaking_plainly
def comment(
    use: UseArgument,
    statement: Annotated[str, typer.Argument(help="What is said; published as it is.")],
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Publish what somebody of the public says about a proposal."""
    from recognizance.cli.opening import government_of
    from recognizance.governance.parties import UseId

    with government_of(data) as governing:
        governing.uses.comment(UseId(use), statement)
        record = governing.uses.get(UseId(use))
    _say(record.use, json=json)


@app.command("suspend")
@speaking_plainly
def suspend(
    use: UseArgument, reasons: Reasons, acting_as: As = None, data: Data = DEFAULT_DATA, json: Json = False
) -> None:
    """Stop a use from the next request on. One overseer is enough."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import UseId

    with government_of(data) as governing:
        stopped = governing.uses.suspend(UseId(use), reasons, by=actor(acting_as))
    _say(stopped, json=json)


@app.command("withdraw")
@speaking_plainly
def withdraw(use: UseArgument, acting_as: As = None, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Give a use up, for its own agency."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import UseId

    with government_of(data) as governing:
        given_up = governing.uses.withdraw(UseId(use), by=actor(acting_as))
    _say(given_up, json=json)


@app.command("emergency")
@speaking_plainly
def emergency(
    use: UseArgument,
    grounds: Annotated[str, typer.Option(help="Why it can't wait; public.")],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Begin a proposed use before anybody agreed. It lapses by itself after 48 hours."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import UseId

    with government_of(data) as governing:
        begun = governing.uses.declare_emergency(UseId(use), grounds, by=actor(acting_as))
        evidence = governing.uses.evidence(begun.id)
    _say(begun, json=json)
    _warn(evidence)


@app.command("sweep")
@speaking_plainly
def sweep(data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Record what time has brought about. A running server does so by itself."""
    from recognizance.cli.opening import government_of

    with government_of(data) as governing:
        steps = governing.uses.sweep()
    if json:
        print_json({"steps": steps})
    else:
        results.print(f"{steps} steps recorded")


@speaking_plainly
def vote(
    use: UseArgument,
    choice: Annotated[Choice, typer.Argument(help="What the overseer decides.")],
    reasons: Reasons,
    condition: Annotated[
        list[str] | None, typer.Option(help="What an approval depends on; may be given again.")
    ] = None,
    question: Annotated[str, typer.Option(help="terms, reinstate (lift a suspension) or revoke.")] = "terms",
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Cast an overseer's vote. It is public, with its reasons, and final."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.errors import InputError
    from recognizance.governance.parties import UseId
    from recognizance.governing.uses import Question

    if question not in set(Question):
        raise InputError(f"there is no question {question!r}; choose from {', '.join(Question)}")
    with government_of(data) as governing:
        after = governing.uses.vote(
            UseId(use),
            choice,
            reasons,
            conditions=tuple(condition or ()),
            question=Question(question),
            by=actor(acting_as),
        )
    _say(after, json=json)


def _say(use: "Use", *, json: bool) -> None:
    from recognizance.governance.uses import UseState

    if json:
        print_json(
            {
                "use": use.id,
                "state": use.state.value,
                "terms_sha256": use.terms_sha256,
                "comments_until": use.comments_until.isoformat(),
                "approvals": len(use.count.approve),
                "approvals_needed": use.count.needed,
                "ends": use.ends_at.isoformat(),
            }
        )
        return
    results.print(f"use {use.id} is {use.state.value}; its terms are {use.terms_sha256}")
    if use.state is UseState.PROPOSED:
        results.print(f"comments are open until {use.comments_until:%Y-%m-%d %H:%M} UTC; overseers vote after that")
    if use.state in {UseState.COMMENTED, UseState.EMERGENCY}:
        results.print(f"{len(use.count.approve)} of the {use.count.needed} approvals that it needs")
    if use.state is UseState.EMERGENCY:
        results.print(f"it lapses at {use.ends_at:%Y-%m-%d %H:%M} UTC, with its results, unless it has them by then")


def _warn(evidence: "Evidence") -> None:
    """Say at once what would refuse every search, so that nobody learns it in an emergency."""
    from recognizance.governance.gate import in_words

    if not evidence.allows:
        notices.print(f"as it stands every search is refused: {in_words(evidence)}", markup=False)


def _described(record: "UseRecord") -> dict[str, object]:
    from recognizance.governance.codec import write_document

    shown = replace(record, comments=tuple(each.published for each in record.comments))
    described: dict[str, object] = json_reader.loads(write_document(shown))
    return described
