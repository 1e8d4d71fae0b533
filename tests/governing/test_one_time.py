"""Codes of authenticator apps and recovery codes, against the vectors of the two RFCs."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from recognizance.governing.one_time import (
    RECOVERY_CODES,
    accepted_step,
    app_link,
    draw_recovery_codes,
    hotp,
    recovery_digest,
    spend_recovery_code,
    step_at,
)

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 22, 12, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("counter", "code"),
    [(0, "755224"), (1, "287082"), (2, "359152"), (3, "969429"), (4, "338314"), (5, "254676"), (9, "520489")],
)
def test_codes_are_those_of_rfc_4226(counter: int, code: str) -> None:
    """Its appendix D."""
    assert hotp(SECRET, counter) == code


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")],
)
def test_steps_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    """Its appendix B has eight digits, of which ours are the last six."""
    assert hotp(SECRET, step_at(datetime.fromtimestamp(seconds, UTC))) == code[2:]


@pytest.mark.parametrize(("late_s", "is_accepted"), [(-30, True), (0, True), (30, True), (-60, False), (60, False)])
def test_a_clock_may_be_off_by_one_step(late_s: int, *, is_accepted: bool) -> None:
    code = hotp(SECRET, step_at(NOW + timedelta(seconds=late_s)))
    assert (accepted_step(SECRET, code, now=NOW, after=-1) is not None) == is_accepted


def test_a_code_is_accepted_once() -> None:
    """Nor is an older one after a newer one (RFC 6238, 5.2)."""
    code, older = hotp(SECRET, step_at(NOW)), hotp(SECRET, step_at(NOW) - 1)
    step = accepted_step(SECRET, code, now=NOW, after=-1)
    assert step == step_at(NOW)
    assert accepted_step(SECRET, code, now=NOW, after=step) is None
    assert accepted_step(SECRET, older, now=NOW, after=step) is None


@pytest.mark.parametrize("code", ["", "000000", "१२३४५६", "12345", "x" * 10_000, "\x00"])
def test_anything_else_is_refused(code: str) -> None:
    assert accepted_step(SECRET, code, now=NOW, after=-1) is None


def test_a_recovery_code_works_once_however_it_is_written() -> None:
    codes = draw_recovery_codes(os.urandom)
    kept = tuple(map(recovery_digest, codes))
    left = spend_recovery_code(f" {codes[3].upper().replace('-', ' ')} ", kept)
    assert len(set(codes)) == RECOVERY_CODES
    assert left is not None
    assert len(left) == RECOVERY_CODES - 1
    assert spend_recovery_code(codes[3], left) is None


def test_the_link_for_an_app_keeps_names_apart() -> None:
    """A login can't add parameters of its own."""
    link = app_link(SECRET, issuer="Recognizance", login="a&secret=B@example.org")
    assert link.startswith("otpauth://totp/Recognizance%3Aa%26secret%3DB%40example.org?secret=")
    assert link.count("secret=") == 1
