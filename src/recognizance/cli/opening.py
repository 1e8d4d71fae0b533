"""Opening as much of an installation as a command needs, for one command, and closing it again.

What looks at pictures is imported by those functions alone that open it: loading it takes several times as long as
everything else that most commands do.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from recognizance.cli.output import waiting
from recognizance.config import read_settings
from recognizance.declarations import stated_enrolment
from recognizance.errors import ImageError, ImageTooLargeError, NotFoundError
from recognizance.governance import AT_THE_MACHINE, Asking, Credential, Grounds, Policy, SearchFacts
from recognizance.governance.parties import UseId
from recognizance.governance.purposes import Capture, OffenceCode
from recognizance.governing.access import ADMINISTRATOR, AccessKeys, principal_of
from recognizance.governing.installation import Governing, open_governing
from recognizance.governing.registration import Actor, at_the_machine
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.permits import Action, Permit
from recognizance.recording import Recorder
from recognizance.records import Records
from recognizance.reviewing.leads import acted_on_in
from recognizance.reviewing.upkeep import withdraw_use
from recognizance.storage import RECORDS_FILE, new_decision_id, new_id, now, open_recorder, open_records

if TYPE_CHECKING:
    from recognizance.app import Service
    from recognizance.faces import Calibration, Photograph
    from recognizance.governance.gate import Running
    from recognizance.office import Office
    from recognizance.oneshot import OneShot


@contextmanager
def service_of(data: Path) -> Iterator["Service"]:
    """The whole service of the installation in `data`, for the time of a `with` block."""
    from recognizance.app import open_service

    with waiting("loading the networks"):
        service = open_service(data, read_settings(data))
    try:
        yield service
    finally:
        service.close()


@contextmanager
def installed_service_of(data: Path) -> Iterator["Service"]:
    """As `service_of`, for commands that only look: a folder that isn't there isn't created.

    Raises:
        NotFoundError: If there is no installation in `data`.
    """
    _require_installation(data)
    with service_of(data) as service:
        yield service


@contextmanager
def installed_office_of(data: Path) -> Iterator["Office"]:
    """The parts of an installation that look at no picture, without loading any network.

    Raises:
        NotFoundError: If there is no installation in `data`.
    """
    from recognizance.office import open_office

    _require_installation(data)
    with closing(open_office(data, read_settings(data))) as office:
        yield office


@contextmanager
def oneshot_of(data: Path) -> Iterator[tuple["OneShot", Policy]]:
    """Detection and comparison with the settings of the installation in `data`, under its policy and on its record.

    It need not exist: what somebody does with two pictures of their own, beside any installation, has no record.
    """
    if not (data / RECORDS_FILE).exists():
        yield oneshot_beside(data), Policy()
        return
    from recognizance.app import open_faces
    from recognizance.oneshot import OneShot

    settings = read_settings(data)
    with waiting("loading the networks"):
        faces = open_faces(data, settings)
    with closing(open_records(data, settings)) as records, closing(open_recorder(data, settings, records)) as recorder:
        yield OneShot(*faces, recorder=recorder), governing_of(data, records, recorder).policy


def oneshot_beside(data: Path) -> "OneShot":
    """As `oneshot_of`, off the record: for pictures that an installed package ships, and where nothing is installed."""
    from recognizance.app import open_faces
    from recognizance.oneshot import OneShot

    with waiting("loading the networks"):
        return OneShot(*open_faces(data, read_settings(data)), recorder=None)


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
    settings = read_settings(data)
    with closing(open_records(data, settings)) as records, closing(open_recorder(data, settings, records)) as recorder:
        yield AccessKeys(records, recorder, clock=now, random_bytes=os.urandom)


def _require_installation(data: Path) -> None:
    if not (data / RECORDS_FILE).exists():
        raise NotFoundError(f"there is no installation in {data}: `recognizance serve` or `import` begins one")


def permit_here(
    service: "Service | Office",
    action: Action,
    gallery: str | None = None,
    *,
    asking: Asking = AT_THE_MACHINE,
    acting_as: str | None = None,
) -> Permit:
    """Ask the policy on behalf of whoever can run commands on the data folder itself, or of a person or program.

    Args:
        acting_as: Their pseudonym; `None` is whoever runs the machine.

    Raises:
        DeniedError: If the policy refuses.
    """
    return permit_by(service.policy, action, gallery, asking=asking, acting_as=acting_as)


def permit_by(
    policy: Policy,
    action: Action,
    gallery: str | None = None,
    *,
    asking: Asking = AT_THE_MACHINE,
    acting_as: str | None = None,
) -> Permit:
    """As `permit_here`, where only images are concerned and no service is open.

    Raises:
        DeniedError: If the policy refuses.
    """
    return policy.decide(
        principal_of(ADMINISTRATOR) if acting_as is None else actor(acting_as).principal,
        action,
        gallery=None if gallery is None else GalleryId(gallery),
        decision_id=new_decision_id(),
        asking=asking,
    )


def still_search(
    threshold_pct: float,
    candidates: int,
    *,
    use: str | None = None,
    case: str | None = None,
    justification: str | None = None,
    offence: str | None = None,
) -> Asking:
    """Somebody at the machine who searches for a picture, with what they state."""
    return Asking(
        Credential.COMMAND_LINE,
        use=None if use is None else UseId(use),
        search=SearchFacts(None, Capture.STILL, threshold_pct, candidates),
        grounds=Grounds(case, justification, None if offence is None else OffenceCode(offence)),
    )


def acting_under(use: str | None) -> Asking:
    """Somebody at the machine who acts on behalf of a use."""
    return Asking(Credential.COMMAND_LINE, use=None if use is None else UseId(use))


def stating(tags: Mapping[str, str]) -> Asking:
    """Somebody at the machine who declares a gallery with tags, as at the API.

    Raises:
        InputError: If a tag has no such value.
    """
    return replace(AT_THE_MACHINE, enrolment=stated_enrolment(tags))


def governing_of(data: Path, records: Records, recorder: Recorder) -> Governing:
    """The governing parts alone, without loading any network."""
    return open_governing(
        data,
        records,
        recorder,
        clock=now,
        new_id=new_id,
        random_bytes=os.urandom,
        ends_use=withdraw_use,
        acted_on=acted_on_in,
        running=_running_in(data),
        sends=bool(read_settings(data).mail_host),
    )


def _running_in(data: Path) -> "Running":
    """What the installation searches with, looked up only when an evaluation is held against it."""
    from recognizance.governing.running import running_with

    settings = read_settings(data)

    def load() -> "Calibration | None":
        from recognizance.errors import NotFoundError
        from recognizance.office import calibration_of

        try:
            return calibration_of(data, settings)
        except NotFoundError:
            return None

    return running_with(load, max_fpir=settings.max_fpir)


def actor(person: str | None) -> Actor:
    """Whoever acts at the machine, by their pseudonym; without one, whoever runs it."""
    return at_the_machine() if person is None else at_the_machine(PrincipalId(person))


@contextmanager
def government_of(data: Path) -> Iterator[Governing]:
    """The governing parts of an installation that exists, for the time of a `with` block.

    Raises:
        NotFoundError: If there is no installation in `data`.
    """
    if not (data / RECORDS_FILE).exists():
        raise NotFoundError(f"there is no installation in {data}: `recognizance init` begins one")
    settings = read_settings(data)
    with closing(open_records(data, settings)) as records, closing(open_recorder(data, settings, records)) as recorder:
        yield governing_of(data, records, recorder)


def photograph_at(path: Path, permit: Permit) -> "Photograph":
    """Open a photograph from a file.

    Raises:
        ImageError: If it can't be read or is no picture. Names the file.
        ImageTooLargeError: If it's beyond a limit.
    """
    from recognizance.faces import open_photograph

    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from error
    try:
        return open_photograph(data, permit)
    except (ImageError, ImageTooLargeError) as error:
        raise type(error)(f"{path}: {error}") from error
