"""Pages of lists: how long they are, and whether there is another."""

from collections.abc import Sequence
from typing import TypeVar

from recognizance.aws.shapes import Members

DEFAULT_PAGE = 1000
MAX_USERS_PAGE = 500

_Row = TypeVar("_Row")


def page_size(request: Members, *, default: int = DEFAULT_PAGE) -> int:
    """The length of a page. Rekognition allows `MaxResults=0`; such a list would never end, so it counts as absent."""
    return request.integer("MaxResults", default=0) or default


def page_of(rows: Sequence[_Row], size: int) -> tuple[Sequence[_Row], bool]:
    """Split rows that were read one beyond the page: those of the page, and whether there are more.

    >>> page_of("abc", 2)
    ('ab', True)
    """
    return rows[:size], len(rows) > size
