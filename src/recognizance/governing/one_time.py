"""Second factors that are typed: codes of an authenticator app, and recovery codes for when it is lost.

Implements HOTP (RFC 4226) and TOTP (RFC 6238) with what every authenticator app takes: SHA-1, six digits, steps of
thirty seconds. SHA-1 is as strong here as the key: HMAC does not rest on collisions. Recovery codes are random, so a
plain hash keeps them; a password's slow hash would protect nothing that 80 random bits don't.

Pure: secrets, time and randomness come in. A code that was accepted once must not be accepted again (RFC 6238, 5.2):
the caller keeps the step that `accepted_step` answers, and passes it in the next time.
"""

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlencode

DIGITS = 6
STEP_S = 30
SECRET_BYTES = 20
"""As long as SHA-1's output, which RFC 4226, section 4, recommends."""

_DRIFT_STEPS = 1
"""How far a telephone's clock may be off, in steps to either side: RFC 6238, 5.2, recommends one."""

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10


def hotp(secret: bytes, counter: int) -> str:
    """The code for one value of the counter (RFC 4226, 5.3).

    >>> hotp(b"12345678901234567890", 0), hotp(b"12345678901234567890", 9)
    ('755224', '520489')
    """
    digest = hmac.digest(secret, counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_S


def accepted_step(secret: bytes, code: str, *, now: datetime, after: int) -> int | None:
    """The step whose code this is; `None` if it is wrong, too old, or was accepted before.

    Args:
        after: The step of the code that was accepted last; `-1` before the first.
    """
    typed = "".join(code.split())
    current, found = step_at(now), None
    # All steps are tried whatever the first ones say, so that the time taken says nothing about which it was.
    for step in range(current - _DRIFT_STEPS, current + _DRIFT_STEPS + 1):
        if hmac.compare_digest(hotp(secret, step).encode(), typed.encode()) and step > after:
            found = step
    return found


def written_secret(secret: bytes) -> str:
    """As people type it into an app: base32 in groups of four.

    >>> written_secret(b"12345678901234567890")
    'GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ'
    """
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def app_link(secret: bytes, *, issuer: str, login: str) -> str:
    """The `otpauth:` link that opens an authenticator app, or that a QR code holds."""
    label = quote(f"{issuer}:{login}", safe="")
    asked = urlencode({"secret": base64.b32encode(secret).decode().rstrip("="), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{label}?{asked}"


def draw_recovery_codes(random_bytes: Callable[[int], bytes]) -> tuple[str, ...]:
    """Ten codes of 80 random bits, in groups of four letters and digits."""
    drawn = (base64.b32encode(random_bytes(_RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES))
    return tuple("-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in drawn)


def recovery_digest(code: str) -> str:
    """What is kept of a recovery code. Case, spaces and hyphens don't matter, so that it can be read from paper."""
    plain = "".join(character for character in code.casefold() if character.isalnum())
    return sha256(plain.encode()).hexdigest()


def spend_recovery_code(code: str, kept: Sequence[str]) -> tuple[str, ...] | None:
    """The digests that are left once this code is used; `None` if it is none of them."""
    digest = recovery_digest(code)
    left = tuple(each for each in kept if not hmac.compare_digest(each, digest))
    return left if len(left) < len(kept) else None
