"""Wiring: every object of a service is built once and handed to those that need it.

What looks at pictures is built here, around the `office`, which has the rest.
"""

import io
import os
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Mount

from recognizance import api
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
from recognizance.disclosing.disclosure import Disclosing
from recognizance.duplicates import Duplicates
from recognizance.enrolling.bulk import BulkEnrolment
from recognizance.enrolling.enrolment import Enrolment
from recognizance.enrolling.jobs import ImportJobs
from recognizance.enrolling.subjects import Subjects
from recognizance.faces import (
    DEFAULT_DETECTOR,
    Calibration,
    FaceReader,
    load_calibration,
    open_photograph,
    open_reader,
)
from recognizance.forgetting.erasure import Erasure
from recognizance.forgetting.marks import Marks
from recognizance.galleries import Clock, Galleries
from recognizance.gallery.exact import ExactIndex
from recognizance.governance import Policy, RuledPolicy
from recognizance.governing.access import ADMINISTRATOR, AccessKeys, principal_of
from recognizance.governing.account_news import DueMail
from recognizance.governing.entrance import Entrance
from recognizance.governing.installation import Governing
from recognizance.governing.mail_relay import Letter, Line, Relay, RelaySettings, SmtpRelay
from recognizance.governing.passwords import PasswordHasher
from recognizance.governing.running import running_with, starting_with
from recognizance.governing.sessions import SessionSigners
from recognizance.governing.telling import Alerts, Telling
from recognizance.identifiers import ModelId
from recognizance.imports import Imports
from recognizance.intake import Intake
from recognizance.ledger import FolderSource
from recognizance.ledger.serving import ledger_routes
from recognizance.office import TABLES_FOLDER, furnish, open_models, revocation_lists
from recognizance.oneshot import OneShot
from recognizance.permits import Action
from recognizance.recording import Recorder, software_digest, software_statement, state
from recognizance.recording.model_statements import model_statement
from recognizance.records import Records
from recognizance.register import KeptReading, LiveRegister
from recognizance.retention_runs import RetentionRuns
from recognizance.reviewing.leads import Leads
from recognizance.reviewing.probes import Probes
from recognizance.reviewing.reviews import Reviewing
from recognizance.search import Search
from recognizance.searching_desk import SearchingDesk
from recognizance.storage import new_decision_id, new_id, now, open_records
from recognizance.web import Services, site
from recognizance.web.frame import SERVICE_NAME
from recognizance.web.letters import letter_of

REGISTER_FILE = "register.state.json"
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
    entrance: Entrance
    reader: FaceReader
    calibration: Calibration
    galleries: Galleries
    enrolment: Enrolment
    subjects: Subjects
    search: Search
    marks: Marks
    duplicates: Duplicates
    erasure: Erasure
    retention: RetentionRuns
    desk: SearchingDesk
    oneshot: OneShot
    reviewing: Reviewing
    leads: Leads
    probes: Probes
    disclosing: Disclosing
    searchers: Executor
    clock: Clock

    def close(self) -> None:
        self.searchers.shutdown()
        self.entrance.close()
        self.recorder.close()
        self.records.close()


