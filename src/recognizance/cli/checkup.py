"""`recognizance doctor`: what is wrong with an installation, and what to do about it."""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from recognizance.cli.options import DEFAULT_DATA, Data, Json
from recognizance.cli.output import EXIT_FAILED, counted, print_json, progress, results, speaking_plainly, steps
from recognizance.errors import Error

LEAST_FREE_BYTES = 1 << 30
"""Below this a full disk is near: a million faces take about this much."""

_PACKAGES = ("numpy", "numba", "openvino", "onnx", "opencv-python-headless", "pillow", "sqlalchemy", "botocore")


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `text` says what was found, and for what is wrong, what to do."""

    subject: str
    verdict: Verdict
    text: str


@speaking_plainly
def doctor(
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Verify the whole ledger, and hold every row of the records against it.")
    ] = False,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> None:
    """Check this installation: packages, models, recognition, settings, data, ledger, keys. Exit 1 if one is wrong."""
    findings: list[Finding] = []
    ledger = _whole_ledger if thorough else _ledger
    for check in (
        _python, _packages, _silence, _settings, _models, _recognition, _folder, _records, ledger, _incidents,
        _pictures, _disk, _storage,
    ):  # fmt: skip
        try:
            found = list(check(data))
        except Error as error:
            is_told = any(finding.text == str(error) for finding in findings)
            found = [
                Finding(
                    _subject(check), Verdict.WRONG, "not looked at, for what was said above" if is_told else str(error)
                )
            ]
        findings += found
        if not json:
            _print(found)
    if json:
        print_json(
            {
                "healthy": all(finding.verdict is not Verdict.WRONG for finding in findings),
                "findings": [
                    {"subject": finding.subject, "verdict": finding.verdict.value, "text": finding.text}
                    for finding in findings
                ],
            }
        )
    if any(finding.verdict is Verdict.WRONG for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _print(findings: Iterable[Finding]) -> None:
    colours = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.WRONG: "bold red"}
    for finding in findings:
        results.print(f"[{colours[finding.verdict]}]{finding.verdict.value:<5}[/]  {finding.subject:<12}", end="")
        results.print(finding.text, markup=False)


def _subject(check: Callable[[Path], Iterator[Finding]]) -> str:
    return check.__name__.removeprefix("_").replace("_", " ")


def _python(_data: Path) -> Iterator[Finding]:
    yield Finding("python", Verdict.OK, f"{sys.version.split()[0]} on {os.cpu_count()} processors")


def _packages(_data: Path) -> Iterator[Finding]:
    for package in _PACKAGES:
        try:
            yield Finding("packages", Verdict.OK, f"{package} {version(package)}")
        except PackageNotFoundError:
            yield Finding("packages", Verdict.WRONG, f"{package} is missing: install from requirements/run.lock")


def _silence(_data: Path) -> Iterator[Finding]:
    """OpenVINO's telemetry client isn't in our locks; somebody may have installed it all the same."""
    if find_spec("openvino_telemetry") is None:
        yield Finding("silence", Verdict.OK, "no telemetry client is installed")
    else:
        yield Finding(
            "silence",
            Verdict.NOTE,
            "the package openvino-telemetry is installed; nothing here calls it, and `pip uninstall` removes it",
        )


def _settings(data: Path) -> Iterator[Finding]:
    from recognizance.config import FILE_NAME, read_settings

    read_settings(data)
    place = data / FILE_NAME
    yield Finding("settings", Verdict.OK, f"{place} is well-formed" if place.exists() else "the defaults")


def _models(data: Path) -> Iterator[Finding]:
    from recognizance.config import read_settings
    from recognizance.faces import DEFAULT_DETECTOR, FileState
    from recognizance.office import open_models

    store = open_models(data)
    needed = {read_settings(data).recogniser, DEFAULT_DETECTOR}
    for model in store.models:
        state = store.state(model)
        if state is FileState.READY:
            yield Finding("models", Verdict.OK, f"{model.name}: its SHA-256 is the manifest's ({model.licence})")
        elif state is FileState.DAMAGED:
            yield Finding("models", Verdict.WRONG, f"{model.name}: the file is another one than the manifest states")
        elif model.name in needed:
            yield Finding("models", Verdict.WRONG, f"{model.name} is absent: `recognizance models pull {model.name}`")
        else:
            yield Finding("models", Verdict.NOTE, f"{model.name} is not here, and not in use")


def _recognition(data: Path) -> Iterator[Finding]:
    """Run the whole way on portraits that an installed package ships: the same face has to match, another not."""
    import io

    from PIL import Image

    from recognizance.cli.opening import oneshot_beside, permit_by
    from recognizance.cli.portraits import collins_portrait
    from recognizance.faces import QualityFilter, open_photograph
    from recognizance.governance import Policy
    from recognizance.permits import Action

    permit = permit_by(Policy(), Action.COMPARE)
    portrait = collins_portrait()

    def photograph(picture: Image.Image) -> bytes:
        file = io.BytesIO()
        picture.save(file, format="JPEG", quality=80)
        return file.getvalue()

    comparison = oneshot_beside(data).compare(
        open_photograph(photograph(portrait), permit),
        open_photograph(photograph(portrait.resize((300, 300)).rotate(8)), permit),
        threshold_pct=99.0,
        quality_filter=QualityFilter.NONE,
        permit=permit,
    )
    if comparison.matched:
        yield Finding("recognition", Verdict.OK, "a portrait is found, and matches itself turned and reduced")
    else:
        yield Finding("recognition", Verdict.WRONG, "a portrait does not match itself: the networks compute nonsense")


def _folder(data: Path) -> Iterator[Finding]:
    if not data.exists():
        yield Finding("folder", Verdict.NOTE, f"{data} doesn't exist yet: the first `serve` or `import` creates it")
        return
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o077:
        yield Finding("folder", Verdict.WRONG, f"{data} has mode {mode:04o}, so others can look into it: chmod 700")
    elif not os.access(data, os.W_OK):
        yield Finding("folder", Verdict.WRONG, f"{data} can't be written by this user")
    else:
        yield Finding("folder", Verdict.OK, f"{data} is private to its owner")


def _records(data: Path) -> Iterator[Finding]:
    from recognizance.config import read_settings
    from recognizance.records import check_records
    from recognizance.storage import RECORDS_FILE, open_records

    if not (data / RECORDS_FILE).exists():
        return
    records = open_records(data, read_settings(data))
    try:
        problems = check_records(records)
        with records.reading() as reader:
            galleries = reader.galleries(limit=1_000_000)
            closed = reader.closed_galleries()
            keys = reader.access_keys()
    finally:
        records.close()
    for problem in problems:
        yield Finding("records", Verdict.WRONG, str(problem))
    if not problems:
        faces = sum(gallery.face_count for gallery in galleries)
        yield Finding(
            "records",
            Verdict.OK,
            f"{counted(len(galleries), 'gallery', 'galleries')} with {counted(faces, 'face')}, all sound",
        )
    if closed:
        count, gone = counted(len(closed), "gallery", "galleries"), sum(each.face_count for each in closed)
        yield Finding(
            "erasures",
            Verdict.NOTE,
            f"{count} closed and being erased, {counted(gone, 'face')} gone so far: a running server goes on with it",
        )
    if any(key.active for key in keys):
        yield Finding("keys", Verdict.OK, counted(sum(key.active for key in keys), "active access key"))
    else:
        yield Finding("keys", Verdict.WRONG, "no active access key, so nobody can sign: `recognizance keys create`")


def _ledger(data: Path) -> Iterator[Finding]:
    """A quick look: the checkpoint is signed, and the latest entries are those that the records know."""
    from recognizance.agreement import check_tail
    from recognizance.cli.opening import records_of
    from recognizance.config import read_settings
    from recognizance.ledger import FolderSource, read_checkpoint
    from recognizance.recording import known_keys
    from recognizance.storage import public_folder

    if not _has_ledger(data):
        return
    source, keys = FolderSource(public_folder(data, read_settings(data))), known_keys(data)
    size = read_checkpoint(source, keys).checkpoint.size
    with records_of(data) as records:
        found = check_tail(records, source, keys)
    for each in found:
        yield Finding("ledger", Verdict.WRONG, str(each))
    if not found:
        yield Finding(
            "ledger", Verdict.OK, f"{size} entries; the latest are those of the records (`--thorough` checks all)"
        )


def _incidents(data: Path) -> Iterator[Finding]:
    """Violations and breaches that no overseer has received, although their time is over."""
    from recognizance.cli.opening import records_of
    from recognizance.governing.incidents import waiting_incidents
    from recognizance.storage import RECORDS_FILE, now

    if not (data / RECORDS_FILE).exists():
        return
    with records_of(data) as records:
        waiting = waiting_incidents(records)
    moment = now()
    for each in waiting:
        due = each.incident.due
        if due is not None and each.is_late_at(moment):
            text = f"{each.incident.occurrence.value} {each.id} was due before an overseer by {due:%Y-%m-%d %H:%M} UTC"
            yield Finding("incidents", Verdict.WRONG, f"{text}: `recognizance incident receive {each.id}`")
    if waiting and not any(each.is_late_at(moment) for each in waiting):
        yield Finding("incidents", Verdict.NOTE, f"{len(waiting)} wait for an overseer, none of them overdue")


def _whole_ledger(data: Path) -> Iterator[Finding]:
    """All of it: every entry against the checkpoint, and every row of the records against the entries."""
    from recognizance.agreement import check_agreement
    from recognizance.cli.opening import records_of
    from recognizance.config import read_settings
    from recognizance.ledger import FolderSource, verify
    from recognizance.recording import known_keys
    from recognizance.storage import public_folder

    if not _has_ledger(data):
        return
    source, keys = FolderSource(public_folder(data, read_settings(data))), known_keys(data)
    with progress("verifying", None) as advance:
        report = verify(source, keys, progress=steps(advance))
    for each in report.findings:
        yield Finding("ledger", Verdict.WRONG, str(each))
    if not report.is_sound:
        return
    with records_of(data) as records, progress("comparing", None) as advance:
        found = check_agreement(records, source, keys, progress=steps(advance))
    for disagreement in found:
        yield Finding("ledger", Verdict.WRONG, str(disagreement))
    if not found:
        yield Finding("ledger", Verdict.OK, f"{report.entries} entries, all sound; all records agree with them")


def _has_ledger(data: Path) -> bool:
    from recognizance.recording import KEY_FILE
    from recognizance.storage import RECORDS_FILE

    return (data / RECORDS_FILE).exists() and (data / KEY_FILE).exists()


def _pictures(data: Path) -> Iterator[Finding]:
    """Reviewers compare pictures: without those of enrolled faces they could only say that they can't."""
    from recognizance.cli.opening import records_of
    from recognizance.config import read_settings
    from recognizance.documents import installation_of
    from recognizance.governance.profiles import ProfileName

    if not _has_ledger(data):
        return
    with records_of(data) as records, records.reading() as reader:
        installed = installation_of(reader)
    if installed is None or installed.profile is not ProfileName.LAW_ENFORCEMENT:
        return
    if read_settings(data).keep_images:
        yield Finding("pictures", Verdict.OK, "photographs are kept, so reviewers can compare candidates")
    else:
        yield Finding(
            "pictures",
            Verdict.WRONG,
            "keep_images is off, so reviewers can't compare candidates with the probe: set keep_images = true in"
            " recognizance.toml before anybody is enrolled",
        )


def _disk(data: Path) -> Iterator[Finding]:
    place = next(folder for folder in (data, *data.resolve().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    verdict = Verdict.OK if free >= LEAST_FREE_BYTES else Verdict.WRONG
    yield Finding("disk", verdict, f"{free / (1 << 30):.1f} GiB free; below 1 GiB, enrolment may stop")


def _storage(data: Path) -> Iterator[Finding]:
    from recognizance.config import read_settings

    settings = read_settings(data)
    if settings.s3_access_key_id or settings.s3_ambient_credentials:
        where = settings.s3_endpoint_url or "AWS's own endpoint"
        yield Finding("storage", Verdict.OK, f"S3Object is read from {where}")
    else:
        yield Finding("storage", Verdict.NOTE, "S3Object is refused until s3_access_key_id is set (docs/settings.md)")
