import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway
from gateway.catalogue import Role
from gateway.config_gate import Mode
from gateway.directory import ArticleException, Condition, GateReason
from gateway.errors import PolicyViolation
from gateway.message import Aanlevering
from gateway.rules import approval
from gateway.rules.approval import Decision, Hold, Released
from gateway.rules.classification import Reason, Verdict, classify
from tests.parties import (
    APPROVAL,
    AT,
    GATE,
    MELDING,
    OM,
    PARTIES,
    POLITIE,
    STRANGER,
    TABLE,
    VERSION,
    VT,
    confirmed,
    document,
)

HASH = "ab" * 32
BY_OIN = {p.oin: p for p in PARTIES}
FREE = Verdict(
    table_version=TABLE.version,
    classified=True,
    exempt=False,
    reasons=(),
    wpg_artikel="8",
    onderzoek=False,
)
WHOLE_GATE = confirmed(approvals=(replace(APPROVAL, wpg_artikelen=frozenset({"8", "13"})),))


def decide(verdict=FREE, *, sender=POLITIE, receiver=VT, gate=GATE, at=AT):
    return approval.pass_or_hold(
        verdict,
        sender=BY_OIN[sender],
        receiver=BY_OIN[receiver],
        kind=MELDING,
        gate=gate,
        payload_sha256=HASH,
        at=at,
    )


def kinds(decision):
    assert isinstance(decision, Hold)
    return list(decision.kinds)


def repeated(released, *, gate=GATE, receiver=VT, kind="vtMeldingDi01", at=AT):
    return approval.still_released(
        ground=released.ground,
        approval_id=released.approval_id,
        payload_sha256=released.payload_sha256,
        gate=gate,
        receiver=receiver,
        kind=kind,
        at=at,
    )


# --- direction ------------------------------------------------------------------------


def test_police_passes_under_a_standing_approval():
    assert decide() == Released(ground="doorlopend", payload_sha256=HASH, approval_id="DT-1")


@pytest.mark.parametrize(("sender", "receiver"), [(POLITIE, OM), (VT, POLITIE), (OM, VT)])
def test_other_directions_are_not_gated(sender, receiver):
    unknown = replace(FREE, classified=False, onderzoek=None, wpg_artikel=None)

    decision = decide(unknown, sender=sender, receiver=receiver, gate=confirmed())

    assert decision == Released(ground="niet-gegate", payload_sha256=HASH)


def test_exempt_message_passes():
    verdict = classify(document("Bv01Bericht"), Aanlevering(), version=VERSION, table=TABLE)

    assert isinstance(decide(verdict), Released)


def test_own_and_forwarded_messages_name_their_ground():
    assert approval.own(HASH) == Released(ground="eigen", payload_sha256=HASH)
    assert approval.forwarded(HASH) == Released(ground="doorgestuurd", payload_sha256=HASH)


# --- holding --------------------------------------------------------------------------


def test_filled_criminal_element_holds_for_an_individual_decision():
    doc = document("vtMeldingDi01-aanhouding")

    decision = decide(
        classify(doc, Aanlevering(onderzoek=False, wpg_artikel="8"), version=VERSION, table=TABLE)
    )

    assert kinds(decision) == [GateReason.INDIVIDUAL]
    assert decision.ground == "individueel"
    (told,) = decision.told()
    assert told.startswith("Er is iemand aangehouden. (/vtMeldingDi01/object/")


def test_running_investigation_holds():
    assert kinds(decide(replace(FREE, onderzoek=True))) == [GateReason.INVESTIGATION]


@pytest.mark.parametrize("unsaid", [{"onderzoek": None}, {"wpg_artikel": None}])
def test_what_was_not_said_holds(unsaid):
    decision = decide(replace(FREE, **unsaid))

    assert kinds(decision) == [GateReason.INDIVIDUAL]
    assert "niet gezegd" in decision.told()[0]


def test_message_that_the_table_does_not_name_holds():
    assert kinds(decide(replace(FREE, classified=False))) == [GateReason.UNCLASSIFIED]


def test_every_kind_of_ground_is_told():
    decision = decide(replace(FREE, classified=False, onderzoek=True, wpg_artikel=None))

    assert decision.ground == "niet-geclassificeerd, lopend-onderzoek, individueel"
    assert len(decision.told()) == 3


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"messages": frozenset()}, AT),
        ({"receivers": frozenset({OM})}, AT),
        ({"wpg_artikelen": frozenset({"13"})}, AT),
        ({}, APPROVAL.valid_until),
        ({}, APPROVAL.valid_from - timedelta(microseconds=1)),
    ],
)
def test_approval_that_does_not_cover_the_message_holds(change, at):
    gate = confirmed(approvals=(replace(APPROVAL, **change),))

    assert kinds(decide(gate=gate, at=at)) == [GateReason.NO_STANDING_APPROVAL]


def test_no_approvals_allow_nothing():
    assert kinds(decide(gate=confirmed())) == [GateReason.NO_STANDING_APPROVAL]


def test_approval_counts_from_its_first_moment():
    assert isinstance(decide(at=APPROVAL.valid_from), Released)


