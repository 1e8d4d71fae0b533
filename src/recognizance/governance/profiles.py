"""Profiles: how strict a service is, as data that `recognizance init --profile` writes.

`private` is one person with their own photographs; `organisation` is for companies and researchers; `law-enforcement`
has every rule. A profile names its policy files and the numbers that the state tables are given. The numbers are where
an operator starts, not what any law says. Nothing here may loosen a prohibition: `prohibitions.cedar` and `uses.cedar`
are in each profile. Reads the packaged policy files and nothing else. Implements `docs/governance.md`, "Profiles".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib import resources

from recognizance.errors import InputError
from recognizance.governance.cedar import Rulebook
from recognizance.governance.oversight import Quorum, Sha256Hex
from recognizance.governance.parties import AgencyId, PersonId, Separation, UseId
from recognizance.governance.purposes import Capture, LawfulBasis, Purpose, SearchClass, Source
from recognizance.governance.requests import EnrolmentFacts
from recognizance.governance.rules import Effect, PolicyFile
from recognizance.governance.terms import MOST_CANDIDATES, AccountabilityReport, Limits, UseTerms
from recognizance.governance.uses import Use, UseEvent, advance
from recognizance.identifiers import GalleryId

SCHEMA_FILE = "schema.cedarschema"
_EVERYWHERE = ("permits.cedar", "prohibitions.cedar", "uses.cedar", "desk.cedar", "testers.cedar")


class ProfileName(StrEnum):
    PRIVATE = "private"
    ORGANISATION = "organisation"
    LAW_ENFORCEMENT = "law-enforcement"


@dataclass(frozen=True, slots=True)
class Profile:
    """How strict a service is.

    Attributes:
        policy_files: In the order in which decisions cite them.
        approvals_needed: How many overseers must approve; zero only where the rules are one person's own.
        comment_period: How long the public may comment on a new purpose before overseers vote.
        default_enrolment: Source and basis of an enrolment that states none; `None` refuses it.
        has_default_use: Whether acts that name no use are on behalf of the owner's standing one.
        longest_session: The most that `AssumeRole` gives; within STS's own bounds, 15 minutes to 12 hours.
        needs_evaluation: Whether a use is held to a published evaluation, before it is active and at each search.
    """

    name: ProfileName
    policy_files: tuple[str, ...]
    approvals_needed: int
    comment_period: timedelta
    separation: Separation
    default_enrolment: EnrolmentFacts | None
    has_default_use: bool
    longest_session: timedelta
    needs_evaluation: bool


PROFILES = {
    ProfileName.PRIVATE: Profile(
        name=ProfileName.PRIVATE,
        policy_files=(*_EVERYWHERE, "private.cedar", "not_for_police.cedar"),
        approvals_needed=0,
        comment_period=timedelta(0),
        separation=Separation.ONE_PERSON,
        default_enrolment=EnrolmentFacts(Source.OWN_PHOTOGRAPH, LawfulBasis.PERSONAL_ACTIVITY),
        has_default_use=True,
        longest_session=timedelta(hours=12),
        needs_evaluation=False,
    ),
    ProfileName.ORGANISATION: Profile(
        name=ProfileName.ORGANISATION,
        policy_files=(*_EVERYWHERE, "organisation.cedar", "not_for_police.cedar"),
        approvals_needed=2,
        comment_period=timedelta(days=14),
        separation=Separation.STRICT,
        default_enrolment=None,
        has_default_use=False,
        longest_session=timedelta(hours=12),
        needs_evaluation=True,
    ),
    ProfileName.LAW_ENFORCEMENT: Profile(
        name=ProfileName.LAW_ENFORCEMENT,
        policy_files=(*_EVERYWHERE, "organisation.cedar", "law_enforcement.cedar"),
        approvals_needed=3,
        comment_period=timedelta(days=30),
        separation=Separation.STRICT,
        default_enrolment=None,
        has_default_use=False,
        longest_session=timedelta(hours=1),
        needs_evaluation=True,
    ),
}


def policy_file(name: str) -> PolicyFile:
    """One of the packaged policy files."""
    text = resources.files("recognizance.governance").joinpath("policies", name).read_text(encoding="utf-8")
    return PolicyFile(name, text)


def rulebook(profile: Profile, own: Sequence[PolicyFile] = ()) -> Rulebook:
    """The profile's policies, validated. Takes some tens of milliseconds; done once, at start.

    Args:
        own: The operator's own files, cited after the profile's. They may only forbid: nobody voted on what a
            permission of theirs would allow.

    Raises:
        InputError: If a policy does not validate or an own one permits something; the service must not start.
    """
    if not own:
        return _packaged(profile.policy_files)
    book = Rulebook(policy_file(SCHEMA_FILE), [*(policy_file(name) for name in profile.policy_files), *own])
    names = {file.name for file in own}
    for rule in book.rules:
        if rule.statement.file in names and rule.effect is not Effect.FORBID:
            raise InputError(
                f"{rule.statement.place}: the operator's own policies may only forbid; {rule.name!r} permits"
            )
    return book


@cache
def _packaged(names: tuple[str, ...]) -> Rulebook:
    """The packaged files alone, which are the same for as long as a process runs."""
    return Rulebook(policy_file(SCHEMA_FILE), [policy_file(name) for name in names])


DEFAULT_USE_LASTS = timedelta(days=365)
_DEFAULT_SEARCHES_PER_DAY = 1_000_000


def propose(
    profile: Profile,
    *,
    use: UseId,
    terms: UseTerms,
    terms_sha256: Sha256Hex,
    proposer: PersonId,
    overseers: frozenset[PersonId],
    purpose_is_new: bool,
    now: datetime,
) -> Use:
    """A proposed use under this profile's quorum and comment period.

    Args:
        overseers: Those who may vote on it (`oversight.quorum_of`).
        purpose_is_new: Whether this agency has no earlier approved use of this gallery for this purpose.

    Raises:
        InputError: If there are too few overseers for the quorum.
    """
    return Use(
        id=use,
        terms=terms,
        terms_sha256=terms_sha256,
        proposer=proposer,
        proposed_at=now,
        comments_until=now + profile.comment_period if purpose_is_new else now,
        quorum=Quorum(profile.approvals_needed, overseers),
    )


def default_use_terms(agency: AgencyId, gallery: GalleryId | None, now: datetime) -> UseTerms:
    """What the owner of a private service does with their own photographs, for a year at a time."""
    report = AccountabilityReport(
        vendor="the Recognizance project",
        version="as installed; the ledger has each version",
        capabilities_and_limits="finds similar faces; a similar face is not the same person",
        inputs="the owner's photographs",
        purpose="sort, find and compare the owner's own photographs",
        decision_supported="none about anybody but the owner",
        who_when_where="the owner, on their own machine",
        retention="until the owner deletes it",
        sharing="none",
        error_rates_and_plan="as the model's evaluation states; none is measured for this use",
        rights_impact="people in the photographs; the owner answers to them",
        feedback_channel="the owner",
        published=now,
        expires=now + DEFAULT_USE_LASTS,
    )
    return UseTerms(
        agency=agency,
        gallery=gallery,
        purpose=Purpose.ORGANISE_PHOTOGRAPHS,
        search_classes=frozenset({SearchClass.ARCHIVE}),
        limits=Limits(
            threshold_floor_pct=0.0,
            candidates=MOST_CANDIDATES,
            searches_per_day=_DEFAULT_SEARCHES_PER_DAY,
            captures=frozenset({Capture.STILL}),
        ),
        report=report,
        starts=now,
        expires=now + DEFAULT_USE_LASTS,
        review_required=False,
    )


def activate_default_use(proposed: Use, now: datetime) -> Use:
    """Take a default use through the same table as any other; only a quorum of zero lets it through at once.

    Raises:
        ConflictError: If the use has overseers to ask, or the public to wait for.
    """
    steps = (UseEvent.CLOSE_COMMENTS, UseEvent.APPROVE, UseEvent.ACTIVATE)
    use = proposed
    for step in steps:
        use = advance(use, step, now)
    return use
