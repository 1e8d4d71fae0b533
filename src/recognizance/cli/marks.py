"""`recognizance mark`: "not this person", remembered for a picture or a case."""

from typing import Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Gallery, Json
from recognizance.cli.output import print_json, print_table, results, speaking_plainly
from recognizance.identifiers import FaceId, GalleryId
from recognizance.permits import Action

app = typer.Typer(help="Remember who was found not to be somebody.", no_args_is_help=True)


@app.command("add")
@speaking_plainly
def add_mark(
    gallery: Gallery,
    face: Annotated[str, typer.Argument(help="The candidate's face id.")],
    reasons: Annotated[str, typer.Option("--reasons", help="What the finding rests on.")],
    probe: Annotated[str | None, typer.Option("--probe-sha256", help="Of the picture that was searched with.")] = None,
    case: Annotated[str | None, typer.Option("--case", help="Or the case that it holds for.")] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Remember that a candidate is not the person in a picture, or not the one looked for in a case."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        permit = office.governing.gate.permit(actor(acting_as), Action.READ_GALLERY, GalleryId(gallery))
        marked = office.marks.add(
            GalleryId(gallery), FaceId(face), reasons=reasons, probe_sha256=probe, case=case, permit=permit
        )
    results.print(marked.id)


@app.command("list")
@speaking_plainly
def list_marks(gallery: Gallery, acting_as: As = None, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """List a gallery's marks."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        marks = office.marks.of_gallery(
            GalleryId(gallery),
            permit=office.governing.gate.permit(actor(acting_as), Action.READ_GALLERY, GalleryId(gallery)),
        )
    if json:
        known = [
            {"mark": each.id, "scope": each.mark.scope, "state": each.state, "made": each.mark.marked_at.isoformat()}
            for each in marks
        ]
        print_json({"marks": known})
        return
    rows = [(each.id, each.mark.scope, each.state, f"{each.mark.marked_at:%Y-%m-%d}") for each in marks]
    print_table(("mark", "scope", "state", "made"), rows, whole=("mark",))


@app.command("lift")
@speaking_plainly
def lift_mark(
    gallery: Gallery,
    identifier: Annotated[str, typer.Argument(metavar="MARK", help="The mark's id.")],
    reasons: Annotated[str, typer.Option("--reasons", help="Why it was a mistake.")],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Take a mark back, as a mistake."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        permit = office.governing.gate.permit(actor(acting_as), Action.READ_GALLERY, GalleryId(gallery))
        office.marks.lift(identifier, reasons=reasons, permit=permit)
