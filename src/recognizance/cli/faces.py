"""`recognizance search`, `compare` and `detect`: questions about one or two photographs, answered without a server."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recognizance.cli.options import (
    DEFAULT_DATA,
    As,
    Case,
    Data,
    Declared,
    Gallery,
    Image,
    Json,
    Justification,
    Offence,
    Use,
)
from recognizance.cli.output import counted, notices, print_json, print_table, progress, results, speaking_plainly

if TYPE_CHECKING:
    from recognizance.faces import DetectedFace, Photograph
    from recognizance.records import FaceRow
    from recognizance.search import Match

Threshold = Annotated[
    float,
    typer.Option(min=0.0, max=100.0, help="Least similarity, 0 to 100; docs/similarity.md says what it means."),
]


@speaking_plainly
def search(
    image: Image,
    gallery: Gallery,
    data: Data = DEFAULT_DATA,
    threshold: Threshold = 80.0,
    limit: Annotated[int, typer.Option(min=1, max=4096, help="The most candidates to show.")] = 10,
    use: Use = None,
    case: Case = None,
    justification: Justification = None,
    offence: Offence = None,
    declared: Declared = None,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Search a gallery for the largest face of a photograph. Strangers come back as "unknown".

    Outside the profile private, search on behalf of a use (--use) as one of its agency's operators (--as), with the
    case, justification and offence that it asks for.
    """
    from recognizance.cli.opening import installed_service_of, permit_here, photograph_at, still_search
    from recognizance.errors import InputError
    from recognizance.faces import QualityFilter
    from recognizance.identifiers import GalleryId
    from recognizance.permits import Action

    name = GalleryId(gallery)
    asking = still_search(threshold, limit, use=use, case=case, justification=justification, offence=offence)
    asking = replace(asking, grounds=replace(asking.grounds, declared=frozenset(declared or ())))
    with installed_service_of(data) as service:
        permit = permit_here(service, Action.SEARCH, gallery, asking=asking, acting_as=acting_as)
        photograph = photograph_at(image, permit)
        reading = permit_here(service, Action.READ_GALLERY, gallery, acting_as=acting_as)
        size = service.galleries.describe(name, permit=reading).face_count
        with progress(f"loading gallery {gallery}", size) as advance:
            service.galleries.faces_index(name, model=service.reader.model, permit=permit, progress=advance)
        answer = service.search.faces_by_photograph(
            name,
            photograph,
            threshold_pct=threshold,
            limit=limit,
            quality_filter=QualityFilter.NONE,
            permit=permit,
        )
    if answer.searched is None or answer.found is None:
        raise InputError(f"{image}: no faces in the photograph")
    found = answer.found
    if json:
        print_json(
            {
                "gallery": gallery,
                "gallery_size": found.gallery_size,
                "operating_similarity_pct": round(found.operating_pct, 4),
                "model": found.model,
                "candidates": [_candidate(match) for match in found.matches],
                "review": None if found.review is None else found.review.review,
            }
        )
        return
    if found.review is not None:
        results.print(
            f"{counted(len(found.review.faces), 'candidate')} to compare for two reviewers: review"
            f" {found.review.review}. Nobody is named before they agree."
        )
        return
    if not found.matches:
        results.print(
            f"unknown: nobody among {found.gallery_size} faces reaches a similarity of {found.operating_pct:.1f}"
        )
        return
    rows = [
        (
            f"{match.similarity_pct:.2f}",
            match.enrolled.subject or "",
            match.enrolled.external_image_id or "",
            match.enrolled.face_id,
        )
        for match in found.matches
    ]
    print_table(("similarity", "subject", "external id", "face id"), rows, whole=("face id",))
    notices.print(
        f"Candidates, not identifications, from {found.gallery_size} faces at a similarity of {found.operating_pct:.1f}"
        " or more. A person has to compare the photographs."
    )


def _candidate(match: "Match[FaceRow]") -> dict[str, object]:
    return {
        "similarity_pct": round(match.similarity_pct, 4),
        "face_id": match.enrolled.face_id,
        "external_image_id": match.enrolled.external_image_id,
        "subject": match.enrolled.subject,
    }


