"""Who may do what."""

from recognizance.governance.policy import Policy, Principal

__all__ = ["Policy", "Principal"]
