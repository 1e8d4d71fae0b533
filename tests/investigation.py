"""The use that most tests are about: a police agency looks in one gallery for whoever is in a recording."""

from datetime import datetime

from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import AgencyId, CourseId
from recognizance.governance.purposes import AuthorityKind, Capture, OffenceCode, Purpose, SearchClass
from recognizance.governance.terms import AccountabilityReport, Authority, Limits, UseTerms
from recognizance.identifiers import GalleryId

from .evidence import REFERENCE


def investigation_terms(
    *,
    agency: AgencyId,
    gallery: GalleryId,
    course: CourseId,
    proposed: datetime,
    starts: datetime,
    expires: datetime,
    floor_pct: float = 99.0,
    searches_per_day: int = 20,
) -> UseTerms:
    """Terms that overseers approve: one class of search, one offence, still pictures, review, and no warrant."""
    return UseTerms(
        agency=agency,
        gallery=gallery,
        purpose=Purpose.INVESTIGATE_OFFENCE,
        search_classes=frozenset({SearchClass.INITIAL_IDENTIFICATION}),
        limits=Limits(
            threshold_floor_pct=floor_pct,
            candidates=10,
            searches_per_day=searches_per_day,
            captures=frozenset({Capture.STILL}),
            offences=frozenset({OffenceCode("robbery")}),
        ),
        report=AccountabilityReport(
            vendor="a vendor",
            version="1",
            capabilities_and_limits="finds similar faces",
            inputs="photographs",
            purpose="find who is in a recording",
            decision_supported="whom to ask next",
            who_when_where="two examiners, on request, in one office",
            retention="90 days",
            sharing="none",
            error_rates_and_plan="as evaluated; measured again each year",
            rights_impact="wrong accusations; two reviewers",
            feedback_channel="the clerk's office",
            published=proposed,
            expires=expires,
        ),
        starts=starts,
        expires=expires,
        review_required=True,
        evaluation=REFERENCE,
        course=course,
    )


def statute(since: datetime, until: datetime) -> Authority:
    """What allows a use that needs to be allowed by name."""
    return Authority(AuthorityKind.STATUTE, Sha256Hex("a0" * 32), "the harbour", since, until)
