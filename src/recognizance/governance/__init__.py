"""Who may do what."""

from recognizance.governance.policy import Policy, Principal, Role

__all__ = ["Policy", "Principal", "Role"]
