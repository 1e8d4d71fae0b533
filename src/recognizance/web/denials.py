"""What a refusal says to a reader: what is missing and who can grant it, in their language.

The sentences are the policies' own (`@missing` and `@ask`), and the catalogue has each of them: `catalogue.py` takes
them from the policy files, so a new policy without a translation fails a test. What an operator's own policy says, and
what a sentence adds about this very case, stays as it was written, marked as English. Adds no rule and decides nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from recognizance.errors import DeniedError
from recognizance.governance.parties import Role
from recognizance.governance.profiles import PROFILES, rulebook
from recognizance.web.language import N_, Wording
from recognizance.web.refusals import Said
from recognizance.web.wordings import ROLE_NAMES

_ASK = "; ask "
_ROLES = re.compile(r"the role ([a-z_]+(?: or [a-z_]+)*)")
_ASSIGNER = N_("an administrator, who assigns roles")
_NOBODY = N_("that no policy permits anybody")


@dataclass(frozen=True, slots=True)
class Reason:
    missing: Said
    ask: Said


def policy_texts() -> Iterator[str]:
    """Every sentence with which a policy of ours refuses."""
    for profile in PROFILES.values():
        for rule in rulebook(profile, []).rules:
            yield from (text for text in (rule.missing, rule.ask) if text)


def reasons(error: DeniedError, wording: Wording) -> list[Reason]:
    """Why something was refused, one reason after the other; empty where the refusal names none.

    >>> from recognizance.web.language import Language, wording
    >>> error = DeniedError("no", missing=("the role overseer or auditor; ask an administrator, who assigns roles",))
    >>> [reason] = reasons(error, wording(Language.SPANISH))
    >>> reason.missing.text
    'la función miembro del órgano de control o auditor'
    """
    found = [each.partition(_ASK) for each in error.missing]
    return [Reason(_missing(missing, wording), _said(ask, wording)) for missing, _, ask in found]


def _missing(text: str, wording: Wording) -> Said:
    if (found := _ROLES.fullmatch(text)) is not None and set(found[1].split(" or ")) <= set(Role):
        named = [wording.gettext(ROLE_NAMES[Role(each)]) for each in found[1].split(" or ")]
        joined = wording.gettext("%(one)s or %(other)s")
        spoken = named[0]
        for each in named[1:]:
            spoken = joined % {"one": spoken, "other": each}
        return Said(wording.gettext("the role %(roles)s") % {"roles": spoken}, is_translated=True)
    return _said(text, wording)


def _said(text: str, wording: Wording) -> Said:
    if wording.knows(text):
        return Said(wording.gettext(text), is_translated=True)
    # A policy's sentence with what it found in this case behind it.
    head, bracket, rest = text.partition(" (")
    if bracket and wording.knows(head):
        return Said(f"{wording.gettext(head)}{bracket}{rest}", is_translated=True)
    return Said(text, is_translated=False)
