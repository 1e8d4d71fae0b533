"""The things that can be asked about, one table of routes for each subject."""

from recognizance.api.resources import (
    desk,
    disclosure,
    galleries,
    own,
    parties,
    probes,
    published,
    retention,
    reviews,
    uses,
)
from recognizance.api.routes import Route

ROUTES: tuple[Route, ...] = (
    *own.ROUTES,
    *parties.ROUTES,
    *uses.ROUTES,
    *galleries.ROUTES,
    *retention.ROUTES,
    *probes.ROUTES,
    *reviews.ROUTES,
    *disclosure.ROUTES,
    *desk.ROUTES,
    *published.ROUTES,
)
"""Everything that the API answers, but for its own description."""

__all__ = ["ROUTES"]
