"""What everybody may see, without an account: all public pages, put together."""

import os
from typing import TYPE_CHECKING

from recognizance.intake import Intake
from recognizance.storage import new_id, now
from recognizance.web.frame import Page
from recognizance.web.public_asking import AskingPages
from recognizance.web.public_evaluations import EvaluationsPages
from recognizance.web.public_front import FrontPages
from recognizance.web.public_record import RecordPages
from recognizance.web.public_register import RegisterPages
from recognizance.web.public_uses import UsesPages
from recognizance.web.rule_change_pages import RuleChangesPages

if TYPE_CHECKING:
    from recognizance.web.site import Services


def public_pages(services: "Services") -> list[Page]:
    """All of them, in the order in which the navigation names them."""
    governing, recorder, register = services.governing, services.recorder, services.register
    set_up = services.entrance.set_up
    return [
        *FrontPages(
            governing.uses,
            governing.registration,
            register,
            governing.profile.name,
            set_up_is_due=lambda: set_up.is_due,
        ).table(),
        *UsesPages(governing.uses, governing.registration, governing.moderation, register, governing.writers).table(),
        *RuleChangesPages(governing.thresholds, register).table(),
        *RegisterPages(register).table(),
        *EvaluationsPages(register, governing.evaluations.results).table(),
        *RecordPages(services.records, recorder).table(),
        *AskingPages(
            Intake(services.records, recorder, clock=now, new_id=new_id, random_bytes=os.urandom),
            governing.writers,
            clock=now,
        ).table(),
    ]
