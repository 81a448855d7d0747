"""An exception on the algorithms has a reason and an end that is near, and everybody sees it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.cli.doctor_exceptions import exceptions
from gateway.config import AlarmSettings
from gateway.config_algorithms import LONGEST, Weakness
from gateway.errors import Misconfigured
from gateway.installation import load_directory, load_installation
from gateway.lapsing import exception_figures, exceptions_expiring
from gateway.metrics import Metrics
from gateway.security.weak import excepted
from tests import pki
from tests.installations import installed
from tests.weak import allowing

BOUNDS = AlarmSettings.model_validate({})
GOOD = ('wat = "rsa-1.5"', 'reden = "adapter wordt vervangen"', "tot = 2027-03-01")
PARTNER = pki.VEILIG_THUIS


def with_exceptions(folder, *lines: str, oin: str = PARTNER):
    """Add settings to a party in gateway.toml."""
    file = installed(folder) / "gateway.toml"
    head, mark, tail = file.read_text().partition(f'oin = "{oin}"')
    assert mark
    first, _, rest = tail.partition("\n\n")
    added = "\n".join(("[[partijen.uitzonderingen]]", *lines))
    file.write_text(f"{head}{mark}{first}\n\n{added}\n\n{rest}")
    return load_installation(folder)


def loaded(folder, *lines: str, at: datetime = pki.AT, oin: str = PARTNER):
    return load_directory(with_exceptions(folder, *lines, oin=oin), epoch=1, at=at)


def test_it_lasts_to_the_end_of_its_last_day_by_the_dutch_calendar(tmp_path):
    party = loaded(tmp_path, *GOOD).parties[PARTNER]
    ends = datetime(2027, 3, 1, 23, tzinfo=UTC)  # winter time: an hour ahead

    (one,) = party.exceptions
    assert (one.what, one.reason, one.until) == (
        Weakness.RSA15,
        "adapter wordt vervangen",
        ends,
    )
    assert excepted(party, ends - timedelta(microseconds=1)) == {Weakness.RSA15}
    assert excepted(party, ends) == excepted(None, pki.AT) == frozenset()


def test_nobody_has_one_by_itself(tmp_path):
    directory = load_directory(load_installation(installed(tmp_path)), epoch=1, at=pki.AT)

    assert all(party.exceptions == () for party in directory.parties.values())


def test_one_that_ended_stops_nothing(tmp_path):
    party = loaded(tmp_path, GOOD[0], GOOD[1], "tot = 2020-01-01").parties[PARTNER]

    assert excepted(party, pki.AT) == frozenset()


def test_thirteen_months_is_the_most(tmp_path):
    last = pki.AT.date() + LONGEST

    assert loaded(tmp_path / "a", *GOOD[:2], f"tot = {last}").parties[PARTNER].exceptions
    with pytest.raises(Misconfigured) as caught:
        loaded(tmp_path / "b", *GOOD[:2], f"tot = {last + timedelta(days=1)}")
    assert caught.value.code == "config.invalid"
    assert caught.value.where == f"partijen.{PARTNER}.uitzonderingen.rsa-1.5.tot"


@pytest.mark.parametrize(
    "lines",
    [
        GOOD[:2],
        (GOOD[0], GOOD[2]),
        GOOD[1:],
        ('wat = "md5"', *GOOD[1:]),
        (GOOD[0], 'reden = "omdat"', GOOD[2]),
        (*GOOD, "altijd = true"),
        (*GOOD, "[[partijen.uitzonderingen]]", *GOOD),
    ],
    ids=["no end", "no reason", "nothing", "unknown", "short reason", "unknown key", "twice"],
)
def test_a_wrong_one_stops_the_start(tmp_path, lines):
    with pytest.raises(Misconfigured) as caught:
        loaded(tmp_path, *lines)
    assert caught.value.code == "config.invalid"


def test_the_own_party_has_none(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        loaded(tmp_path, *GOOD, oin=pki.POLITIE)
    assert caught.value.code == "config.invalid"


# --- who sees it --------------------------------------------------------------------------


@pytest.fixture
def directory(tmp_path):
    return loaded(tmp_path, *GOOD)


def test_it_passes_the_stages_of_a_certificate_and_stays_an_alarm_after_its_end(directory):
    (one,) = directory.parties[PARTNER].exceptions

    def alarms(**left):
        now = one.until - timedelta(**left)
        return [(a.code, a.subject) for a in exceptions_expiring(directory, BOUNDS, now)]

    assert alarms(days=61) == []
    for days, stage in ((60, 60), (30, 30), (7, 7), (1, 7), (0, 0), (-400, 0)):
        assert alarms(days=days) == [("exception.expiring", f"{PARTNER} rsa-1.5/{stage}")]


def test_how_long_it_lasts_and_each_use_are_figures(directory):
    (one,) = directory.parties[PARTNER].exceptions
    metrics = Metrics()

    metrics.exceptions(exception_figures(directory, one.until - timedelta(hours=1)))
    metrics.excepted(PARTNER, one.what)

    text = metrics.exposition()[0].decode()
    labels = f'{{oin="{PARTNER}",wat="rsa-1.5"}}'
    assert f"gateway_exception_expiry_seconds{labels} 3600.0" in text
    assert f"gateway_exception_uses_total{labels} 1.0" in text


def test_doctor_tells_of_one_in_force_and_of_one_that_ended(directory):
    (one,) = directory.parties[PARTNER].exceptions

    (before,) = exceptions(directory, pki.AT)
    (after,) = exceptions(directory, one.until)

    assert (before.code, after.code) == ("exception.in_force", "exception.ended")
    assert before.text.endswith("rsa-1.5 tot en met 2027-03-01 (adapter wordt vervangen)")


@pytest.mark.parametrize(
    ("what", "told"),
    [(Weakness.RSA15, True), (Weakness.CBC, True), (Weakness.SHA1, False)],
)
def test_doctor_tells_of_a_key_that_also_protects_others(directory, what, told):
    """Whoever breaks it by the exception reads what the others send as well."""
    (agreement,) = directory.agreements.values()
    partner = next(p for p in agreement.parties if p.id != directory.me)
    others = [p for p in directory.parties.values() if p.oin not in {partner.id, directory.me}]
    other = replace(others[0], exceptions=())
    party = allowing(directory.parties[partner.id], what, until=pki.AT + timedelta(days=9))
    twin = replace(
        agreement,
        cpa_id="other",
        parties=tuple(replace(p, id=other.oin) if p == partner else p for p in agreement.parties),
    )
    here = replace(
        directory,
        parties={directory.me: directory.parties[directory.me], party.oin: party, other.oin: other},
        agreements={agreement.cpa_id: agreement, "other": twin},
    )

    codes = [one.code for one in exceptions(here, pki.AT)]

    assert ("exception.shared_key" in codes) is told
