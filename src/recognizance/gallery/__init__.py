"""Templates to candidates: exact search of a gallery in memory."""

from recognizance.gallery.exact import ExactIndex
from recognizance.gallery.index import BruteForceIndex, Candidate, Index, Template, Templates, scores

__all__ = ["BruteForceIndex", "Candidate", "ExactIndex", "Index", "Template", "Templates", "scores"]
