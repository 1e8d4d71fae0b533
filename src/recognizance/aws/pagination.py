"""Page tokens: where the next page of a list begins, in a form that callers can keep and can't make.

A token holds the last name of the page, so that lists may change between pages: nothing that stays is skipped or comes
twice. It is bound by an HMAC to the operation and the gallery that it was given out for. The service model allows 255
characters for a token and for a gallery's name alike, which is why names are packed here and not just encoded.
"""

import base64
import hmac

from recognizance.errors import InputError

MAX_TOKEN = 255
# Online guessing is all that is possible, and what it wins is to begin a list elsewhere.
_MAC_BYTES = 8
_ALPHABET = "-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_PREFIX = "r"


class PageTokenError(InputError):
    """The token was not given out for this list."""


class PageTokens:
    """Makes and reads tokens.

    Args:
        key: Secret, at least 32 bytes; tokens of another key are refused.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:  # SHA-256's own strength
            raise ValueError("the key of page tokens needs 32 bytes")
        self._key = key

    def make(self, last: str, *, operation: str, within: str = "") -> str:
        """Make the token of the page that begins behind `last`.

        Args:
            last: A name of `[a-zA-Z0-9_.:-]`, 1 to 255 characters.
            within: What else the list depends on, such as its gallery.
        """
        packed = _pack(last)
        token = _PREFIX + base64.b85encode(self._mac(packed, operation, within) + packed).decode()
        if len(token) > MAX_TOKEN:
            raise ValueError(f"a token for a name of {len(last)} characters would have {len(token)}")
        return token

    def read(self, token: str, *, operation: str, within: str = "") -> str:
        """Read the name out of a token that `make` made with the same arguments.

        Raises:
            PageTokenError: If it didn't.
        """
        try:
            data = base64.b85decode(token.removeprefix(_PREFIX).encode("ascii"))
            mac, packed = data[:_MAC_BYTES], data[_MAC_BYTES:]
            if hmac.compare_digest(mac, self._mac(packed, operation, within)):
                last = _unpack(packed)
                # A token has one spelling; base 85 alone would let a few others through.
                if self.make(last, operation=operation, within=within) == token:
                    return last
        except ValueError:
            pass
        raise PageTokenError("the pagination token is not one that was given out for this list")

    def read_optional(self, token: str | None, *, operation: str, within: str = "") -> str | None:
        """As `read`; a request without a token asks for the first page."""
        return None if token is None else self.read(token, operation=operation, within=within)

    def _mac(self, packed: bytes, operation: str, within: str) -> bytes:
        text = f"{operation}\0{within}\0".encode() + packed
        return hmac.digest(self._key, text, "sha256")[:_MAC_BYTES]


def _pack(name: str) -> bytes:
    """Write a name as a number in base 66, a little over six bits a character.

    The leading 1 keeps the names `-` and `--` apart.
    """
    if not 1 <= len(name) <= MAX_TOKEN:
        raise ValueError(f"a name has 1 to {MAX_TOKEN} characters")
    number = 1
    for character in name:
        number = number * len(_ALPHABET) + _ALPHABET.index(character)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _unpack(packed: bytes) -> str:
    number, characters = int.from_bytes(packed, "big"), ""
    while number > 1:
        number, place = divmod(number, len(_ALPHABET))
        characters = _ALPHABET[place] + characters
    return characters
