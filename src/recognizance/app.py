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

from recognizance.aws import (
    Arns,
    Authenticator,
    Dispatcher,
    ImageSource,
    PageTokens,
    RekognitionEndpoint,
    ReplayMemory,
    StsEndpoint,
    load_model,
    open_store,
    rekognition_app,
    rekognition_handlers,
)
from recognizance.config import Settings
from recognizance.desk import Desk
from recognizance.disclosing.disclosure import Disclosing
from recognizance.enrolling.bulk import BulkEnrolment
from recognizance.enrolling.enrolment import Enrolment
from recognizance.faces import (
    DEFAULT_DETECTOR,
    Calibration,
    FaceReader,
    ModelStore,
    load_calibration,
    open_photograph,
    open_reader,
)
from recognizance.forgetting.erasure import REQUEST_KIND, Erasure
from recognizance.forgetting.marks import MARK_KIND, Marks
from recognizance.galleries import Clock, Galleries
from recognizance.gallery import ExactIndex
from recognizance.governance import Policy, RuledPolicy
from recognizance.governing.access import ADMINISTRATOR, AccessKeys, principal_of
from recognizance.governing.installation import Governing, open_governing
from recognizance.governing.sessions import SessionSigners
from recognizance.identifiers import DecisionId, ModelId
from recognizance.ledger import SALT_BYTES, ledger_routes
from recognizance.oneshot import OneShot
from recognizance.permits import Action
from recognizance.recording import (
    Recorder,
    key_statement,
    model_statement,
    schema_statement,
    software_statement,
    state,
    threshold_statement,
)
from recognizance.records import MasterKey, Records
from recognizance.retention_runs import RetentionRuns
from recognizance.reviewing.erasure import REVIEW_HOLDERS
from recognizance.reviewing.leads import Leads
from recognizance.reviewing.probes import Probes
from recognizance.reviewing.reviews import Reviewing
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
    recorder: Recorder
    governing: Governing
    policy: RuledPolicy
    keys: AccessKeys
    reader: FaceReader
    calibration: Calibration
    galleries: Galleries
    enrolment: Enrolment
    search: Search
    marks: Marks
    erasure: Erasure
    retention: RetentionRuns
    desk: Desk
    oneshot: OneShot
    reviewing: Reviewing
    leads: Leads
    probes: Probes
    disclosing: Disclosing
    searchers: Executor

    def close(self) -> None:
        self.searchers.shutdown()
        self.recorder.close()
        self.records.close()


def http_app(service: Service) -> Starlette:
    """What the server serves: Rekognition's API at `/`, and the ledger's static files at `/ledger/`."""
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
        Dispatcher(load_model(), handlers, policy=service.policy, new_id=new_id, following=service.recorder.following),
        Authenticator(
            SessionSigners(service.keys.signer, service.governing.tokens),
            region=settings.region,
            clock=now,
            memory=ReplayMemory(),
        ),
        sts=StsEndpoint(
            load_model("sts"),
            service.policy,
            service.governing.tokens,
            account=settings.account,
            longest=service.governing.profile.longest_session,
            new_id=new_id,
        ),
        workers=settings.workers or 2 * (os.cpu_count() or 1),
        new_id=new_id,
    )
    return rekognition_app(endpoint, beside=ledger_routes(service.recorder.public))


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


def open_recorder(data: Path, settings: Settings, records: Records, *, clock: Clock = now) -> Recorder:
    """Open the ledger of the installation in `data`; its first entry is the form of all others.

    Raises:
        InputError: If the ledger's key is missing, readable by others, or of another origin.
        UnavailableError: If the folder can't be used.
        CorruptionError: If records and ledger contradict each other.
    """
    recorder = Recorder.open(
        data,
        records,
        origin=settings.ledger_origin,
        witnesses=settings.ledger_witnesses,
        clock=clock,
        new_id=new_id,
        new_salt=lambda: os.urandom(SALT_BYTES),
    )
    state(recorder, [schema_statement(), key_statement(recorder.verifier)])
    return recorder