def http_app(service: Service) -> Starlette:
    """What the server serves: Rekognition's API at `/`, the ledger's static files at `/ledger/`, and the pages."""
    settings = service.settings
    with service.records.reading() as reader:
        page_key = reader.derived_key("page tokens").reveal()
    handlers = rekognition_handlers(
        galleries=service.galleries,
        enrolment=service.enrolment,
        subjects=service.subjects,
        erasure=service.erasure,
        search=service.search,
        oneshot=service.oneshot,
        model=service.reader.model,
        images=ImageSource(open_store(settings)),
        tokens=PageTokens(page_key),
        arns=Arns(region=settings.region, account=settings.account),
    )
    authenticator = Authenticator(
        SessionSigners(service.keys.signer, service.governing.tokens),
        region=settings.region,
        clock=now,
        memory=ReplayMemory(),
    )
    endpoint = RekognitionEndpoint(
        Dispatcher(load_model(), handlers, policy=service.policy, new_id=new_id, following=service.recorder.following),
        authenticator,
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
    register = LiveRegister(
        FolderSource(service.recorder.public),
        (service.recorder.verifier,),
        kept=KeptReading(service.data / REGISTER_FILE, software_digest()),
    )
    imports = open_imports(service)
    # The pages come last, because they answer whatever nothing else does.
    return rekognition_app(
        endpoint,
        beside=[
            *ledger_routes(service.recorder.public),
            *own_api(service, authenticator, register, imports).routes(),
            Mount("", site(page_services(service, register, imports))),
        ],
    )


def own_api(service: Service, authenticator: Authenticator, register: LiveRegister, imports: Imports) -> api.Api:
    """Our own API, below `/api/v1/`.

    Args:
        authenticator: The same for all that is served, because it remembers which signatures were used.
        register: The same for all that is served, because it keeps what it has read.
        imports: The same for all that is served, because one runs at a time.
    """
    with service.records.reading() as reader:
        page_key = reader.derived_key("page tokens of our own API").reveal()
        answers_key = reader.derived_key("answers of our own API").reveal()
    recorder = service.recorder
    services = api.Services(
        records=service.records,
        recorder=recorder,
        governing=service.governing,
        keys=service.keys,
        galleries=service.galleries,
        subjects=service.subjects,
        duplicates=service.duplicates,
        imports=imports,
        marks=service.marks,
        erasure=service.erasure,
        retention=service.retention,
        desk=service.desk,
        reviewing=service.reviewing,
        leads=service.leads,
        probes=service.probes,
        disclosing=service.disclosing,
        register=register,
        intake=Intake(service.records, recorder, clock=service.clock, new_id=new_id, random_bytes=os.urandom),
        writers=service.governing.writers,
        tokens=PageTokens(page_key),
        clock=service.clock,
        new_id=new_id,
    )
    return api.Api(
        services,
        api.whole_table(),
        api.FirstThatKnows((api.BySignature(authenticator), api.ByKey(service.keys.signer))),
        api.Once(service.records, secret=answers_key, clock=now),
        workers=service.settings.workers or 2 * (os.cpu_count() or 1),
        new_id=new_id,
    )


def page_services(service: Service, register: LiveRegister, imports: Imports) -> Services:
    """What the pages call.

    Args:
        register: The same for all that is served, because it keeps what it has read.
        imports: The same for all that is served, because one runs at a time.
    """
    with service.records.reading() as reader:
        page_key = reader.derived_key("forms of pages").reveal()
    return Services(
        data=service.data,
        settings=service.settings,
        records=service.records,
        recorder=service.recorder,
        governing=service.governing,
        policy=service.policy,
        keys=service.keys,
        entrance=service.entrance,
        galleries=service.galleries,
        enrolment=service.enrolment,
        subjects=service.subjects,
        search=service.search,
        oneshot=service.oneshot,
        calibration=service.calibration,
        marks=service.marks,
        erasure=service.erasure,
        retention=service.retention,
        desk=service.desk,
        reviewing=service.reviewing,
        leads=service.leads,
        probes=service.probes,
        disclosing=service.disclosing,
        register=register,
        imports=imports,
        duplicates=service.duplicates,
        page_key=page_key,
    )


def open_telling(service: Service) -> Telling:
    """What tells people what happened to their account, and overseers of unusual use; `serve` runs it."""
    settings, news, clock = service.settings, service.entrance.news, service.clock

    def compose(mail: DueMail) -> Letter:
        return letter_of(mail, service_name=SERVICE_NAME, public_url=settings.public_url)

    alerts = Alerts(service.records, news, service.governing.watching, clock=clock)
    return Telling(news, alerts, _relay(settings), compose=compose, clock=clock)


def _relay(settings: Settings) -> Relay | None:
    """The mail relay, if the settings name one."""
    if not settings.mail_host:
        return None
    return SmtpRelay(
        RelaySettings(
            settings.mail_host,
            settings.mail_port,
            Line(settings.mail_line.value),
            settings.mail_from,
            user=settings.mail_user,
            password=settings.mail_password,
            authorities=settings.mail_authorities_file,
            revoked=revocation_lists(settings),
        )
    )


def open_imports(service: Service) -> Imports:
    """What runs imports that are asked for over the network; one of a server."""
    jobs = ImportJobs(service.records, bulk_enrolment(service), clock=service.clock, new_id=new_id)
    return Imports(service.governing, jobs, service.duplicates)


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
    return reader, load_calibration(reader.model, own=data / TABLES_FOLDER)


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
    hasher: PasswordHasher | None = None,
) -> Service:
    """Put a service together from parts that are open already; closing it closes `records`.

    Args:
        hasher: Cheaper than the usual one, in tests.

    Raises:
        InputError: If the ledger's key doesn't fit.
        CorruptionError: If records and ledger contradict each other.
    """
    models, detector = open_models(data), DEFAULT_DETECTOR
    # One pool for the indexes of all galleries: many galleries don't mean many threads.
    search_threads = settings.search_threads or (os.cpu_count() or 1)
    searchers = ThreadPoolExecutor(search_threads, thread_name_prefix="search")

    def open_index(_model: ModelId) -> ExactIndex:
        return ExactIndex(reader.dimension, workers=searchers, threads=search_threads)

    office = furnish(
        data,
        settings,
        records,
        model=reader.model,
        open_index=open_index,
        clock=clock,
        running=running_with(lambda: calibration, max_fpir=settings.max_fpir),
        hasher=hasher,
    )
    recorder, galleries, erasure, marks = office.recorder, office.galleries, office.erasure, office.marks
    state(
        recorder,
        [
            software_statement(),
            model_statement(models.model(detector)),
            model_statement(models.model(settings.recogniser)),
            office.governing.statement(),
        ],
    )
    office.governing.thresholds.start(starting_with(calibration, max_fpir=settings.max_fpir))
    search = Search(
        records, recorder, galleries, reader, calibration, office.openings, max_fpir=settings.max_fpir, marks=marks
    )
    return Service(
        data=data,
        settings=settings,
        records=records,
        recorder=recorder,
        governing=office.governing,
        policy=office.policy,
        keys=office.keys,
        entrance=office.entrance,
        reader=reader,
        calibration=calibration,
        galleries=galleries,
        enrolment=Enrolment(
            records,
            recorder,
            reader,
            erasure,
            clock=clock,
            new_id=new_id,
            keep_images=settings.keep_images,
        ),
        subjects=Subjects(records, recorder, calibration, clock=clock, new_id=new_id),
        search=search,
        marks=marks,
        duplicates=Duplicates(records, recorder, search, marks),
        erasure=erasure,
        retention=office.retention,
        desk=SearchingDesk(
            records, recorder, office.governing.gate, search, erasure, marks, clock=clock, new_id=new_id
        ),
        oneshot=OneShot(reader, calibration, recorder=recorder),
        reviewing=office.reviewing,
        leads=office.leads,
        probes=office.probes,
        disclosing=office.disclosing,
        searchers=searchers,
        clock=clock,
    )
