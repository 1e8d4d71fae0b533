"""The pages of operators, put together: what they share is made once."""

import secrets
import time
from typing import TYPE_CHECKING

from recognizance.reviewing.leads import ExportedLead
from recognizance.storage import new_id
from recognizance.web.frame import Page, in_order
from recognizance.web.operator_asking import PermitDesk
from recognizance.web.operator_history import OwnSearches
from recognizance.web.operator_lead_pages import LeadPages
from recognizance.web.operator_pages import Draft, GalleryLists, OperatorPages, Photographs
from recognizance.web.operator_probe_pages import ProbePages
from recognizance.web.operator_result_pages import ResultPages
from recognizance.web.operator_shelf import Shelf

if TYPE_CHECKING:
    from recognizance.web.site import Services


def operator_pages(services: "Services") -> list[Page]:
    """Every page of operators, and those of leads, which supervisors see as well."""
    desk = PermitDesk(services.policy, new_id)
    drafts: Shelf[Draft] = Shelf(clock=time.monotonic, new_token=secrets.token_urlsafe)
    sheets: Shelf[ExportedLead] = Shelf(clock=time.monotonic, new_token=secrets.token_urlsafe)
    photographs = Photographs(services.oneshot, desk, drafts)
    searches = OwnSearches(services.records, services.recorder)
    return in_order(
        OperatorPages(
            services.governing, services.records, GalleryLists(services.galleries, desk), photographs
        ).table(),
        ProbePages(photographs, services.probes, services.search, services.recorder).table(),
        ResultPages(services.governing, services.records, searches, services.calibration, desk).table(),
        LeadPages(services.leads, services.disclosing, sheets).table(),
    )
