"""What the pages call things that are codes inside: roles and profiles. Marked for the catalogue, one word per idea."""

from collections.abc import Mapping

from recognizance.governance.parties import Role
from recognizance.governance.profiles import ProfileName
from recognizance.web.language import N_

ROLE_NAMES: Mapping[Role, str] = {
    Role.OPERATOR: N_("operator"),
    Role.EXAMINER: N_("examiner"),
    Role.SUPERVISOR: N_("supervisor"),
    Role.OVERSEER: N_("overseer"),
    Role.DESK_OFFICER: N_("desk officer"),
    Role.ADMINISTRATOR: N_("administrator"),
    Role.AUDITOR: N_("auditor"),
    Role.TESTER: N_("tester"),
}

PROFILE_NAMES: Mapping[ProfileName, str] = {
    ProfileName.PRIVATE: N_("private: one person with their own photographs"),
    ProfileName.ORGANISATION: N_("organisation: a company or a researcher"),
    ProfileName.LAW_ENFORCEMENT: N_("law enforcement: every rule there is"),
}
