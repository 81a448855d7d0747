"""What a rule warns about is told to whoever hands in, and written down by whoever takes in."""

from dataclasses import replace

import pytest

from gateway.directory import RuleSetting
from gateway.errors import SchemaViolation, Severity
from gateway.message import Aanlevering
from gateway.pipeline import warned
from gateway.rules.business import BY_ID
from tests.flow.test_gate import melding
from tests.flow.town import HUB, POLITIE, VT

FREE = Aanlevering(acuut=False, onderzoek=False, wpg_artikel="8")
REPORTED = "/vtMeldingDi01/object/datumMelding"


def odd() -> bytes:
    """A melding that is dated before its incident, and says nothing of who was informed."""
    octets = melding()
    first, last = octets.index(b"<JZ:isGeinformeerdAan"), octets.index(b"</JZ:isGeinformeerdAan>")
    octets = octets[:first] + octets[last + len(b"</JZ:isGeinformeerdAan>") :]
    begin, end = octets.index(b"<JZ:datumMelding>"), octets.index(b"</JZ:datumMelding>")
    return octets[:begin] + b"<JZ:datumMelding>20261101" + octets[end:]


async def hand_in(town, octets):
    return await town[POLITIE].gateway.hand_in(octets, FREE, town[POLITIE].backend)


async def validated(town, oin, message) -> dict:
    view = await town[oin].store.reader.message(message)
    (row,) = [row for row in view.trace if row.event.event == "message.validated"]
    return row.event.data


async def test_back_end_hears_every_warning_and_the_same_ones_again(town):
    first = await hand_in(town, odd())
    again = await hand_in(town, odd())

    assert [(w.rule, w.path) for w in first.warnings] == [
        ("JZ-006", REPORTED),
        ("JZ-015", "/vtMeldingDi01/object/informering"),
    ]
    assert {w.severity for w in first.warnings} == {Severity.WARN}
    assert (again.fresh, again.warnings) == (False, first.warnings)


async def test_warnings_are_in_the_trace_at_every_stop(town):
    receipt = await hand_in(town, odd())
    await town.settle()

    expected = f"JZ-006 {REPORTED}; JZ-015 /vtMeldingDi01/object/informering"
    data = await validated(town, POLITIE, receipt.id)
    assert (data["warnings"], data["rules"]) == (2, expected)
    for oin in (HUB, VT):
        message = (await town[oin].message("ref-1")).message.id
        assert (await validated(town, oin, message))["rules"] == expected


async def test_message_without_a_warning_says_nothing(town):
    assert (await hand_in(town, melding())).warnings == ()


async def test_refusal_lists_the_warnings_behind_what_refuses(town):
    octets = odd().replace(b"999990019", b"999990018")

    with pytest.raises(SchemaViolation) as caught:
        await hand_in(town, octets)

    assert caught.value.code == "regel.bsn.elfproef"
    told = [(f.rule, f.severity) for f in caught.value.findings]
    assert told[-2:] == [("JZ-006", Severity.WARN), ("JZ-015", Severity.WARN)]
    assert {severity for _, severity in told[:-2]} == {Severity.REFUSE}


async def test_rule_that_is_stricter_for_a_party_refuses_it(town):
    plain = town[POLITIE].snapshots.current()
    strict = RuleSetting(rule="JZ-015", severity=Severity.REFUSE)
    party = replace(plain.parties[POLITIE], rules=(strict,))
    await town[POLITIE].change(parties={**plain.parties, POLITIE: party})

    with pytest.raises(SchemaViolation) as caught:
        await hand_in(town, odd())

    assert [f.rule for f in caught.value.findings] == ["JZ-015", "JZ-006"]


def test_written_warnings_read_back_and_a_rule_that_is_no_more_is_left_out():
    told = tuple(BY_ID[id_].finding(f"/a/b[{n}]", Severity.WARN) for n, id_ in enumerate(BY_ID))

    assert warned.read(warned.written(told)) == told[: warned.MOST]
    assert warned.read("JZ-999 /a; JZ-006 /b") == (BY_ID["JZ-006"].finding("/b", Severity.WARN),)
    assert warned.read("") == ()
