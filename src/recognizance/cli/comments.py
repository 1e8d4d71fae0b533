"""`recognizance comment`: what the public said about a proposal, and what overseers hide of it."""

from typing import Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Json
from recognizance.cli.output import print_json, print_table, results, speaking_plainly

app = typer.Typer(help="List, hide and show what the public said about a proposal.", no_args_is_help=True)

UseArgument = Annotated[str, typer.Argument(help="The use's id.")]
CommentArgument = Annotated[str, typer.Argument(help="The comment's entry, as `comment list` has it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; public.")]


@app.command("list")
@speaking_plainly
def list_comments(use: UseArgument, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List the comments on a use as everybody is shown them: of a hidden one the reason."""
    from recognizance.cli.opening import government_of
    from recognizance.governance.parties import UseId

    with government_of(data) as governing:
        comments = [each.published for each in governing.uses.get(UseId(use)).comments]
    if json:
        print_json(
            {
                "comments": [
                    {
                        "comment": each.entry,
                        "at": each.at.isoformat(),
                        "statement": each.statement,
                        "hidden": each.hidden,
                    }
                    for each in comments
                ]
            }
        )
        return
    rows = [
        (
            each.entry,
            f"{each.at:%Y-%m-%d %H:%M} UTC",
            each.statement if each.hidden is None else f"(hidden: {each.hidden})",
        )
        for each in comments
    ]
    print_table(("comment", "when", "what is said"), rows, whole=("comment",))


@app.command("hide")
@speaking_plainly
def hide(
    use: UseArgument, comment: CommentArgument, reason: Reason, acting_as: As = None, data: Data = DEFAULT_DATA
) -> None:
    """Show a comment's reason instead of its text, as an overseer; its entry stays, and another one says who did it."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import UseId
    from recognizance.ledger import EntryId

    with government_of(data) as governing:
        governing.moderation.hide(UseId(use), EntryId(comment), reason, by=actor(acting_as))
    results.print(f"comment {comment} is hidden; everybody is shown the reason", markup=False)


@app.command("show")
@speaking_plainly
def show(
    use: UseArgument, comment: CommentArgument, reason: Reason, acting_as: As = None, data: Data = DEFAULT_DATA
) -> None:
    """Show a hidden comment again, as an overseer."""
    from recognizance.cli.opening import actor, government_of
    from recognizance.governance.parties import UseId
    from recognizance.ledger import EntryId

    with government_of(data) as governing:
        governing.moderation.show(UseId(use), EntryId(comment), reason, by=actor(acting_as))
    results.print(f"comment {comment} is shown again", markup=False)
