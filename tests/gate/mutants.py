"""Checks of the OM gate, each taken away in turn: then a test must fail.

A mutant is one check that always says yes. `tests` are the quick ones that must notice it.
"""

from dataclasses import dataclass

HISTORIES = "tests/gate/test_gate_histories.py"
APPROVAL = "tests/pure/test_approval.py"
DECIDING = "tests/pure/test_deciding.py"
TABLE = "tests/pure/test_table.py"
CLASSIFICATION = "tests/pure/test_classification.py"
STORE = "tests/store/test_store_toets.py"
QUEUE = "tests/store/test_store_queue.py"
ROUND = "tests/flow/test_getting_round.py"
FLOW = "tests/flow/test_toets.py"
CONFIRMATION = "tests/pure/test_gate_confirmation.py"


@dataclass(frozen=True)
class Mutant:
    """One check less."""

    name: str
    file: str
    old: str
    """Stands there once."""
    new: str
    tests: str
    only: str = ""
    """Names of tests that are enough (`-k`)."""


MUTANTS = (
    Mutant(
        name="classified: a message that the table does not name",
        file="directory.py",
        old="return message in self.messages and version in",
        new="return version in",
        tests=CLASSIFICATION,
        only="not_named or empty_table",
    ),
    Mutant(
        name="classified: a version that it was not written for",
        file="directory.py",
        old="message in self.messages and version in self.versions.get(message, self.koppelvlak)",
        new="message in self.messages",
        tests=CLASSIFICATION,
        only="version",
    ),
    Mutant(
        name="gate: what is individual",
        file="rules/approval.py",
        old="    if found:\n        return _hold((*found, *_covered(verdict)))",
        new="",
        tests=HISTORIES,
    ),
    Mutant(
        name="gate: the word of the OM on the table",
        file="rules/approval.py",
        old="confirmed = gate.confirmation is not None and verdict.table_version"
        " == gate.table.version",
        new="confirmed = True",
        tests=APPROVAL,
    ),
    Mutant(
        name="gate: the word of the OM has ended",
        file="directory.py",
        old="if confirmation is not None and moment < confirmation.valid_until:",
        new="if confirmation is not None:",
        tests=HISTORIES,
    ),
    Mutant(
        name="gate: articles 9 and 10",
        file="rules/approval.py",
        old="if not any(_excepts(e, article, message, receiver, at) for e in gate.exceptions):",
        new="if False:",
        tests=APPROVAL,
    ),
    Mutant(
        name="approval: its articles",
        file="rules/approval.py",
        old="if articles <= a.wpg_artikelen\n        and",
        new="if",
        tests=HISTORIES,
    ),
    Mutant(
        name="approval: its categories",
        file="rules/approval.py",
        old="and categories <= a.categories\n",
        new="",
        tests=HISTORIES,
    ),
    Mutant(
        name="approval: its receivers",
        file="rules/approval.py",
        old="and receiver in given.receivers\n",
        new="",
        tests=HISTORIES,
    ),
    Mutant(
        name="approval: its messages",
        file="rules/approval.py",
        old="message in given.messages\n        and ",
        new="",
        tests=APPROVAL,
    ),
    Mutant(
        name="approval: its time",
        file="rules/approval.py",
        old="and given.valid_from <= at < given.valid_until",
        new="",
        tests=HISTORIES,
    ),
    Mutant(
        name="approval: withdrawn",
        file="directory.py",
        old="a for a in self.approvals if a.id not in self.revoked",
        new="a for a in self.approvals",
        tests=HISTORIES,
    ),
    Mutant(
        name="approval: the test again",
        file="rules/approval.py",
        old="    return _hold((_ENDED,))",
        new="    return released",
        tests=APPROVAL,
    ),
    Mutant(
        name="approval: conditions that can not be told",
        file="pipeline/admissible.py",
        old="return verdict, gate if told else approval.untold(verdict)",
        new="return verdict, gate",
        tests=FLOW,
        only="its_conditions",
    ),
    Mutant(
        name="four eyes: one person under two ids",
        file="pipeline/desk.py",
        old="        officers.check_second(first, second)\n",
        new="",
        tests="tests/flow/test_toets_api.py",
        only="one_person",
    ),
    Mutant(
        name="decision: its delivery",
        file="rules/approval.py",
        old="self.delivery == delivery\n            and ",
        new="",
        tests=APPROVAL,
    ),
    Mutant(
        name="decision: its end",
        file="rules/approval.py",
        old="and at < self.valid_until",
        new="",
        tests=HISTORIES,
    ),
    Mutant(
        name="decision arrives: who signed",
        file="rules/deciding.py",
        old="if not signer.oin == said.signer == said.sender == asked.decider:",
        new="if False:",
        tests=HISTORIES,
    ),
    Mutant(
        name="decision arrives: the octets",
        file="rules/deciding.py",
        old="if said.payload_sha256 != asked.payload_sha256:",
        new="if False:",
        tests=DECIDING,
    ),
    Mutant(
        name="decision arrives: the receiver",
        file="rules/deciding.py",
        old="if asked.recipient not in said.recipients:",
        new="if False:",
        tests=DECIDING,
    ),
    Mutant(
        name="decision arrives: the table",
        file="rules/deciding.py",
        old="if said.table_version != asked.table_version:",
        new="if False:",
        tests=DECIDING,
    ),
    Mutant(
        name="decision arrives: its end",
        file="rules/deciding.py",
        old="if said.valid_until <= at:",
        new="if False:",
        tests=DECIDING,
    ),
    Mutant(
        name="decision arrives: too long",
        file="rules/deciding.py",
        old="if said.valid_until - said.decided_at > LONGEST:",
        new="if False:",
        tests=HISTORIES,
    ),
    Mutant(
        name="decision arrives: four eyes",
        file="rules/deciding.py",
        old="    if not first or not apart:\n",
        new="    if not first:\n",
        tests=HISTORIES,
    ),
    Mutant(
        name="decision arrives: decided before",
        file="rules/deciding.py",
        old="    if not asked.open:\n",
        new="    if False:\n",
        tests=DECIDING,
    ),
    Mutant(
        name="store: a decision fits its hold",
        file="store/rulings.py",
        old="if row is None or not _fits(row, ruling):",
        new="if row is None:",
        tests=STORE,
        only="anything_else",
    ),
    Mutant(
        name="store: the clock went back",
        file="store/rulings.py",
        old='    if stepped_back(tx.high_water, now):\n        raise Unavailable("clock.stepped", '
        '"the clock went back: nothing is released")\n    row',
        new="    row",
        tests=STORE,
        only="went_back",
    ),
    Mutant(
        name="store: a decision that passed by is spent once",
        file="store/rulings.py",
        old="    if ended != 1:\n        raise moved()",
        new="",
        tests=STORE,
        only="passed_by",
    ),
    Mutant(
        name="store: an approval that was withdrawn meanwhile",
        file="store/inbox.py",
        old="        if delivery.approval_id and tx.peek",
        new="        if False and tx.peek",
        tests=STORE,
        only="standing_approval",
    ),
    Mutant(
        name="claim: other octets than the message has",
        file="store/gatetest.py",
        old="if row.payload_sha256 != row.m_content_sha256:",
        new="if False:",
        tests=QUEUE,
        only="what_was_judged",
    ),
    Mutant(
        name="claim: an approval that was withdrawn",
        file="store/gatetest.py",
        old="and not row.revoked",
        new="",
        tests=STORE,
        only="standing_approval",
    ),
    Mutant(
        name="claim: a decision that ended",
        file="store/gatetest.py",
        old='.where(rulings.c.id == sa.bindparam("ruling"), rulings.c.ended_at.is_(None))',
        new='.where(rulings.c.id == sa.bindparam("ruling"))',
        tests=STORE,
        only="withdrawn_after",
    ),
    Mutant(
        name="claim: another table",
        file="store/gatetest.py",
        old="and row.table_version == self.in_force.table\n",
        new="",
        tests=STORE,
        only="another_table",
    ),
    Mutant(
        name="claim: without a sure clock",
        file="store/claim.py",
        old="_GATED if gated else _UNGATED",
        new="_GATED",
        tests=QUEUE,
        only="went_back",
    ),
    Mutant(
        name="seal: the octets judged again",
        file="pipeline/proving.py",
        old="        if not isinstance(judged, Hold):\n            return Proven(octets)",
        new="        return Proven(octets)",
        tests=ROUND,
        only="relabelled or approval_of_another",
    ),
    Mutant(
        name="seal: the signature of the OM",
        file="pipeline/proving.py",
        old="return besluit if good else None",
        new="return besluit",
        tests=ROUND,
        only="table_of_before",
    ),
    Mutant(
        name="postvak: the octets say the same",
        file="pipeline/showing.py",
        old='return proven.fault.ground if proven.fault is not None else ""',
        new='return ""',
        tests="tests/flow/test_recipient.py",
        only="set_free",
    ),
    Mutant(
        name="postvak: what changed after it was proven",
        file="store/postvak.py",
        old="seen is None or seen.item != _waits(row)",
        new="seen is None",
        tests="tests/store/test_store_postvak.py",
        only="stands_as_it_did",
    ),
    Mutant(
        name="postvak: what is not proven",
        file="store/postvak.py",
        old="if seen is not None and seen.fault:",
        new="if False:",
        tests="tests/store/test_store_postvak.py",
        only="not_believed",
    ),
    Mutant(
        name="postvak: the content, each time",
        file="pipeline/postvak.py",
        old="elif content:",
        new="elif False:",
        tests="tests/flow/test_recipient.py",
        only="used_again",
    ),
    Mutant(
        name="postvak: a decision that is in force",
        file="pipeline/proving.py",
        old="and at < besluit.geldig_tot",
        new="",
        tests="tests/flow/test_recipient.py",
        only="used_again",
    ),
    Mutant(
        name="proof: a decision that was withdrawn",
        file="pipeline/proving.py",
        old="        if await holds.is_withdrawn(id_):\n            return False\n",
        new="",
        tests=ROUND,
        only="not_revived or another_name",
    ),
    Mutant(
        name="proof: the mark of what was signed",
        file="pipeline/proving.py",
        old="holds, id_ = self._house.holds, besluit.identificatie",
        new="holds, id_ = self._house.holds, besluit.verzoek",
        tests=ROUND,
        only="another_name",
    ),
    Mutant(
        name="seal: a decision that was used",
        file="keys/ended.py",
        old="return first or self._stands(sent)",
        new="return True",
        tests=ROUND,
        only="no_replay",
    ),
    Mutant(
        name="proof: the table of the decision",
        file="pipeline/proving.py",
        old=" and besluit.tabelversie == table",
        new="",
        tests=ROUND,
        only="table_of_before",
    ),
    Mutant(
        name="approval: withdrawn without a row",
        file="store/holds.py",
        old="return frozenset((*found, *marked))",
        new="return frozenset(found)",
        tests=STORE,
        only="without_its_row",
    ),
    Mutant(
        name="proof: over whose agreement it goes",
        file="pipeline/proving.py",
        old="        if _goes_astray(document, directory, to):",
        new="        if False:",
        tests=ROUND,
        only="agreement_of_another",
    ),
    Mutant(
        name="postvak: who sent it, by the octets",
        file="pipeline/showing.py",
        old="if not item.payload_id or not _has_gate(directory):",
        new="if not item.payload_id or directory.party(item.message.zender).role is Role.OM:",
        tests="tests/flow/test_recipient.py",
        only="read_in_the_octets",
    ),
    Mutant(
        name="proof: conditions that were accepted",
        file="pipeline/proving.py",
        old="not first or await holds.is_accepted(id_)",
        new="True",
        tests=ROUND,
        only="not_accepted_yet",
    ),
    Mutant(
        name="proof: what was said at the hand-in",
        file="pipeline/proving.py",
        old="said = message.aanlevering if proven else Aanlevering()",
        new="said = message.aanlevering",
        tests=ROUND,
        only="said_at_the_hand_in",
    ),
    Mutant(
        name="proof: the label of this payload",
        file="store/sealing.py",
        old="hmac.compare_digest(stored.label, _mark(key, stored.id, label))",
        new="True",
        tests="tests/store/test_store_payloads.py",
        only="label",
    ),
    Mutant(
        name="classification: words around the root",
        file="rules/classification.py",
        old="yield from beside_root(tree)",
        new="",
        tests="tests/pure/test_classification.py",
        only="no_schema_sees",
    ),
    Mutant(
        name="classification: words before the root",
        file="wire/xml.py",
        old="return [*reversed(before), *root.itersiblings(etree.Comment, etree.PI)]",
        new="return list(root.itersiblings(etree.Comment, etree.PI))",
        tests="tests/pure/test_classification.py",
        only="no_schema_sees",
    ),
    Mutant(
        name="seal: the released octets only",
        file="security/seal.py",
        old="if digests != [released.payload_sha256]:",
        new="if False:",
        tests="tests/flow/test_gate.py",
        only="seal",
    ),
    Mutant(
        name="second gate: what the table names",
        file="rules/approval.py",
        old="return _hold((*unnamed, *named)) if unnamed or named else forwarded(payload_sha256)",
        new="return forwarded(payload_sha256)",
        tests=FLOW,
        only="without_a_decision",
    ),
    Mutant(
        name="confirmation: the hashes of the files",
        file="installation_gate.py",
        old="    if differ:\n",
        new="    if False:\n",
        tests=CONFIRMATION,
        only="edited_table",
    ),
)
