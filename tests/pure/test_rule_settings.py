"""A rule can be milder or stricter for one party, but never one that says who sends to whom."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway import snapshots
from gateway.directory import RuleSetting
from gateway.errors import Misconfigured, Severity
from gateway.installation import load_directory, load_installation
from gateway.rules import business
from gateway.rules.business import BY_ID, RULES
from gateway.rules.settings import check_settings, deviations
from gateway.rules.severities import severity
from tests import pki
from tests.installations import installed
from tests.parties import AT, HUB, MELDING, PARTIES, POLITIE, VT, directory, document

MILD = RuleSetting(rule="JZ-004", severity=Severity.WARN)
FIXED = [rule.id for rule in RULES if rule.fixed]


def here(*settings: RuleSetting, oin=POLITIE):
    plain = directory(HUB)
    party = replace(plain.parties[oin], rules=settings)
    return replace(plain, parties={**plain.parties, oin: party})


def found(doc, here, at=AT):
    checked = business.check(doc, kind=MELDING, directory=here, sender=POLITIE, at=at)
    return {(f.rule, f.severity) for f in checked}


def test_rule_only_warns_for_a_party_that_gets_used_to_it():
    doc = document(datumIncident="20260230")

    assert found(doc, here()) == {("JZ-004", Severity.REFUSE)}
    assert found(doc, here(MILD)) == {("JZ-004", Severity.WARN)}


def test_setting_of_another_party_changes_nothing():
    doc = document(datumIncident="20260230")

    assert found(doc, here(MILD, oin=VT)) == {("JZ-004", Severity.REFUSE)}


def test_rule_can_be_made_stricter():
    strict = RuleSetting(rule="JZ-006", severity=Severity.REFUSE)
    doc = document(datumMelding="20261116")

    assert found(doc, here()) == {("JZ-006", Severity.WARN)}
    assert found(doc, here(strict)) == {("JZ-006", Severity.REFUSE)}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 12, 31, 22, 59, tzinfo=UTC), Severity.WARN),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), Severity.REFUSE),
    ],
)
def test_setting_ends_with_its_last_day_by_the_dutch_calendar(at, expected):
    setting = replace(MILD, until=date(2026, 12, 31))
    party = replace(PARTIES[0], rules=(setting,))

    assert severity(BY_ID["JZ-004"], party, at=at) is expected


@given(st.sampled_from(RULES), st.sampled_from(Severity), st.dates(), st.datetimes())
def test_severity_is_that_of_the_table_or_of_the_setting(rule, given_, until, moment):
    at = moment.replace(year=min(max(moment.year, 2), 9998), tzinfo=UTC)
    setting = RuleSetting(rule=rule.id, severity=given_, until=until)

    told = severity(rule, replace(PARTIES[0], rules=(setting,)), at=at)

    assert told in {rule.severity, given_}
    assert severity(rule, None, at=at) is rule.severity


# --- what may be set ------------------------------------------------------------------


def refusal(*settings: RuleSetting) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        check_settings([replace(PARTIES[0], rules=settings)])
    return caught.value


def test_rules_about_who_sends_to_whom_are_fixed():
    assert {"JZ-001", "JZ-002", "JZ-010", "JZ-018"} <= set(FIXED)
    assert all(BY_ID[id_].severity is Severity.REFUSE for id_ in FIXED)


@pytest.mark.parametrize("id_", FIXED)
def test_fixed_rule_can_not_be_weakened(id_):
    error = refusal(RuleSetting(rule=id_, severity=Severity.WARN))

    assert (error.code, error.where) == ("regel.vast", f"partijen.{POLITIE}.regels.{id_}")


def test_fixed_rule_may_be_named_at_its_own_severity():
    check_settings(
        [replace(PARTIES[0], rules=(RuleSetting(rule="JZ-001", severity=Severity.REFUSE),))]
    )


def test_unknown_rule_and_one_that_is_set_twice_are_refused():
    assert refusal(RuleSetting(rule="JZ-999", severity=Severity.WARN)).code == "regel.onbekend"
    assert refusal(MILD, replace(MILD, severity=Severity.REFUSE)).code == "regel.dubbel"


def test_only_what_differs_now_is_told():
    over = replace(MILD, rule="JZ-003", until=date(2026, 11, 17))
    same = RuleSetting(rule="JZ-006", severity=Severity.WARN)
    party = replace(PARTIES[0], rules=(MILD, over, same))

    assert list(deviations([party, PARTIES[1]], at=AT)) == [(party, MILD)]


# --- from the files -------------------------------------------------------------------


def with_rules(folder, *lines: str):
    """Add settings to the party of Veilig Thuis in gateway.toml."""
    file = installed(folder) / "gateway.toml"
    place = f'oin = "{pki.VEILIG_THUIS}"'
    head, found_, tail = file.read_text().partition(place)
    assert found_
    first, _, rest = tail.partition("\n\n")
    file.write_text(
        f"{head}{found_}{first}\n\n[[partijen.regels]]\n" + "\n".join(lines) + f"\n\n{rest}"
    )
    return load_installation(folder)


def test_settings_come_from_gateway_toml_and_are_logged(tmp_path):
    installation = with_rules(tmp_path, 'regel = "JZ-031"', "tot = 2099-12-31")

    loaded = load_directory(installation, epoch=1)

    setting = RuleSetting(rule="JZ-031", severity=Severity.WARN, until=date(2099, 12, 31))
    assert loaded.parties[pki.VEILIG_THUIS].rules == (setting,)
    with capture_logs() as lines:
        snapshots._log_rules(loaded, pki.AT)
    assert lines == [
        {
            "event": "rule.deviates",
            "log_level": "warning",
            "party": pki.VEILIG_THUIS,
            "rule": "JZ-031",
            "severity": "waarschuwing",
            "until": "2099-12-31",
        }
    ]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (('regel = "JZ-001"',), "regel.vast"),
        (('regel = "JZ-010"', 'ernst = "waarschuwing"'), "regel.vast"),
        (('regel = "JZ-999"',), "regel.onbekend"),
        (('regel = "JZ-31"',), "config.invalid"),
        (('regel = "JZ-031"', 'ernst = "uit"'), "config.invalid"),
        (('regel = "JZ-031"', 'tot = "morgen"'), "config.invalid"),
        (('ernst = "waarschuwing"',), "config.invalid"),
        (('regel = "JZ-031"', "altijd = true"), "config.invalid"),
    ],
)
def test_wrong_setting_stops_the_start(tmp_path, lines, code):
    with pytest.raises(Misconfigured) as caught:
        load_directory(with_rules(tmp_path, *lines), epoch=1)

    assert caught.value.code == code
