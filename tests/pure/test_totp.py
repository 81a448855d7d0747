"""One-time codes by the vectors of RFC 6238, appendix B (the last six of eight digits)."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.security import totp

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_vectors_of_the_standard(seconds, code):
    at = datetime.fromtimestamp(seconds, UTC)

    assert totp.code(SECRET, totp.step_of(at)) == code
    assert totp.matching(SECRET, f"{code[:3]} {code[3:]}", at) == totp.step_of(at)


@pytest.mark.parametrize(("away", "counts"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_one_step_away_counts_and_two_do_not(away, counts):
    step = totp.step_of(NOW)

    found = totp.matching(SECRET, totp.code(SECRET, step + away), NOW)

    assert found == (step + away if counts else None)


@pytest.mark.parametrize("given", ["", "12345", "1234567", "abcdef", "１２３４５６"])
def test_what_is_no_code_matches_nothing(given):
    assert totp.matching(SECRET, given, NOW + timedelta(days=1)) is None


def test_secret_is_shown_in_groups_and_in_the_address():
    assert totp.shown(SECRET).split()[0] == "GEZD"
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in totp.uri(SECRET, login="a b", issuer="x:y")
    assert totp.uri(SECRET, login="a b", issuer="x:y").startswith("otpauth://totp/x%3Ay%3Aa%20b?")
