"""Opening an installation for one command, and closing it again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recognizance.access import ADMINISTRATOR, AccessKeys, principal_of
from recognizance.app import RECORDS_FILE, Service, new_decision_id, now, open_faces, open_records, open_service
from recognizance.config import read_settings
from recognizance.errors import ImageError, ImageTooLargeError, NotFoundError
from recognizance.faces import Photograph, open_photograph
from recognizance.governance import Policy
from recognizance.identifiers import GalleryId
from recognizance.oneshot import OneShot
from recognizance.permits import Action, Permit
from recognizance.records import Records


@contextmanager
def service_of(data: Path) -> Iterator[Service]:
    """The whole service of the installation in `data`, for the time of a `with` block."""
    service = open_service(data, read_settings(data))
    try:
        yield service
    finally:
        service.close()


@contextmanager
def installed_service_of(data: Path) -> Iterator[Service]:
    """As `service_of`, for commands that only look: a folder that isn't there isn't created.

    Raises:
        NotFoundError: If there is no installation in `data`.
    """
    _require_installation(data)
    with service_of(data) as service:
        yield service


def oneshot_of(data: Path) -> OneShot:
    """Detection and comparison with the settings of the installation in `data`, which need not exist."""
    return OneShot(*open_faces(data, read_settings(data)))


@contextmanager
def records_of(data: Path) -> Iterator[Records]:
    """Its records alone, without loading any network. A folder that isn't there isn't created.

    Raises:
        NotFoundError: If there is no installation in `data`.
    """
    _require_installation(data)
    records = open_records(data, read_settings(data))
    try:
        yield records
    finally:
        records.close()


@contextmanager
def keys_of(data: Path) -> Iterator[AccessKeys]:
    """Its access keys alone, without loading any network. The first key may begin an installation."""
    records = open_records(data, read_settings(data))
    try:
        yield AccessKeys(records, clock=now, random_bytes=os.urandom)
    finally:
        records.close()


def _require_installation(data: Path) -> None:
    if not (data / RECORDS_FILE).exists():
        raise NotFoundError(f"there is no installation in {data}: `recognizance serve` or `import` begins one")


def permit_here(service: Service, action: Action, gallery: str | None = None) -> Permit:
    """Ask the policy on behalf of whoever can run commands on the data folder itself.

    Raises:
        DeniedError: If the policy refuses.
    """
    return permit_by(service.policy, action, gallery)


def permit_by(policy: Policy, action: Action, gallery: str | None = None) -> Permit:
    """As `permit_here`, where only images are concerned and no service is open.

    Raises:
        DeniedError: If the policy refuses.
    """
    return policy.decide(
        principal_of(ADMINISTRATOR),
        action,
        gallery=None if gallery is None else GalleryId(gallery),
        decision_id=new_decision_id(),
    )


def photograph_at(path: Path, permit: Permit) -> Photograph:
    """Open a photograph from a file.

    Raises:
        ImageError: If it can't be read or is no picture. Names the file.
        ImageTooLargeError: If it's beyond a limit.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from error
    try:
        return open_photograph(data, permit)
    except (ImageError, ImageTooLargeError) as error:
        raise type(error)(f"{path}: {error}") from error
