"""Pages about the service itself: whether it is well, its models, the policy in force, who operates and oversees it.

They look and change nothing but what is published of the operator. What is wrong is said with what to do about it.
Implements docs/administration.md, "The service".
"""

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response

from recognizance.agreement import check_tail
from recognizance.config import Settings
from recognizance.errors import Error
from recognizance.faces import FileState, ModelStore
from recognizance.governance.parties import Role
from recognizance.governance.profiles import ProfileName
from recognizance.governance.purposes import Declaration, Purpose
from recognizance.governing.access import AccessKeys
from recognizance.governing.installation import Governing
from recognizance.governing.publishing import DeploymentStatement
from recognizance.ledger import FolderSource, facts, read_checkpoint
from recognizance.recording import Recorder
from recognizance.records import Records
from recognizance.register import LiveRegister
from recognizance.web.administrator_words import FILE_STATES
from recognizance.web.forms import Form
from recognizance.web.frame import Page, only
from recognizance.web.language import N_
from recognizance.web.overseer_words import PURPOSES
from recognizance.web.visits import Visit
from recognizance.web.wordings import PROFILE_NAMES

LEAST_FREE_BYTES = 1 << 30
MODELS_FOLDER = "models"
"""As `office.MODELS_FOLDER` has it, which stands beside the pages and not below them."""

