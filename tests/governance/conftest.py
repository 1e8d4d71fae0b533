"""A small world for governance tests: one police agency, its use of one gallery, five overseers, and a moment."""

from collections.abc import Callable
from datetime import datetime

import pytest

from recognizance.governance.oversight import Vote
from recognizance.governance.parties import PersonId
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import Use

from .. import uses_in_states
from ..uses_in_states import NOW, OVERSEERS, ballot_of, terms_with


@pytest.fixture
def now() -> datetime:
    """A moment at which everything in this world is in force."""
    return NOW


@pytest.fixture
def overseers() -> tuple[PersonId, ...]:
    return OVERSEERS


@pytest.fixture
def ballot() -> Callable[..., Vote]:
    """`ballot(0, at)` is the first overseer's approval of the world's terms."""
    return ballot_of


@pytest.fixture
def make_terms() -> Callable[..., UseTerms]:
    """Terms that everybody could agree to, with the given fields changed."""
    return terms_with


@pytest.fixture
def use_in() -> Callable[..., Use]:
    """`use_in(state, **terms)` is a use that the table's own steps brought into `state`."""
    return uses_in_states.use_in