def test_approval_that_lasts_longest_is_named():
    longer = replace(APPROVAL, id="DT-0", valid_until=AT + timedelta(days=9))

    decision = decide(gate=confirmed(approvals=(longer, APPROVAL)))

    assert decision == Released(ground="doorlopend", payload_sha256=HASH, approval_id="DT-0")


@pytest.mark.parametrize("article", ["9", "10", "art. 10 lid 1", "Wpg 9", " 09 "])
def test_articles_nine_and_ten_are_refused(article):
    with pytest.raises(PolicyViolation) as caught:
        decide(replace(FREE, wpg_artikel=article))

    assert caught.value.code == "gate.wpg_article"


def test_article_of_a_matched_rule_is_refused_as_well():
    table = replace(TABLE, rules=(replace(TABLE.rules[0], wpg_artikel="10"),))
    verdict = classify(
        document("vtMeldingDi01-aanhouding"),
        Aanlevering(onderzoek=False, wpg_artikel="8"),
        version=VERSION,
        table=table,
    )

    with pytest.raises(PolicyViolation):
        decide(verdict)


def test_articles_nine_and_ten_may_go_to_the_om():
    assert isinstance(decide(replace(FREE, wpg_artikel="10"), receiver=OM), Released)


verdicts = st.builds(
    Verdict,
    table_version=st.just(TABLE.version),
    classified=st.booleans(),
    exempt=st.just(value=False),
    reasons=st.just(()),
    wpg_artikel=st.sampled_from([None, "8", "13", "8/9", "acht", "12"]),
    onderzoek=st.sampled_from([None, True, False]),
)


@given(verdicts)
def test_police_passes_only_when_everything_is_known_and_approved(verdict):
    decision = decide(verdict, gate=WHOLE_GATE)

    passes = (
        verdict.classified and verdict.onderzoek is False and verdict.wpg_artikel in {"8", "13"}
    )
    assert isinstance(decision, Released) is passes


others = st.frozensets(st.text(max_size=20).filter(lambda name: name != MELDING.name))


@given(others, st.sampled_from([r for r in Role if r is not Role.OM]))
def test_unnamed_message_of_the_police_is_never_released(messages, role):
    gate = replace(GATE, table=replace(TABLE, messages=messages, exempt=frozenset(), rules=()))
    said = Aanlevering(onderzoek=False, wpg_artikel="8")

    decision = approval.pass_or_hold(
        classify(document(), said, version=VERSION, table=gate.table),
        sender=BY_OIN[POLITIE],
        receiver=replace(BY_OIN[VT], role=role),
        kind=MELDING,
        gate=gate,
        payload_sha256=HASH,
        at=AT,
    )

    assert isinstance(decision, Hold)


# --- once more, at the claim ----------------------------------------------------------


def test_release_that_still_holds_is_given_again():
    released = decide()

    assert repeated(released) == released


@pytest.mark.parametrize("made", [approval.own, approval.forwarded])
def test_ground_without_an_approval_needs_no_gate(made):
    released = made(HASH)

    assert repeated(released, gate=confirmed()) == released


@pytest.mark.parametrize(
    "change",
    [
        {"gate": confirmed()},
        {"gate": confirmed(approvals=(replace(APPROVAL, id="DT-2"),))},
        {"receiver": STRANGER},
        {"kind": "vcobDi01"},
        {"at": APPROVAL.valid_until},
    ],
)
def test_release_whose_approval_is_gone_holds_again(change):
    decision = repeated(decide(), **change)

    assert kinds(decision) == [GateReason.NO_STANDING_APPROVAL]


@pytest.mark.parametrize("ground", ["", "individueel", "niet-gegate ", "iets"])
def test_unknown_ground_holds(ground):
    decision = repeated(Released(ground=ground, payload_sha256=HASH, approval_id="DT-1"))

    assert kinds(decision) == [GateReason.UNCLASSIFIED]


def test_release_of_no_payload_holds():
    assert isinstance(repeated(approval.own("")), Hold)


def test_only_the_gate_makes_a_release():
    root = Path(gateway.__file__).parent
    made = re.compile(r"\bReleased\(")

    makers = {
        p.relative_to(root).as_posix() for p in root.rglob("*.py") if made.search(p.read_text())
    }

    assert makers == {"rules/approval.py"}


# --- by the word of the OM ------------------------------------------------------------


def test_without_a_word_of_the_om_everything_is_held_for_its_reasons_too():
    unconfirmed = replace(GATE, confirmation=None)

    assert kinds(decide(gate=unconfirmed)) == [GateReason.UNCLASSIFIED]
    assert isinstance(decide(replace(FREE, exempt=True), gate=unconfirmed), Hold)
    assert isinstance(decide(gate=unconfirmed, receiver=OM), Released)


def test_the_word_of_the_om_ends_at_its_moment():
    end = GATE.confirmation.valid_until
    lasting = replace(APPROVAL, valid_until=end + timedelta(days=1))
    gate = confirmed(approvals=(lasting,))

    assert isinstance(decide(gate=gate, at=end - timedelta(seconds=1)), Released)
    assert isinstance(decide(gate=gate, at=end), Hold)


