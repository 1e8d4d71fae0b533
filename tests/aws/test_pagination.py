"""Page tokens: kept by callers, made by us alone."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.aws.pagination import MAX_TOKEN, PageTokenError, PageTokens

TOKENS = PageTokens(b"k" * 32)
NAMES = st.from_regex(r"[a-zA-Z0-9_.:\-]{1,255}", fullmatch=True)


@given(name=NAMES, within=st.text(max_size=20))
def test_a_token_gives_back_its_name(name: str, within: str) -> None:
    """Every name that the service model allows goes into a token that the service model allows."""
    token = TOKENS.make(name, operation="ListFaces", within=within)
    assert len(token) <= MAX_TOKEN
    assert TOKENS.read(token, operation="ListFaces", within=within) == name


@pytest.mark.parametrize("name", ["z" * 255, "-" * 255, "-", "--", "."])
def test_the_longest_and_the_oddest_names_fit(name: str) -> None:
    """255 characters fit into 255, and leading characters are not lost."""
    assert TOKENS.read(TOKENS.make(name, operation="o"), operation="o") == name


def test_a_token_belongs_to_its_operation_gallery_and_installation() -> None:
    """Elsewhere it is refused."""
    token = TOKENS.make("face", operation="ListFaces", within="a")
    for tokens, operation, within in [
        (TOKENS, "ListUsers", "a"),
        (TOKENS, "ListFaces", "b"),
        (TOKENS, "ListFaces", ""),
        (PageTokens(b"j" * 32), "ListFaces", "a"),
    ]:
        with pytest.raises(PageTokenError):
            tokens.read(token, operation=operation, within=within)


@given(name=NAMES, place=st.integers(0, 300), character=st.characters(min_codepoint=33, max_codepoint=126))
def test_a_changed_token_is_refused(name: str, place: int, character: str) -> None:
    """One character is enough."""
    token = TOKENS.make(name, operation="o")
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    if changed != token:
        with pytest.raises(PageTokenError):
            TOKENS.read(changed, operation="o")


@given(token=st.text(max_size=40))
def test_any_text_is_a_token_or_refused(token: str) -> None:
    """Nothing but a `PageTokenError` comes of text that is no token."""
    with contextlib.suppress(PageTokenError):
        TOKENS.read(token, operation="o")


def test_no_token_asks_for_the_first_page() -> None:
    """Absence is not an error."""
    assert TOKENS.read_optional(None, operation="o") is None


@pytest.mark.parametrize("name", ["", "a b", "é", "a" * 256])
def test_a_name_that_cannot_be_listed_makes_no_token(name: str) -> None:
    """It would be a mistake of ours."""
    with pytest.raises(ValueError, match=r".+"):
        TOKENS.make(name, operation="o")


def test_a_short_key_is_refused() -> None:
    """Guessing it would be making tokens."""
    with pytest.raises(ValueError, match="32"):
        PageTokens(b"short")
