"""`recognizance retention`: how long what a gallery holds is kept, what is due, and orders to preserve."""

from datetime import date, datetime
from typing import Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Gallery, Json
from recognizance.cli.output import notices, print_json, results, speaking_plainly
from recognizance.errors import InputError
from recognizance.governance.retention import YEARS_AFTER_LAST_INTERACTION, HoldingKind, Schedule
from recognizance.identifiers import GalleryId

app = typer.Typer(help="Destroy what may not be kept any longer.", no_args_is_help=True)


@app.command("set")
@speaking_plainly
def set_schedule(
    gallery: Gallery,
    days: Annotated[
        list[str] | None, typer.Option("--days", help="How long a kind of thing is kept, as `result=30`; repeatable.")
    ] = None,
    years: Annotated[
        int, typer.Option(help="Calendar years after the last interaction.")
    ] = YEARS_AFTER_LAST_INTERACTION,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Say how long a gallery keeps what."""
    from recognizance.cli.opening import actor, installed_office_of

    schedule = Schedule(GalleryId(gallery), dict(map(_days, days or [])), years)
    with installed_office_of(data) as office:
        office.retention.set_schedule(schedule, by=actor(acting_as))


@app.command()
@speaking_plainly
def show(gallery: Gallery, acting_as: As = None, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Say what a run would destroy today."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        due = office.retention.due(GalleryId(gallery), by=actor(acting_as))
    counts: dict[str, int] = {}
    for each in due:
        counts[each.holding.kind] = counts.get(each.holding.kind, 0) + 1
    if json:
        print_json({"due": counts})
    else:
        results.print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "nothing is due")


@app.command()
@speaking_plainly
def run(acting_as: As = None, data: Data = DEFAULT_DATA, json: Json = False) -> None:
    """Destroy what is due in every gallery."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        reports = office.retention.run_all(by=actor(acting_as))
    if json:
        print_json(
            {
                "galleries": [
                    {
                        "gallery": each.gallery,
                        "scheduled": each.receipt is not None,
                        "destroyed": 0 if each.receipt is None else each.receipt.count,
                        "failed": 0 if each.receipt is None else each.receipt.failed,
                        "kept": each.kept,
                        "held": each.held,
                    }
                    for each in reports
                ]
            }
        )
        return
    if not reports:
        notices.print("there is no gallery")
    for each in reports:
        if each.receipt is None:
            results.print(f"{each.gallery}: has no schedule; nothing was touched")
        else:
            results.print(
                f"{each.gallery}: {each.receipt.count} destroyed, {each.kept} kept, {each.held} held by an order,"
                f" {each.receipt.failed} failed"
            )


@app.command()
@speaking_plainly
def hold(
    holding: Annotated[str, typer.Argument(help="A face's id, an image's id, or the entry of a search.")],
    gallery: Gallery,
    until: Annotated[
        datetime,
        typer.Option(
            metavar="DAY", formats=["%Y-%m-%d"], help="First day on which it no longer holds, like 2027-01-31."
        ),
    ],
    order: Annotated[str, typer.Option("--order-sha256", help="SHA-256 of the order to preserve.")],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Keep something from being destroyed, by an order to preserve."""
    from recognizance.cli.opening import actor, installed_office_of

    day: date = until.date()
    with installed_office_of(data) as office:
        office.retention.hold(
            holding, document_sha256=order, until=day, gallery=GalleryId(gallery), by=actor(acting_as)
        )


def _days(text: str) -> tuple[HoldingKind, int]:
    kind, _, count = text.partition("=")
    try:
        return HoldingKind(kind), int(count)
    except ValueError as error:
        kinds = ", ".join(HoldingKind)
        raise InputError(
            f"{text!r} doesn't say how many days a kind is kept, as in result=30; kinds: {kinds}"
        ) from error
