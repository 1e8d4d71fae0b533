"""`recognizance desk`: what people ask about themselves, from the day it comes in to its answer."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, As, Data, Gallery, Json, one_of
from recognizance.cli.output import counted, notices, print_json, print_table, results, speaking_plainly
from recognizance.errors import NotFoundError, UnavailableError
from recognizance.governance.subjects import Refusal, RequestEvent, RequestKind, RequestState
from recognizance.identifiers import FaceId, GalleryId, SubjectId

app = typer.Typer(help="Answer people who ask what is held about them.", no_args_is_help=True)

Request = Annotated[str, typer.Argument(help="The request's id.")]
Names = Annotated[
    list[str], typer.Option("--name", help="A name that galleries know: of a subject, a photograph, a face id.")
]


@app.command("open")
@speaking_plainly
def open_request(
    kind: Annotated[RequestKind, typer.Argument(help="What is asked.")],
    asker: Annotated[str, typer.Option("--asker", help="Who asks, and how to reach them. Sealed.")],
    statement: Annotated[str, typer.Option("--statement", help="What they ask, in their own words. Sealed.")] = "",
    received: Annotated[
        datetime | None,
        typer.Option(metavar="DAY", formats=["%Y-%m-%d"], help="The day it came in, like 2026-01-31, if not today."),
    ] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Take a request; its deadline runs from now, or from the day it came in."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        request = office.desk.open(
            kind,
            asker=asker,
            statement=statement,
            received=None if received is None else received.date(),
            by=actor(acting_as),
        )
    if json:
        print_json({"request": request.id, "deadline": request.deadline.isoformat()})
    else:
        results.print(f"request {request.id}, to be answered by {request.deadline}")


@app.command("list")
@speaking_plainly
def list_requests(
    state: Annotated[
        RequestState | None, typer.Option(metavar="STATE", help=f"Only those that are {one_of(RequestState)}.")
    ] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """List requests by their deadlines."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        files = office.desk.files(state=state, by=actor(acting_as))
        late = {request.id for request in office.desk.overdue(by=actor(acting_as))}
    requests = [file.request for file in files]
    if json:
        print_json(
            {
                "requests": [
                    {
                        "request": each.id,
                        "kind": each.kind,
                        "state": each.state,
                        "deadline": each.deadline.isoformat(),
                        "overdue": each.id in late,
                    }
                    for each in requests
                ]
            }
        )
        return
    rows = [
        (each.id, each.kind, each.state, f"{each.deadline}{' (late)' if each.id in late else ''}") for each in requests
    ]
    print_table(("request", "kind", "state", "deadline"), rows, whole=("request",))


