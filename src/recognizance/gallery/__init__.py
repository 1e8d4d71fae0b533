"""Templates to candidates: exact search of a gallery in memory.

`recognizance.gallery.exact` is public too, and imported by its own name: it loads the compiler of its kernels, which
takes longer than all the rest of a command that searches nothing.
"""

from recognizance.gallery.index import BruteForceIndex, Candidate, Index, Template, Templates, scores

__all__ = ["BruteForceIndex", "Candidate", "Index", "Template", "Templates", "scores"]