@speaking_plainly
def compare(
    source: Image,
    target: Image,
    data: Data = DEFAULT_DATA,
    threshold: Threshold = 80.0,
    use: Use = None,
    case: Case = None,
    justification: Justification = None,
    offence: Offence = None,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Compare the largest face of SOURCE with every face of TARGET."""
    from recognizance.cli.opening import oneshot_of, permit_by, photograph_at, still_search
    from recognizance.errors import InputError
    from recognizance.faces import QualityFilter
    from recognizance.permits import Action

    asking = still_search(threshold, 1, use=use, case=case, justification=justification, offence=offence)
    with oneshot_of(data) as (oneshot, policy):
        permit = permit_by(policy, Action.COMPARE, asking=asking, acting_as=acting_as)
        first, second = photograph_at(source, permit), photograph_at(target, permit)
        comparison = oneshot.compare(first, second, threshold_pct=0.0, quality_filter=QualityFilter.NONE, permit=permit)
    if comparison.source is None:
        raise InputError(f"{source}: no faces in the photograph")
    if not comparison.matched:
        raise InputError(f"{target}: no faces in the photograph")
    faces = [
        {
            "similarity_pct": round(compared.similarity_pct, 4),
            "matches": compared.similarity_pct >= threshold,
            "box_xyxy_px": [round(float(side), 1) for side in compared.face.detection.box_xyxy_px],
        }
        for compared in comparison.matched
    ]
    if json:
        print_json({"threshold_pct": threshold, "faces": faces})
        return
    for compared in comparison.matched:
        verdict = "similar enough" if compared.similarity_pct >= threshold else "not similar enough"
        results.print(f"{compared.similarity_pct:6.2f}  {verdict} for a threshold of {threshold:g}")


@speaking_plainly
def detect(
    image: Image,
    data: Data = DEFAULT_DATA,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the photograph here as PNG, faces marked.")
    ] = None,
    use: Use = None,
    acting_as: As = None,
    json: Json = False,
) -> None:
    """Find the faces of a photograph: boxes, landmarks, pose and quality."""
    from recognizance.cli.opening import acting_under, oneshot_of, permit_by, photograph_at
    from recognizance.permits import Action

    with oneshot_of(data) as (oneshot, policy):
        permit = permit_by(policy, Action.DETECT, asking=acting_under(use), acting_as=acting_as)
        photograph = photograph_at(image, permit)
        faces = oneshot.detect(photograph, permit=permit)
    if out is not None:
        _draw(photograph, faces, out)
    if json:
        height, width = photograph.size_hw
        print_json({"width_px": width, "height_px": height, "faces": [_described(face) for face in faces]})
        return
    columns = ("face", "left, top", "size px", "confidence", "yaw°", "pitch°", "roll°", "brightness", "sharpness")
    rows: list[tuple[str, ...]] = []
    for number, face in enumerate(faces, 1):
        left, top, right, bottom = (round(float(side)) for side in face.detection.box_xyxy_px)
        rows.append(
            (
                str(number),
                f"{left}, {top}",
                f"{right - left}×{bottom - top}",
                f"{100 * face.detection.confidence:.1f}",
                *(f"{angle:.0f}" for angle in (face.pose.yaw_deg, face.pose.pitch_deg, face.pose.roll_deg)),
                f"{face.quality.brightness:.0f}",
                f"{face.quality.sharpness:.0f}",
            )
        )
    if faces:
        print_table(columns, rows)
    else:
        results.print("no faces")
    if out is not None:
        notices.print(f"wrote {out}")


def _described(face: "DetectedFace") -> dict[str, object]:
    return {
        "box_xyxy_px": [round(float(side), 2) for side in face.detection.box_xyxy_px],
        "landmarks_px": [[round(float(x), 2), round(float(y), 2)] for x, y in face.detection.landmarks_px],
        "confidence": round(face.detection.confidence, 5),
        "yaw_deg": round(face.pose.yaw_deg, 2),
        "pitch_deg": round(face.pose.pitch_deg, 2),
        "roll_deg": round(face.pose.roll_deg, 2),
        "brightness": round(face.quality.brightness, 2),
        "sharpness": round(face.quality.sharpness, 2),
    }


def _draw(photograph: "Photograph", faces: "tuple[DetectedFace, ...]", out: Path) -> None:
    """Write a copy of the photograph with a box, five points and a number on each face."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    from recognizance.errors import UnavailableError

    picture = Pictures.fromarray(photograph.pixels())
    pen = ImageDraw.Draw(picture)
    stroke = max(2, max(photograph.size_hw) // 400)
    for number, face in enumerate(faces, 1):
        left, top, right, bottom = map(float, face.detection.box_xyxy_px)
        pen.rectangle((left, top, right, bottom), outline=(255, 214, 0), width=stroke)
        for x, y in face.detection.landmarks_px:
            pen.ellipse((x - stroke, y - stroke, x + stroke, y + stroke), fill=(0, 200, 255))
        pen.text((left + 2 * stroke, top + stroke), str(number), fill=(255, 214, 0), font_size=8 * stroke)
    try:
        picture.save(out, format="PNG")
    except OSError as error:
        raise UnavailableError(f"can't write {out}: {error.strerror}") from error