def open_models(data: Path) -> ModelStore:
    """The models that this installation knows: the built-in ones, and those of `DATA/models/`."""
    return ModelStore(data / MODELS_FOLDER)


def bulk_enrolment(service: Service) -> BulkEnrolment:
    """What `import` runs: as many photographs side by side as there are cores."""
    return BulkEnrolment(
        service.records,
        service.recorder,
        service.enrolment,
        clock=now,
        new_id=new_id,
        workers=max(2, os.cpu_count() or 1),
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

    The pictures are blank: nobody's face is needed for it, and so there is nothing to put on record.
    """
    ExactIndex(service.reader.dimension)
    permit = Policy().decide(principal_of(ADMINISTRATOR), Action.DETECT, gallery=None, decision_id=new_decision_id())
    for size in _USUAL_SIZES:
        file = io.BytesIO()
        Image.new("RGB", size, (128, 128, 128)).save(file, format="PNG")
        service.reader.detect(open_photograph(file.getvalue(), permit), permit)


def wire(
    data: Path,
    settings: Settings,
    records: Records,
    reader: FaceReader,
    calibration: Calibration,
    *,
    clock: Clock = now,
) -> Service:
    """Put a service together from parts that are open already; closing it closes `records`.

    Raises:
        InputError: If the ledger's key doesn't fit.
        CorruptionError: If records and ledger contradict each other.
    """
    recorder = open_recorder(data, settings, records, clock=clock)
    governing = open_governing(data, records, recorder, clock=clock, new_id=new_id, random_bytes=os.urandom)
    models, detector = open_models(data), DEFAULT_DETECTOR
    state(
        recorder,
        [
            software_statement(),
            model_statement(models.model(detector)),
            model_statement(models.model(settings.recogniser)),
            threshold_statement(calibration, max_fpir=settings.max_fpir),
            governing.statement(),
        ],
    )
    # One pool for the indexes of all galleries: many galleries don't mean many threads.
    search_threads = settings.search_threads or (os.cpu_count() or 1)
    searchers = ThreadPoolExecutor(search_threads, thread_name_prefix="search")

    def open_index(_model: ModelId) -> ExactIndex:
        return ExactIndex(reader.dimension, workers=searchers, threads=search_threads)

    galleries = Galleries(records, recorder, model=reader.model, open_index=open_index, clock=clock)
    reviewing = Reviewing(records, recorder, governing.policy, clock=clock, new_id=new_id, random_bytes=os.urandom)
    with records.reading() as snapshot:
        marks_key = snapshot.derived_key("marks")
    marks = Marks(records, recorder, key=marks_key, clock=clock, new_id=new_id)
    search = Search(
        records, recorder, galleries, reader, calibration, reviewing, max_fpir=settings.max_fpir, marks=marks
    )
    erasure = Erasure(
        records,
        recorder,
        galleries,
        clock=clock,
        new_id=new_id,
        holders=REVIEW_HOLDERS,
        kept=(MARK_KIND, REQUEST_KIND),
    )
    return Service(
        data=data,
        settings=settings,
        records=records,
        recorder=recorder,
        governing=governing,
        policy=governing.policy,
        keys=AccessKeys(records, recorder, clock=clock, random_bytes=os.urandom),
        reader=reader,
        calibration=calibration,
        galleries=galleries,
        enrolment=Enrolment(
            records,
            recorder,
            reader,
            calibration,
            erasure,
            clock=clock,
            new_id=new_id,
            keep_images=settings.keep_images,
        ),
        search=search,
        marks=marks,
        erasure=erasure,
        retention=RetentionRuns(records, recorder, erasure, clock=clock, new_id=new_id),
        desk=Desk(records, recorder, search, erasure, marks, clock=clock, new_id=new_id),
        oneshot=OneShot(reader, calibration, recorder=recorder),
        reviewing=reviewing,
        leads=Leads(records, recorder, governing.policy, clock=clock, new_id=new_id),
        probes=Probes(records, recorder, clock=clock, label_key=reviewing.label_key),
        disclosing=Disclosing(records, recorder, governing.policy, clock=clock, new_id=new_id),
        searchers=searchers,
    )
