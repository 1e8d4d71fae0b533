"""Do records and ledger say the same? What the ledger promised is held against the database, row by row."""

from recognizance.agreement.check import Disagreement, check_agreement, check_tail

__all__ = ["Disagreement", "check_agreement", "check_tail"]
