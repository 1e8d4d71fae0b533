"""Wiring: every object of a service is built here, once, and handed to those that need it."""

import io
import os
import uuid
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from starlette.applications import Starlette

from recognizance.access import ADMINISTRATOR, AccessKeys, principal_of
from recognizance.aws import (
    Arns,
    Authenticator,
    Dispatcher,
    ImageSource,
    PageTokens,
    RekognitionEndpoint,
    ReplayMemory,
    load_model,
    open_store,
    rekognition_app,
    rekognition_handlers,
)
from recognizance.bulk_enrolment import BulkEnrolment
from recognizance.config import Settings
from recognizance.enrolment import Enrolment
from recognizance.faces import Calibration, FaceReader, ModelStore, load_calibration, open_photograph, open_reader
from recognizance.galleries import Clock, Galleries
from recognizance.gallery import ExactIndex
from recognizance.governance import Policy
from recognizance.identifiers import DecisionId, ModelId
from recognizance.oneshot import OneShot
from recognizance.permits import Action
from recognizance.records import MasterKey, Records
from recognizance.search import Search

MASTER_KEY_FILE = "master.key"
RECORDS_FILE = "records.sqlite3"
MODELS_FOLDER = "models"
_USUAL_SIZES = ((300, 300), (1600, 1200), (1200, 1600), (1600, 1067), (1067, 1600), (640, 480))
"""Width and height of what cameras, telephones and crops usually are."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service's parts, wired. Safe to share between threads; `close` when the last request has been answered."""

    data: Path
    settings: Settings
    records: Records
    policy: Policy
    keys: AccessKeys
    reader: FaceReader
    calibration: Calibration
    galleries: Galleries
    enrolment: Enrolment
    search: Search
    oneshot: OneShot
    searchers: Executor

    def close(self) -> None:
        self.searchers.shutdown()
        self.records.close()


def http_app(service: Service) -> Starlette:
    """What the server serves: Rekognition's API at `/`."""
    settings = service.settings
    with service.records.reading() as reader:
        page_key = reader.derived_key("page tokens").reveal()
    handlers = rekognition_handlers(
        galleries=service.galleries,
        enrolment=service.enrolment,
        search=service.search,
        oneshot=service.oneshot,
        model=service.reader.model,
        images=ImageSource(open_store(settings)),
        tokens=PageTokens(page_key),
        arns=Arns(region=settings.region, account=settings.account),
    )
    endpoint = RekognitionEndpoint(
        Dispatcher(load_model(), handlers, policy=service.policy, new_id=new_id),
        Authenticator(service.keys.signer, region=settings.region, clock=now, memory=ReplayMemory()),
        workers=settings.workers or 2 * (os.cpu_count() or 1),
        new_id=new_id,
    )
    return rekognition_app(endpoint)


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    """A fresh lower-case UUID, version 4."""
    return str(uuid.uuid4())


def new_decision_id() -> DecisionId:
    return DecisionId(new_id())


def master_key_file(data: Path, settings: Settings) -> Path:
    """Where the master key is, or will be on the first start."""
    return Path(settings.master_key_file) if settings.master_key_file else data / MASTER_KEY_FILE


def open_records(data: Path, settings: Settings) -> Records:
    """Open the records of the installation in `data`, creating folder and master key on the first start.

    Raises:
        InputError: If the master key is missing beside records that exist, is readable by others, or is another one.
        UnavailableError: If the folder can't be used.
        CorruptionError: If the file is no database of ours.
    """
    key_file = master_key_file(data, settings)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A new key beside old records would look like a start from nothing, and end in a puzzling refusal.
    first_start = not key_file.exists() and not any(data.glob("records.sqlite3*"))
    master_key = MasterKey.create_file(key_file) if first_start else MasterKey.from_file(key_file)
    return Records.open(data, master_key=master_key)


def open_models(data: Path) -> ModelStore:
    """The models that this installation knows: the built-in ones, and those of `DATA/models/`."""
    return ModelStore(data / MODELS_FOLDER)


def bulk_enrolment(service: Service) -> BulkEnrolment:
    """What `import` runs: as many photographs side by side as there are cores."""
    return BulkEnrolment(
        service.records, service.enrolment, clock=now, new_id=new_id, workers=max(2, os.cpu_count() or 1)
    )


def open_faces(data: Path, settings: Settings) -> tuple[FaceReader, Calibration]:
    """Load the networks, and the table that gives the recogniser's scores a meaning.

    Raises:
        NotFoundError: If the model isn't known, its file isn't there, or it has no table.
        CorruptionError: If its file is damaged.
    """
    threads = settings.inference_threads or (os.cpu_count() or 1)
    reader = open_reader(
        open_models(data),
        recogniser=settings.recogniser,
        runtime=settings.runtime,
        threads=threads,
        widest_view_px=settings.widest_view_px,
    )
    return reader, load_calibration(reader.model)


def open_service(data: Path, settings: Settings, *, clock: Clock = now) -> Service:
    """Open everything. Takes a second or two, most of it for the networks.

    Raises:
        InputError: If settings, master key or model don't fit.
        NotFoundError: If the model isn't known or its file isn't there.
        UnavailableError: If the data folder can't be used.
        CorruptionError: If records or model files are damaged.
    """
    reader, calibration = open_faces(data, settings)
    return wire(data, settings, open_records(data, settings), reader, calibration, clock=clock)


def warm_up(service: Service) -> None:
    """Do once what the first request of a kind would wait for: compile the search kernels and the usual canvases.

    The pictures are blank: nobody's face is needed for it.
    """
    ExactIndex(service.reader.dimension)
    permit = service.policy.decide(
        principal_of(ADMINISTRATOR), Action.DETECT, gallery=None, decision_id=new_decision_id()
    )
    for size in _USUAL_SIZES:
        file = io.BytesIO()
        Image.new("RGB", size, (128, 128, 128)).save(file, format="PNG")
        service.oneshot.detect(open_photograph(file.getvalue(), permit), permit=permit)


def wire(
    data: Path,
    settings: Settings,
    records: Records,
    reader: FaceReader,
    calibration: Calibration,
    *,
    clock: Clock = now,
) -> Service:
    """Put a service together from parts that are open already; closing it closes `records`."""
    # One pool for the indexes of all galleries: many galleries don't mean many threads.
    search_threads = settings.search_threads or (os.cpu_count() or 1)
    searchers = ThreadPoolExecutor(search_threads, thread_name_prefix="search")

    def open_index(_model: ModelId) -> ExactIndex:
        return ExactIndex(reader.dimension, workers=searchers, threads=search_threads)

    galleries = Galleries(records, model=reader.model, open_index=open_index, clock=clock)
    return Service(
        data=data,
        settings=settings,
        records=records,
        policy=Policy(),
        keys=AccessKeys(records, clock=clock, random_bytes=os.urandom),
        reader=reader,
        calibration=calibration,
        galleries=galleries,
        enrolment=Enrolment(records, reader, calibration, clock=clock, new_id=new_id, keep_images=settings.keep_images),
        search=Search(records, galleries, reader, calibration, max_fpir=settings.max_fpir),
        oneshot=OneShot(reader, calibration),
        searchers=searchers,
    )
