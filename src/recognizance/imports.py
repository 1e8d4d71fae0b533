"""Imports that somebody asks for over the network, by page or API: whose right each is, and what it looks for.

Photographs are held in memory until they are enrolled or rejected, and are written nowhere on the way. The right to
enrol is asked for whenever an import begins or goes on, and looking for somebody is a search under a permit of its own.
How an import runs and what is kept of it is for `enrolling.jobs`. Implements docs/administration.md, "Importing".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from recognizance.duplicates import Duplicates, asking_for_duplicates
from recognizance.enrolling.bulk import Item
from recognizance.enrolling.jobs import Asked, ImportJobs, Job, Look
from recognizance.errors import ConflictError, InputError
from recognizance.governing.installation import Governing
from recognizance.governing.registration import Actor
from recognizance.identifiers import SubjectId
from recognizance.permits import Action

MAX_FILES = 300
"""Of one import over the network; larger ones are for `recognizance import`."""


class LooksForNobodyError(InputError):
    """The use's candidates wait for reviewers, so that nobody is looked for by name."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A photograph that was sent, which stands nowhere but here."""

    data: bytes = field(repr=False)

    def read_bytes(self) -> bytes:
        return self.data


class Imports:
    """Asks the policy, and runs imports. Safe to share between threads.

    Args:
        jobs: The only one of its server: it runs one import at a time.
    """

    def __init__(self, governing: Governing, jobs: ImportJobs, duplicates: Duplicates) -> None:
        self._gate = governing.gate
        self._duplicates = duplicates
        self.jobs = jobs

    def start(self, asked: Asked, items: Sequence[Item], *, by: Actor) -> str:
        """Begin an import on behalf of its use; answers its id.

        Raises:
            DeniedError: If they may not enrol, or may not search where it is to look for people.
            LooksForNobodyError: If it is to look for people and its use's candidates wait for reviewers.
            ConflictError: If another one is under way.
        """
        permit = self._gate.permit(_under(by, asked), Action.ENROL, asked.gallery)
        return self.jobs.start(asked, items, permit=permit, look=self._look(by, asked))

    def go_on(self, job: Job, items: Sequence[Item], *, by: Actor) -> None:
        """Go on with an import that ended early. The right to enrol is asked for anew.

        Raises:
            DeniedError, LooksForNobodyError: As for `start`.
            ConflictError: If there is nothing to go on with, or another one is under way.
        """
        if not job.may_go_on:
            raise ConflictError("this import needn't be gone on with")
        permit = self._gate.permit(_under(by, job.asked), Action.ENROL, job.gallery)
        self.jobs.go_on(job, items, permit=permit, look=self._look(by, job.asked))

    def _look(self, by: Actor, asked: Asked) -> Look | None:
        """What looks for each person enrolled, under a permit of its own, as each is a search of its own."""
        if not asked.looks:
            return None
        actor = asking_for_duplicates(_under(by, asked))
        # Asked once before anything is enrolled, so that a refusal is told while somebody is there to read it.
        mandate = self._gate.permit(actor, Action.SEARCH, asked.gallery).mandate
        if mandate is not None and mandate.review_required:
            raise LooksForNobodyError("the candidates of this use wait for reviewers, so nobody is looked for by name")

        def look(subject: SubjectId) -> None:
            permit = self._gate.permit(actor, Action.SEARCH, asked.gallery)
            self._duplicates.look(asked.gallery, subject, permit=permit)

        return look


def _under(actor: Actor, asked: Asked) -> Actor:
    """Whoever asks, on behalf of the import's use."""
    return replace(actor, asking=replace(actor.asking, use=asked.use))
