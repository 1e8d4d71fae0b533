"""Wiring without networks: every part of a service that looks at no picture, built once.

Governing, reviewing, disclosing, forgetting and the desk need records and ledger, not a face; a command for one of them
opens an `Office` in a tenth of the time that a whole `Service` takes. `app` builds the service around the same office,
so that there is one wiring of each part.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recognizance.config import Settings, zone_of
from recognizance.correspondence import REQUEST_PHOTOGRAPH
from recognizance.desk import Desk
from recognizance.disclosing.disclosure import Disclosing
from recognizance.documents import Kind
from recognizance.duplicates import PAIR_KIND, forget_gone
from recognizance.enrolling.jobs import LOOKED_KIND, forget_ended
from recognizance.errors import NotFoundError
from recognizance.faces import Calibration, ModelStore, load_calibration
from recognizance.forgetting.erasure import REQUEST_KIND, Erasure
from recognizance.forgetting.holders import DELETES_DOCUMENT
from recognizance.forgetting.marks import MARK_KIND, Marks
from recognizance.galleries import Clock, Galleries
from recognizance.gallery import Index
from recognizance.governance import RuledPolicy
from recognizance.governance.gate import Running
from recognizance.governance.requests import EnrolmentFacts
from recognizance.governance.unusual import Thresholds as UnusualThresholds
from recognizance.governing.access import AccessKeys
from recognizance.governing.certificates import require_lists
from recognizance.governing.entrance import Entrance, open_entrance
from recognizance.governing.installation import Governing, open_governing
from recognizance.governing.openid import Provider
from recognizance.governing.passwords import PasswordHasher
from recognizance.governing.running import running_with
from recognizance.identifiers import ModelId
from recognizance.recording import NOT_STATED, Provenance, Recorder
from recognizance.records import Records
from recognizance.retention_runs import RetentionRuns
from recognizance.reviewing.askers import Door
from recognizance.reviewing.documents import review_label_key
from recognizance.reviewing.erasure import REVIEW_HOLDERS
from recognizance.reviewing.leads import Leads, acted_on_in
from recognizance.reviewing.openings import Openings
from recognizance.reviewing.probes import Probes
from recognizance.reviewing.reviews import Reviewing
from recognizance.reviewing.upkeep import forget_gallery, withdraw_use
from recognizance.storage import new_id, now, open_recorder, open_records

MODELS_FOLDER = "models"
TABLES_FOLDER = "tables"
"""Tables of similarities that this installation adopted, in the place of the shipped ones."""

OpenIndex = Callable[[ModelId], Index]


@dataclass(frozen=True, slots=True)
class Office:
    """A service's parts that load no network, wired. Safe to share between threads."""

    data: Path
    settings: Settings
    records: Records
    recorder: Recorder
    governing: Governing
    policy: RuledPolicy
    keys: AccessKeys
    entrance: Entrance
    galleries: Galleries
    marks: Marks
    erasure: Erasure
    retention: RetentionRuns
    desk: Desk
    openings: Openings
    reviewing: Reviewing
    leads: Leads
    probes: Probes
    disclosing: Disclosing

    def close(self) -> None:
        self.entrance.close()
        self.recorder.close()
        self.records.close()


def open_models(data: Path) -> ModelStore:
    """The models that this installation knows: the built-in ones, and those of `DATA/models/`."""
    return ModelStore(data / MODELS_FOLDER)


def open_office(data: Path, settings: Settings, *, clock: Clock = now, reconciling: bool = False) -> Office:
    """Open everything that needs no network.

    Args:
        reconciling: As `open_recorder` takes it.

    Raises:
        InputError: If settings or keys don't fit, or a policy doesn't validate.
        NotFoundError: If the model isn't known.
        UnavailableError: If the data folder can't be used.
        CorruptionError: If records and ledger are damaged, or contradict each other.
    """
    model = open_models(data).model(settings.recogniser).id
    records = open_records(data, settings)

    def load() -> Calibration | None:
        try:
            return calibration_of(data, settings)
        except NotFoundError:
            return None

    return furnish(
        data,
        settings,
        records,
        model=model,
        open_index=_no_index,
        clock=clock,
        running=running_with(load, max_fpir=settings.max_fpir),
        reconciling=reconciling,
    )


def calibration_of(data: Path, settings: Settings) -> Calibration:
    """The table that gives the scores of the settings' recogniser a meaning.

    Raises:
        NotFoundError: If the model isn't known, or has no table.
        CorruptionError: If the table is damaged.
    """
    return load_calibration(open_models(data).model(settings.recogniser).id, own=data / TABLES_FOLDER)