_READERS = only(Role.ADMINISTRATOR, Role.AUDITOR, Role.OVERSEER)
_ADMINISTRATORS = only(Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject, advice: Texts of the catalogue; the advice is empty for what is well.
        detail: What was found, where it is a number or an error's own words.
    """

    subject: str
    is_well: bool
    detail: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is looked at."""

    data: Path
    settings: Settings
    records: Records
    recorder: Recorder
    governing: Governing
    keys: AccessKeys

    @property
    def models(self) -> ModelStore:
        return ModelStore(self.data / MODELS_FOLDER)


class AdministratorServicePages:
    def __init__(self, parts: Parts, register: LiveRegister) -> None:
        self._parts = parts
        self._register = register

    def table(self) -> list[Page]:
        return [
            Page("/administration/health", self.health, _READERS),
            Page("/administration/models", self.models, _READERS),
            Page("/administration/policy", self.policy, _READERS),
            Page("/administration/deployment", self.deployment, _ADMINISTRATORS, has_form=True),
        ]

    def health(self, visit: Visit) -> Response:
        found = list(findings(self._parts))
        return visit.page("administrator/health.html", findings=found, is_well=all(each.is_well for each in found))

    def models(self, visit: Visit) -> Response:
        store, used = self._parts.models, self._parts.settings.recogniser
        return visit.page(
            "administrator/models.html",
            models=[(model, store.state(model)) for model in store.models],
            used=used,
            states=FILE_STATES,
        )

    def policy(self, visit: Visit) -> Response:
        governing = self._parts.governing
        return visit.page(
            "administrator/policy.html",
            profile=PROFILE_NAMES[governing.profile.name],
            files=governing.rulebook.files,
            rules=governing.rulebook.rules,
        )

    def deployment(self, visit: Visit) -> Response:
        """Who operates the service and who oversees it, as published; the form publishes the first anew."""
        kept = self._register.reading().state.kept
        current = [entry.facts for entry in kept if isinstance(entry.facts, facts.Deployment)][-1:]
        bodies = [entry.facts for entry in kept if isinstance(entry.facts, facts.OversightBody)]
        form = visit.form
        if visit.is_post:
            statement = DeploymentStatement(
                operator=form.text("operator", most=4000),
                accountable_person=form.text("accountable_person", most=4000),
                contact=form.text("contact", most=4000),
                legal_basis=form.text("legal_basis", most=4000),
                purposes=form.choices("purposes", Purpose),
                prohibited_uses=frozenset(
                    line for line in map(str.strip, form.optional("prohibited_uses").splitlines()) if line
                ),
            )
            if not statement.purposes:
                form.fail("purposes", N_("Choose one purpose at least."))
            if form.is_sound:
                self._parts.governing.publishing.deployment(statement, by=visit.actor())
                visit.say(visit.gettext("Published. The last statement is the one in force."))
                return visit.redirect("/administration/deployment")
        elif current and not form.values:
            visit.form = _filled(current[0])
        return visit.page(
            "administrator/deployment.html",
            status=422 if form.errors else 200,
            is_published=bool(current),
            body=bodies[-1] if bodies else None,
            purpose_choices=[(each.value, visit.gettext(text), "") for each, text in PURPOSES.items()],
        )


def _filled(current: facts.Deployment) -> Form:
    """The form with what is published, but for what every statement says by itself."""
    own = [each for each in current.prohibited_uses if each not in set(Declaration)]
    return Form(
        {
            "operator": (current.operator,),
            "accountable_person": (current.accountable_person,),
            "contact": (current.contact,),
            "legal_basis": (current.legal_basis,),
            "purposes": current.purposes,
            "prohibited_uses": ("\n".join(own),),
        }
    )


def findings(parts: Parts) -> Iterator[Finding]:
    """What `doctor` looks at while the service runs; a check that fails is a finding, and the others go on."""
    checks: tuple[tuple[str, Callable[[Parts], Finding]], ...] = (
        (N_("The ledger agrees with the records"), _ledger),
        (N_("The models in use are the files that their manifests state"), _models),
        (N_("The data folder is private"), _folder),
        (N_("There is room on the disk"), _disk),
        (N_("Reviewers can compare photographs"), _pictures),
        (N_("There is an access key"), _keys),
        (N_("The data can be read"), _galleries),
    )
    for subject, check in checks:
        try:
            found = check(parts)
        except Error as error:
            found = Finding("", is_well=False, detail=str(error), advice=N_("Run `recognizance doctor --thorough`."))
        yield Finding(subject, found.is_well, found.detail, found.advice)


def _ledger(parts: Parts) -> Finding:
    source, keys = FolderSource(parts.recorder.public), (parts.recorder.verifier, *parts.recorder.former_keys)
    found = check_tail(parts.records, source, keys)
    size = read_checkpoint(source, keys).checkpoint.size
    if found:
        return Finding("", False, str(found[0]), N_("Run `recognizance doctor --thorough`."))
    return Finding("", True, str(size))


def _models(parts: Parts) -> Finding:
    model = parts.models.model(parts.settings.recogniser)
    is_ready = parts.models.state(model) is FileState.READY
    return Finding("", is_ready, model.name, "" if is_ready else N_("Fetch it again: `recognizance models pull`."))


def _folder(parts: Parts) -> Finding:
    mode = stat.S_IMODE(parts.data.stat().st_mode)
    is_private = not mode & 0o077
    return Finding("", is_private, f"{mode:04o}", "" if is_private else N_("Give it the mode 0700."))


def _disk(parts: Parts) -> Finding:
    free = shutil.disk_usage(parts.data).free
    has_room = free >= LEAST_FREE_BYTES
    advice = "" if has_room else N_("Make room: below 1 GiB, enrolment may stop.")
    return Finding("", has_room, f"{free / (1 << 30):.1f} GiB", advice)


def _pictures(parts: Parts) -> Finding:
    is_strict = parts.governing.profile.name is ProfileName.LAW_ENFORCEMENT
    is_well = parts.settings.keep_images or not is_strict
    return Finding("", is_well, "", "" if is_well else N_("Set keep_images = true before anybody is enrolled."))


def _keys(parts: Parts) -> Finding:
    active = sum(key.active for key in parts.keys.list())
    return Finding("", active > 0, str(active), "" if active else N_("Nobody can sign requests; draw a key."))


def _galleries(parts: Parts) -> Finding:
    with parts.records.reading() as reader:
        faces = sum(row.face_count for row in reader.galleries(limit=1_000_000))
    return Finding("", True, str(faces))
