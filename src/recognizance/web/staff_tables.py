"""The tables of those who keep the service: administrators, whoever keeps galleries, the desk, overseers.

One function for each, from the services to its pages; `site.py` puts them into the order of the navigation.
"""

from typing import TYPE_CHECKING

from recognizance.storage import now
from recognizance.web.administrator_duplicates import AdministratorDuplicatesPages
from recognizance.web.administrator_galleries import AdministratorGalleriesPages
from recognizance.web.administrator_imports import AdministratorImportsPages
from recognizance.web.administrator_keys import AdministratorKeysPages
from recognizance.web.administrator_parties import AdministratorPartiesPages
from recognizance.web.administrator_service import AdministratorServicePages, Parts
from recognizance.web.administrator_subjects import AdministratorSubjectsPages
from recognizance.web.desk_pages import DeskPages
from recognizance.web.desk_retention import RetentionPages
from recognizance.web.frame import Page, in_order
from recognizance.web.incident_pages import IncidentPages
from recognizance.web.overseer_pages import OverseerPages
from recognizance.web.overseer_rules import OverseerRulesPages
from recognizance.web.proposal_pages import ProposalPages
from recognizance.web.publishing_pages import PublishingPages

if TYPE_CHECKING:
    from recognizance.web.site import Services


def administrator_pages(services: "Services") -> list[Page]:
    """Who takes part, how they get in, galleries and who is in them, and the service itself."""
    governing, records = services.governing, services.records
    parts = Parts(services.data, services.settings, records, services.recorder, governing, services.keys)
    return in_order(
        AdministratorPartiesPages(governing).table(),
        AdministratorKeysPages(records, governing, services.keys, services.entrance.accounts, clock=now).table(),
        AdministratorGalleriesPages(records, governing, services.galleries, services.retention).table(),
        AdministratorImportsPages(records, governing, services.imports).table(),
        AdministratorSubjectsPages(
            records, governing, services.enrolment, services.subjects, services.duplicates, services.marks
        ).table(),
        AdministratorDuplicatesPages(records, governing, services.enrolment, services.duplicates).table(),
        AdministratorServicePages(parts, services.register).table(),
    )


def desk_pages(services: "Services") -> list[Page]:
    """Requests of people about themselves, and retention."""
    return in_order(
        DeskPages(services.desk, services.erasure, clock=now).table(),
        RetentionPages(services.records, services.retention, clock=now).table(),
    )


def proposal_pages(services: "Services") -> list[Page]:
    """What a supervisor asks for on behalf of an agency."""
    return ProposalPages(services.records, services.governing, services.register, clock=now).table()


def publishing_pages(services: "Services") -> list[Page]:
    """What only people can say of the service, and what went wrong with it."""
    governing = services.governing
    return in_order(
        PublishingPages(governing).table(),
        IncidentPages(governing.incidents, governing.registration, clock=now).table(),
    )


def overseer_pages(services: "Services") -> list[Page]:
    """Uses to decide on, changes of the rules, unusual use."""
    governing = services.governing
    return in_order(
        OverseerPages(governing.uses, governing.thresholds, governing.incidents, services.register, clock=now).table(),
        OverseerRulesPages(services.register, governing.thresholds, governing.watching).table(),
    )
