"""The table of all pages: which files bring them, and what those are made from.

A page file has a class that takes the services it calls, and whose `table()` answers its pages. Adding one: a file of
pages, its templates, one line in `site_pages`, and, if it needs a service that no page has needed yet, a field of
`Services` that `app.py` fills. See docs/pages.md.
"""

from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette

from recognizance.config import Settings
from recognizance.disclosing.disclosure import Disclosing
from recognizance.duplicates import Duplicates
from recognizance.enrolling.enrolment import Enrolment
from recognizance.enrolling.subjects import Subjects
from recognizance.faces import Calibration
from recognizance.forgetting.erasure import Erasure
from recognizance.forgetting.marks import Marks
from recognizance.galleries import Galleries
from recognizance.governance import RuledPolicy
from recognizance.governing.access import AccessKeys
from recognizance.governing.entrance import Entrance
from recognizance.governing.installation import Governing
from recognizance.imports import Imports
from recognizance.oneshot import OneShot
from recognizance.recording import Recorder
from recognizance.records import Records
from recognizance.register import LiveRegister
from recognizance.retention_runs import RetentionRuns
from recognizance.reviewing.leads import Leads
from recognizance.reviewing.probes import Probes
from recognizance.reviewing.reviews import Reviewing
from recognizance.search import Search
from recognizance.searching_desk import SearchingDesk
from recognizance.web.entrance_pages import entrance_tables
from recognizance.web.frame import SERVICE_NAME, Frame, Page, frame_app, in_order
from recognizance.web.operator_tables import operator_pages
from recognizance.web.public_pages import public_pages
from recognizance.web.rendering import Templates
from recognizance.web.reviewer_pages import ReviewerPages
from recognizance.web.staff_tables import (
    administrator_pages,
    desk_pages,
    overseer_pages,
    proposal_pages,
    publishing_pages,
)
from recognizance.web.start_pages import StartPages
from recognizance.web.static_files import StaticFiles


@dataclass(frozen=True, slots=True)
class Services:
    """What pages call.

    Attributes:
        page_key: Signs form tokens and messages for the next page.
    """

    data: Path
    settings: Settings
    records: Records
    recorder: Recorder
    governing: Governing
    policy: RuledPolicy
    keys: AccessKeys
    entrance: Entrance
    galleries: Galleries
    enrolment: Enrolment
    subjects: Subjects
    search: Search
    oneshot: OneShot
    calibration: Calibration
    marks: Marks
    erasure: Erasure
    retention: RetentionRuns
    desk: SearchingDesk
    reviewing: Reviewing
    leads: Leads
    probes: Probes
    disclosing: Disclosing
    register: LiveRegister
    imports: Imports
    duplicates: Duplicates
    page_key: bytes = field(repr=False)


def site_pages(services: Services) -> list[Page]:
    """Every page, in the order in which the navigation names them."""
    return in_order(
        public_pages(services),
        StartPages().table(),
        *entrance_tables(services.entrance, services.governing, services.register),
        operator_pages(services),
        ReviewerPages(services.reviewing).table(),
        desk_pages(services),
        administrator_pages(services),
        proposal_pages(services),
        overseer_pages(services),
        publishing_pages(services),
    )


def site(services: Services) -> Starlette:
    """The pages as an application, to be mounted behind everything else."""
    return frame_app(
        Frame(
            sign_in=services.entrance.sign_in,
            key=services.page_key,
            pages=site_pages(services),
            templates=Templates(),
            static=StaticFiles(),
            service_name=SERVICE_NAME,
            public_url=services.settings.public_url,
        )
    )
