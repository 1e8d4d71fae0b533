"""Who may do what, on whose behalf, and who agreed to it.

What needs Cedar isn't imported here: loading it takes longer than all the rest of a command that never asks it.
`recognizance.governance.authority` and `.profiles` are public too, and imported by their own names.
"""

from recognizance.governance.policy import Policy, Principal, Role, RuledPolicy
from recognizance.governance.requests import AT_THE_MACHINE, Act, Asking, Credential, Grounds, SearchFacts

__all__ = [
    "AT_THE_MACHINE",
    "Act",
    "Asking",
    "Credential",
    "Grounds",
    "Policy",
    "Principal",
    "Role",
    "RuledPolicy",
    "SearchFacts",
]
