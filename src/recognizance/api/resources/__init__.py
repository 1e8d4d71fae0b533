"""The things that can be asked about, one table of routes for each subject."""

from recognizance.api.resources import (
    asking,
    comments,
    desk,
    disclosure,
    evaluations,
    galleries,
    imports,
    incidents,
    keys,
    own,
    parties,
    probes,
    published,
    publishing,
    retention,
    reviews,
    subjects,
    thresholds,
    uses,
)
from recognizance.api.routes import Route

ROUTES: tuple[Route, ...] = (
    *own.ROUTES,
    *parties.ROUTES,
    *keys.ROUTES,
    *uses.ROUTES,
    *comments.ROUTES,
    *thresholds.ROUTES,
    *galleries.ROUTES,
    *subjects.ROUTES,
    *imports.ROUTES,
    *retention.ROUTES,
    *probes.ROUTES,
    *reviews.ROUTES,
    *disclosure.ROUTES,
    *asking.ROUTES,
    *desk.ROUTES,
    *evaluations.ROUTES,
    *publishing.ROUTES,
    *incidents.ROUTES,
    *published.ROUTES,
)
"""Everything that the API answers, but for its own description."""

__all__ = ["ROUTES"]