def furnish(
    data: Path,
    settings: Settings,
    records: Records,
    *,
    model: ModelId,
    open_index: OpenIndex,
    clock: Clock,
    running: Running,
    reconciling: bool = False,
    hasher: PasswordHasher | None = None,
) -> Office:
    """Put an office together on records that are open already; closing it closes them.

    Args:
        model: The recogniser of new galleries.
        open_index: As `Galleries` takes it.
        running: As `open_governing` takes it.
        reconciling: As `open_recorder` takes it.
        hasher: As `open_entrance` takes it.

    Raises:
        InputError: If the ledger's key doesn't fit, or a policy doesn't validate.
        CorruptionError: If records and ledger contradict each other.
    """
    recorder = open_recorder(data, settings, records, clock=clock, reconciling=reconciling)
    governing = open_governing(
        data,
        records,
        recorder,
        clock=clock,
        new_id=new_id,
        random_bytes=os.urandom,
        ends_use=withdraw_use,
        acted_on=acted_on_in,
        running=running,
        unusual=UnusualThresholds(zone=zone_of(settings.time_zone)),
        sends=bool(settings.mail_host),
    )
    galleries = Galleries(
        records,
        recorder,
        model=model,
        open_index=open_index,
        clock=clock,
        undeclared=_undeclared(governing.profile.default_enrolment),
    )
    with records.reading() as snapshot:
        marks_key = snapshot.derived_key("marks")
    marks = Marks(records, recorder, key=marks_key, clock=clock, new_id=new_id)
    erasure = Erasure(
        records,
        recorder,
        galleries,
        clock=clock,
        new_id=new_id,
        holders={**REVIEW_HOLDERS, **dict.fromkeys((Kind.ANSWER, LOOKED_KIND, PAIR_KIND), DELETES_DOCUMENT)},
        ends_gallery=forget_gallery,
        kept=(MARK_KIND, REQUEST_KIND, REQUEST_PHOTOGRAPH),
    )
    door = Door(governing.policy, new_id)
    with records.reading() as reader:
        label_key = review_label_key(reader)
    return Office(
        data=data,
        settings=settings,
        records=records,
        recorder=recorder,
        governing=governing,
        policy=governing.policy,
        keys=AccessKeys(records, recorder, clock=clock, random_bytes=os.urandom),
        entrance=open_entrance(
            records,
            recorder,
            governing.gate,
            governing.installation,
            clock=clock,
            random_bytes=os.urandom,
            provider=_provider(settings),
            sends=bool(settings.mail_host),
            hasher=hasher,
        ),
        galleries=galleries,
        marks=marks,
        erasure=erasure,
        retention=RetentionRuns(
            records,
            recorder,
            governing.gate,
            erasure,
            clock=clock,
            new_id=new_id,
            upkeep=(lambda: forget_ended(records, clock()), lambda: forget_gone(records)),
        ),
        desk=Desk(records, recorder, governing.gate, erasure, marks, clock=clock, new_id=new_id),
        openings=Openings(records, label_key=label_key, clock=clock, new_id=new_id, random_bytes=os.urandom),
        reviewing=Reviewing(records, recorder, door, label_key=label_key, clock=clock, new_id=new_id),
        leads=Leads(records, recorder, door, clock=clock),
        probes=Probes(records, recorder, clock=clock, label_key=label_key),
        disclosing=Disclosing(records, recorder, door, clock=clock),
    )


def _undeclared(taken: EnrolmentFacts | None) -> Provenance:
    """What the record says of a gallery that nobody declared: what the profile takes for granted of it."""
    if taken is None or taken.source is None or taken.basis is None:
        return NOT_STATED
    return Provenance(taken.source.value, taken.basis.value)


def _provider(settings: Settings) -> Provider | None:
    """Where people may sign in instead, if the settings name a provider."""
    if not settings.openid_issuer:
        return None
    return Provider(
        settings.openid_issuer,
        settings.openid_client_id,
        settings.openid_client_secret,
        revoked=revocation_lists(settings),
    )


def revocation_lists(settings: Settings) -> str:
    """The file of revocation lists, if the settings name one.

    Raises:
        InputError: If it isn't one, said when the service starts and not at the first sign-in.
    """
    if settings.revocation_lists_file:
        require_lists(settings.revocation_lists_file)
    return settings.revocation_lists_file


def _no_index(model: ModelId) -> Index:
    raise ValueError(f"an office searches nothing, and was asked for an index of {model!r}")