@app.command()
@speaking_plainly
def photograph(
    request: Request,
    target: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write; it may not exist.")],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Write the photograph that somebody sent along with their request, as it was sent."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        sent = office.desk.photograph(request, by=actor(acting_as))
    if sent is None:
        raise NotFoundError(f"no photograph came with request {request!r}, or it needs none any more")
    _write_new(target, sent)


@app.command()
@speaking_plainly
def answer(
    request: Request,
    event: Annotated[
        RequestEvent, typer.Option("--event", metavar="STEP", help=f"The step to take: {one_of(RequestEvent)}.")
    ] = RequestEvent.ANSWER,
    text: Annotated[str, typer.Option("--text", help="What the asker is told. Sealed.")] = "",
    refusal: Annotated[
        Refusal | None,
        typer.Option("--reason", metavar="REASON", help=f"With --event refuse, why: {one_of(Refusal)}."),
    ] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Take a step with a request: verify who asks, answer, refuse, appeal, and so on."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        moved = office.desk.step(request, event, refusal=refusal, answer=text, by=actor(acting_as))
    results.print(f"request {moved.id} is {moved.state}")


@app.command()
@speaking_plainly
def extend(
    request: Request,
    reason: Annotated[str, typer.Option("--reason", help="What the asker is told.")],
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Take more time for a request, once and before its deadline."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        extended = office.desk.extend(request, reason, by=actor(acting_as))
    results.print(f"request {extended.id}, to be answered by {extended.deadline}")


@app.command()
@speaking_plainly
def find(
    request: Request,
    photograph: Annotated[
        Path, typer.Option("--photograph", exists=True, dir_okay=False, help="A photograph of whoever asks; not kept.")
    ],
    threshold: Annotated[float, typer.Option("--threshold", min=80, max=100, help="Least similarity.")] = 80.0,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Search for faces like the asker's. A similar face isn't the same person: an officer says which are theirs.

    Those ids are then given to `export` or `erase` with --name.
    """
    from recognizance.cli.opening import actor, installed_service_of

    with installed_service_of(data) as service:
        found = service.desk.faces_like(request, photograph.read_bytes(), threshold_pct=threshold, by=actor(acting_as))
    if json:
        faces = [
            {"gallery": each.gallery, "face": each.face, "similarity_pct": each.similarity_pct} for each in found.faces
        ]
        print_json({"faces": faces, "galleries_elsewhere": list(found.elsewhere)})
        return
    for each in found.faces:
        results.print(f"{each.gallery}  {each.face}  {each.similarity_pct:.1f}")
    if not found.faces:
        results.print("no face is like it")
    _say_elsewhere(found.elsewhere)


@app.command()
@speaking_plainly
def export(
    request: Request,
    target: Annotated[Path, typer.Argument(dir_okay=False, help="The ZIP file to write; it may not exist.")],
    name: Names,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Write everything that is held about a person whose request is verified."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        found = office.desk.held_under(request, name, by=actor(acting_as))
        archive = office.desk.export(request, found, by=actor(acting_as))
    _write_new(target, archive)
    results.print(f"{counted(len(found.faces), 'face')} in {target}")
    _say_elsewhere(found.elsewhere)


@app.command()
@speaking_plainly
def erase(
    request: Request,
    name: Names,
    yes: Annotated[bool, typer.Option("--yes", help="Erase what is found, without asking.")] = False,
    proofs: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Folder for the proofs to hand over, one file for each gallery; it's created."
        ),
    ] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Erase everything that is held about a person whose request for it is verified, and check that it's gone."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        found = office.desk.held_under(request, name, by=actor(acting_as))
        for held in found.faces:
            results.print(f"{held.gallery} {held.face.face_id} {held.face.external_image_id or ''}")
        if found.faces and not yes:
            typer.confirm(f"Erase {counted(len(found.faces), 'face')}?", abort=True)
        erased = office.desk.erase(request, found, by=actor(acting_as))
        for each in erased:
            traces = () if each.needles is None else office.erasure.traces(each.needles, folder=office.data)
            for trace in traces:
                results.print(f"still in {trace.table}: {trace.place}")
            if traces:
                raise UnavailableError(f"the erasure left {len(traces)} traces; see above")
    results.print(f"{counted(sum(len(each.faces) for each in erased), 'face')} erased; no trace is left")
    for each in erased:
        if each.proof is not None:
            results.print(f"entry {each.receipts[-1].index} of the ledger has the proof's SHA-256: {each.proof.sha256}")
            if proofs is not None:
                proofs.mkdir(parents=True, exist_ok=True)
                _write_new(proofs / f"erasure-{each.proof.id}.json", each.proof.data)
    _say_elsewhere(found.elsewhere)


@app.command()
@speaking_plainly
def correct(
    request: Request,
    gallery: Gallery,
    face: Annotated[str, typer.Argument(help="The face's id.")],
    subject: Annotated[str | None, typer.Option("--subject", help="Whose face it is; nobody's without this.")] = None,
    acting_as: As = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Say whose a face is, on a verified request for correction."""
    from recognizance.cli.opening import actor, installed_office_of

    with installed_office_of(data) as office:
        office.desk.correct(
            request,
            GalleryId(gallery),
            FaceId(face),
            subject=None if subject is None else SubjectId(subject),
            by=actor(acting_as),
        )


def _write_new(target: Path, data: bytes) -> None:
    try:
        with target.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise UnavailableError(f"can't write {target}: {error.strerror}") from error


def _say_elsewhere(galleries: "tuple[GalleryId, ...]") -> None:
    if galleries:
        notices.print(f"not looked through, because another agency answers for them: {', '.join(galleries)}")
