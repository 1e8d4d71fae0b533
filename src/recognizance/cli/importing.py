"""`recognizance import`: a folder or a list of photographs into a gallery."""

import csv
import hashlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Gallery, Use, one_of
from recognizance.cli.output import counted, notices, print_json, progress, results, speaking_plainly
from recognizance.governance.purposes import LawfulBasis, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recognizance.app import Service
    from recognizance.enrolling.bulk import Item, Outcome
    from recognizance.records import ImportItem


class Filter(StrEnum):
    """How good a face has to be to be enrolled, as at the API."""

    NONE = "NONE"
    AUTO = "AUTO"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


@speaking_plainly
def import_photographs(
    source: Annotated[Path, typer.Argument(exists=True, readable=True, help="A folder, or a CSV file.")],
    gallery: Gallery,
    data: Data = DEFAULT_DATA,
    path_column: Annotated[str, typer.Option(help="CSV: the column with paths, relative to the file.")] = "path",
    subject_column: Annotated[str, typer.Option(help="CSV: the column with the subject.")] = "subject",
    max_faces: Annotated[int, typer.Option(min=1, max=100, help="Faces to enrol of each photograph.")] = 1,
    quality_filter: Annotated[
        Filter,
        typer.Option(metavar="QUALITY", case_sensitive=False, help=f"How good a face has to be: {one_of(Filter)}."),
    ] = Filter.AUTO,
    image_source: Annotated[
        Source | None,
        typer.Option(
            "--source",
            metavar="SOURCE",
            help=f"Where all the gallery's images come from, before its first face: {one_of(Source)}.",
        ),
    ] = None,
    basis: Annotated[
        LawfulBasis | None,
        typer.Option(metavar="BASIS", help=f"What allows keeping them, together with --source: {one_of(LawfulBasis)}."),
    ] = None,
    agency: Annotated[
        str | None, typer.Option(help="Who answers for the gallery; in a private installation, its owner.")
    ] = None,
    use: Use = None,
    acting_as: As = None,
    rejects: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write all that this import has rejected here, as CSV.")
    ] = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print a line of JSON for each photograph once it's safe, and one at the end."),
    ] = False,
) -> None:
    """Enrol a folder or a list of photographs. The gallery is created if need be.

    In a folder, a photograph's subject is the folder it lies in (or its own name, directly in SOURCE). Run it again to
    go on after an interruption: what is done is found by path and content, and passed over. Nothing is kept of what was
    rejected once all was looked at, so that another run looks at it again.

    With --source and --basis a gallery that holds no face yet is declared. Outside the profile private, nothing is
    enrolled into one that isn't; there, enrol on behalf of a use (--use) as one of its agency's operators (--as).
    """
    from recognizance.app import bulk_enrolment
    from recognizance.cli.opening import acting_under, permit_here, service_of
    from recognizance.enrolling.bulk import items_of_csv, items_of_folder
    from recognizance.errors import InputError
    from recognizance.faces import QualityFilter
    from recognizance.identifiers import GalleryId
    from recognizance.permits import Action

    items: list[Item] = (
        items_of_folder(source)
        if source.is_dir()
        else items_of_csv(source, path_column=path_column, subject_column=subject_column)
    )
    if not items:
        raise InputError(f"{source} holds no photographs")
    name = GalleryId(gallery)
    # The same source goes on with its own import; the name itself may be longer than the records hold.
    job = hashlib.sha256(str(source.resolve()).encode()).hexdigest()
    with service_of(data) as service:
        _open_gallery(service, gallery, _declaring(image_source, basis, agency))
        bulk = bulk_enrolment(service)
        outcomes = bulk.run(
            name,
            items,
            job=job,
            max_faces=max_faces,
            quality_filter=QualityFilter(quality_filter.value),
            permit=permit_here(service, Action.ENROL, gallery, asking=acting_under(use), acting_as=acting_as),
        )
        summary = _follow(outcomes, len(items), gallery=gallery, json=json)
        if rejects is not None:
            _write_rejects(rejects, bulk.rejected(name, job))
        # Of people who weren't enrolled nothing stays, what their photographs are called included.
        bulk.forget_rejected(name, job)
    if json:
        print_json({"summary": summary})
    else:
        results.print(
            f"{counted(summary['enrolled'], 'photograph')} enrolled with {counted(summary['faces'], 'face')},"
            f" {summary['rejected']} rejected, {summary['earlier']} settled by an earlier run"
        )


def _declaring(source: Source | None, basis: LawfulBasis | None, agency: str | None) -> dict[str, str]:
    """The tags that declare a gallery; none where nothing is stated."""
    from recognizance.declarations import AGENCY_TAG, BASIS_TAG, SOURCE_TAG
    from recognizance.errors import InputError

    if (source is None) != (basis is None):
        raise InputError(
            "--source and --basis belong together: where the images come from, and what allows keeping them"
        )
    stated = {SOURCE_TAG: source, BASIS_TAG: basis, AGENCY_TAG: agency if source else None}
    return {tag: str(value) for tag, value in stated.items() if value is not None}


def _open_gallery(service: "Service", gallery: str, declaring: dict[str, str]) -> None:
    """Create the gallery, or declare the one that is there; with the same words nothing changes."""
    from recognizance.cli.opening import permit_here, stating
    from recognizance.errors import ConflictError
    from recognizance.identifiers import GalleryId
    from recognizance.permits import Action

    permit = permit_here(service, Action.MANAGE_GALLERY, gallery, asking=stating(declaring))
    try:
        service.galleries.create(GalleryId(gallery), tags=declaring, permit=permit)
    except ConflictError:
        if declaring:
            service.galleries.tag(GalleryId(gallery), declaring, permit=permit)


def _follow(outcomes: "Iterable[Outcome]", total: int, *, gallery: str, json: bool) -> dict[str, int]:
    from recognizance.records import ImportState

    summary = {"enrolled": 0, "faces": 0, "rejected": 0, "earlier": 0}
    with progress(f"importing into {gallery}", total) as advance:
        for outcome in outcomes:
            advance(1)
            if outcome.earlier:
                summary["earlier"] += 1
                continue
            rejected = outcome.state is ImportState.REJECTED
            summary["rejected" if rejected else "enrolled"] += 1
            summary["faces"] += len(outcome.face_ids)
            if json:
                print_json(
                    {
                        "path": outcome.item.name,
                        "state": outcome.state.value,
                        "subject": outcome.item.subject,
                        "face_ids": list(outcome.face_ids),
                        "reason": outcome.reason,
                    }
                )
            elif rejected:
                notices.print(f"rejected {outcome.item.name}: {outcome.reason}", markup=False)
    return summary


def _write_rejects(path: Path, rejected: "list[ImportItem]") -> None:
    from recognizance.errors import UnavailableError

    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "reason"])
            writer.writerows([item.path, item.reason] for item in rejected)
    except OSError as error:
        raise UnavailableError(f"can't write {path}: {error.strerror}") from error