def test_a_verdict_by_another_table_is_held():
    assert isinstance(decide(replace(FREE, table_version="een andere")), Hold)


def test_an_approval_that_was_withdrawn_covers_nothing():
    gate = replace(GATE, revoked=frozenset({APPROVAL.id}))

    assert kinds(decide(gate=gate)) == [GateReason.NO_STANDING_APPROVAL]
    assert isinstance(repeated(decide(), gate=gate), Hold)


# --- agreements on articles 9 and 10, and conditions ----------------------------------

REASON = Reason(rule="K-01", path="/x", text="x")
EXCEPTION = ArticleException(
    id="U-1",
    given_by="mr. Fictie, officier van justitie",
    ground="Wpg 20; Bpg 4:5",
    messages=frozenset({"vtMeldingDi01"}),
    receivers=frozenset({VT}),
    wpg_artikelen=frozenset({"9"}),
    valid_from=AT - timedelta(days=1),
    valid_until=AT + timedelta(days=1),
)


@pytest.mark.parametrize("article", ["9", "art. 9 lid 1"])
def test_an_agreement_puts_article_nine_to_an_officer(article):
    gate = confirmed(approvals=(APPROVAL,), exceptions=(EXCEPTION,))

    hold = decide(replace(FREE, wpg_artikel=article), gate=gate)

    assert kinds(hold) == [GateReason.INDIVIDUAL]
    assert [r.wpg_artikel for r in hold.reasons] == ["9"]


@pytest.mark.parametrize(
    "change",
    [
        {"messages": frozenset({"uciDi01"})},
        {"receivers": frozenset({STRANGER})},
        {"wpg_artikelen": frozenset({"10"})},
        {"valid_until": AT},
        {"valid_from": AT + timedelta(seconds=1)},
    ],
)
def test_an_agreement_on_something_else_refuses(change):
    gate = confirmed(approvals=(APPROVAL,), exceptions=(replace(EXCEPTION, **change),))

    with pytest.raises(PolicyViolation, match=r"gate\.wpg_article"):
        decide(replace(FREE, wpg_artikel="9"), gate=gate)


def test_an_agreement_on_one_article_does_not_let_the_other_by():
    verdict = replace(FREE, wpg_artikel="9", reasons=(replace(REASON, wpg_artikel="10"),))
    gate = confirmed(approvals=(APPROVAL,), exceptions=(EXCEPTION,))

    with pytest.raises(PolicyViolation, match=r"gate\.wpg_article"):
        decide(verdict, gate=gate)


def test_conditions_of_an_approval_go_with_the_release():
    terms = (Condition(code="V1", text="Niet delen."),)
    gate = confirmed(approvals=(replace(APPROVAL, conditions=terms),))

    assert decide(gate=gate).conditions == terms
    assert repeated(decide(), gate=gate).conditions == terms
    assert kinds(approval.untold(FREE)) == [GateReason.NO_STANDING_APPROVAL]


STANDING_REASON = Reason(rule="K-09", path="/x", text="x", category="a", mode=Mode.STANDING)


@pytest.mark.parametrize(
    ("categories", "passes"), [(set(), False), ({"b"}, False), ({"a"}, True), ({"a", "b"}, True)]
)
def test_a_standing_category_passes_where_an_approval_names_it(categories, passes):
    gate = confirmed(approvals=(replace(APPROVAL, categories=frozenset(categories)),))
    decision = decide(replace(FREE, reasons=(STANDING_REASON,)), gate=gate)

    assert isinstance(decision, Released) is passes


def test_one_approval_must_cover_all_of_a_message():
    other = replace(STANDING_REASON, category="b")
    given = tuple(replace(APPROVAL, id=c, categories=frozenset({c})) for c in ("a", "b"))
    verdict = replace(FREE, reasons=(STANDING_REASON, other))

    assert kinds(decide(verdict, gate=confirmed(approvals=given))) == [
        GateReason.NO_STANDING_APPROVAL
    ]


def test_an_unclear_reason_is_told_as_such():
    reason = replace(STANDING_REASON, mode=Mode.INDIVIDUAL, unclear=True)

    assert kinds(decide(replace(FREE, reasons=(reason,)))) == [GateReason.UNCLEAR]


# --- a decision at the claim ----------------------------------------------------------

DECISION = Decision(
    id="B-1", delivery="d-1", payload_sha256=HASH, recipient=VT, valid_until=AT + timedelta(hours=1)
)
CLAIMED = {"delivery": "d-1", "payload_sha256": HASH, "receiver": VT, "at": AT}


def test_a_decision_lets_exactly_this_go():
    assert approval.by_decision(DECISION, **CLAIMED).approval_id == "B-1"


@pytest.mark.parametrize(
    "change",
    [
        {"delivery": "d-2"},
        {"payload_sha256": "cd" * 32},
        {"receiver": POLITIE},
        {"at": AT + timedelta(hours=1)},
    ],
)
def test_a_decision_on_anything_else_is_none(change):
    assert isinstance(approval.by_decision(DECISION, **(CLAIMED | change)), Hold)
    assert isinstance(approval.by_decision(None, **CLAIMED), Hold)
