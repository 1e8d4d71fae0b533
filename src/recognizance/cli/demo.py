"""`recognizance demo`: the whole story in under a minute, on two public-domain portraits that installed packages ship.

It starts a real server on loopback with a data folder that is removed afterwards, and talks to it with boto3 alone, as
any Rekognition client would.
"""

import io
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from recognizance.cli.options import Json
from recognizance.cli.output import EXIT_FAILED, print_json, results, speaking_plainly

if TYPE_CHECKING:
    from PIL.Image import Image

    from recognizance.app import Service
    from recognizance.governing.access import IssuedKey

COLLECTION = "demo"


@speaking_plainly
def demo(json: Json = False) -> None:
    """Enrol, search, refuse a stranger, forget: with boto3 against a server of its own, and nothing left behind."""
    started = time.monotonic()
    steps: list[dict[str, object]] = []

    def tell(step: str, outcome: str, *, good: bool) -> None:
        steps.append({"step": step, "outcome": outcome, "as_expected": good})
        if not json:
            mark = "[green]✓[/]" if good else "[bold red]✗[/]"
            results.print(f"{mark} [bold]{step}[/]\n    {outcome}")

    with (
        tempfile.TemporaryDirectory(prefix="recognizance-demo-") as folder,
        _server(Path(folder) / "data") as (
            service,
            endpoint,
            key,
        ),
    ):
        tell("start", f"a server on {endpoint}, its data in a folder that goes when this ends", good=True)
        _story(_client(endpoint, key, service.settings.region), tell)
    good = all(step["as_expected"] for step in steps)
    seconds = round(time.monotonic() - started, 1)
    if json:
        print_json({"as_expected": good, "seconds": seconds, "steps": steps})
    else:
        results.print(f"\n{'All as it should be' if good else 'Something is wrong'}, in {seconds} s.", end=" ")
        results.print("Next: `recognizance serve --data data`, and docs/tutorial.md.")
    if not good:
        raise typer.Exit(EXIT_FAILED)


def _story(client: Any, tell: "Callable[..., None]") -> None:  # boto3's clients have no types
    from recognizance.cli.portraits import collins_portrait, hopper_portrait

    collins, hopper = collins_portrait(), hopper_portrait()

    client.create_collection(CollectionId=COLLECTION)
    tell("create_collection", f"a gallery called {COLLECTION!r}", good=True)

    [face] = client.detect_faces(Image={"Bytes": _jpeg(collins)})["FaceDetails"]
    pose = face["Pose"]
    tell(
        "detect_faces",
        f"one face, confidence {face['Confidence']:.1f}, yaw {pose['Yaw']:.0f}°, pitch {pose['Pitch']:.0f}°,"
        f" roll {pose['Roll']:.0f}°; no guess at age, sex or emotion",
        good=True,
    )

    [record] = client.index_faces(
        CollectionId=COLLECTION, Image={"Bytes": _jpeg(collins)}, ExternalImageId="Eileen_Collins"
    )["FaceRecords"]
    tell("index_faces", f"Eileen Collins enrolled as face {record['Face']['FaceId']}", good=True)

    found = _search(client, _from_the_field(collins))
    tell(
        "search_faces_by_image",
        f"a dark, blurred, tilted photograph of her: {_said(found)}",
        good=[name for name, _ in found] == ["Eileen_Collins"],
    )

    found = _search(client, _jpeg(hopper))
    tell("search_faces_by_image", f"Grace Hopper, who is not enrolled: {_said(found)}", good=not found)

    client.index_faces(CollectionId=COLLECTION, Image={"Bytes": _jpeg(hopper)}, ExternalImageId="Grace_Hopper")
    found = _search(client, _from_the_field(hopper))
    tell(
        "index_faces, search_faces_by_image",
        f"once she is enrolled, a poor photograph of her: {_said(found)}",
        good=[name for name, _ in found] == ["Grace_Hopper"],
    )

    answer = client.compare_faces(SourceImage={"Bytes": _jpeg(collins)}, TargetImage={"Bytes": _jpeg(hopper)})
    tell(
        "compare_faces",
        f"the two against each other: {len(answer['FaceMatches'])} matches, {len(answer['UnmatchedFaces'])} unmatched",
        good=not answer["FaceMatches"],
    )

    client.delete_faces(CollectionId=COLLECTION, FaceIds=[record["Face"]["FaceId"]])
    found = _search(client, _jpeg(collins))
    tell("delete_faces", f"after her face was deleted, the very same portrait: {_said(found)}", good=not found)

    client.delete_collection(CollectionId=COLLECTION)
    tell("delete_collection", "the gallery is gone, and the key that its templates were sealed with", good=True)


def _search(client: Any, photograph: bytes) -> list[tuple[str, float]]:
    answer = client.search_faces_by_image(CollectionId=COLLECTION, Image={"Bytes": photograph})
    return [(match["Face"]["ExternalImageId"], match["Similarity"]) for match in answer["FaceMatches"]]


def _said(found: list[tuple[str, float]]) -> str:
    return ", ".join(f"{name} (similarity {similarity:.2f})" for name, similarity in found) or "unknown"


def _jpeg(picture: "Image", quality: int = 92) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=quality)
    return file.getvalue()


def _from_the_field(portrait: "Image") -> bytes:
    """What a telephone at night makes of a portrait: tilted, dark, soft, small and compressed hard."""
    from PIL import ImageEnhance, ImageFilter

    tilted = portrait.rotate(11, expand=True, fillcolor=(70, 70, 74))
    dark = ImageEnhance.Brightness(tilted).enhance(0.55)
    soft = dark.filter(ImageFilter.GaussianBlur(1.2))
    soft.thumbnail((420, 420))
    return _jpeg(soft, quality=45)


def _client(endpoint: str, key: "IssuedKey", region: str) -> Any:
    import boto3

    return boto3.client(
        "rekognition",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
    )


@contextmanager
def _server(data: Path) -> "Iterator[tuple[Service, str, IssuedKey]]":
    """A server in this process, on a free port of loopback, until the block ends."""
    import uvicorn

    from recognizance.app import http_app, open_service
    from recognizance.config import Settings
    from recognizance.errors import UnavailableError

    service = open_service(data, Settings())
    server = uvicorn.Server(
        uvicorn.Config(http_app(service), host="127.0.0.1", port=0, log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run, name="demo-server", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise UnavailableError("the demo's server did not start")
            thread.join(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield service, f"http://127.0.0.1:{port}", service.keys.create()
    finally:
        server.should_exit = True
        thread.join()
        service.close()
