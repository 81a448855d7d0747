"""Random lives of messages through the pure part of the gate, against a much simpler truth.

`play` does what the pipeline does: classified, passed or held, decided on, tried to seal. Whatever
is let go is looked up in `Truth`, which knows nothing of the code: only who said what, when.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.catalogue import Role
from gateway.config_gate import Mode
from gateway.directory import Gate, Party, StandingApproval
from gateway.errors import PolicyViolation
from gateway.message import Oin
from gateway.rules import approval, deciding
from gateway.rules.approval import Decision, Ground, Hold, Released
from gateway.rules.classification import Reason, Verdict
from gateway.rules.deciding import Asked, Said
from gateway.wire.toets import Uitkomst
from tests.parties import AT, CONFIRMATION, MELDING, TABLE

POLICE = Party(
    oin=Oin("00000004003214345001"), name="P", role=Role.POLITIE, local=True, applicaties=()
)
CARE = Party(
    oin=Oin("00000004003214345002"), name="V", role=Role.VEILIG_THUIS, local=False, applicaties=()
)
CARE2 = replace(CARE, oin=Oin("00000004003214345003"))
OM = replace(CARE, oin=CONFIRMATION.signer, role=Role.OM)
OM2 = replace(OM, oin=Oin("00000004003214345005"))
RECEIVERS = (CARE, CARE, CARE, CARE2, OM)
ARTICLES = ("8", "8", "8", "13", "12", "9", "10", None)
CATEGORIES = ("a", "b")
TABLES = (TABLE.version, TABLE.version, "2027-1")
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Letter:
    """One message, and all that is true of it."""

    n: int
    sender: Party
    receiver: Party
    sha256: str
    criminal: bool
    """It holds what only an officer lets go."""
    standing: frozenset[str]
    """Categories that an approval may cover."""
    named: bool
    """The table knows the message."""
    onderzoek: bool | None
    article: str | None

    @property
    def verdict(self) -> Verdict:
        return Verdict(
            table_version=TABLE.version,
            classified=self.named,
            exempt=False,
            reasons=tuple(self._reasons()),
            wpg_artikel=self.article,
            onderzoek=self.onderzoek,
        )

    def _reasons(self) -> Iterator[Reason]:
        if self.criminal:
            yield Reason(rule="K", path="/x", text="x")
        for category in sorted(self.standing):
            yield Reason(rule="D", path="/y", text="y", category=category, mode=Mode.STANDING)

    @property
    def gated(self) -> bool:
        return self.sender is POLICE and self.receiver.role is not Role.OM

    def needs_an_officer(self) -> bool:
        return self.gated and (
            self.criminal
            or not self.named
            or self.onderzoek is not False
            or self.article not in {"8", "13", "12"}
        )


@dataclass(slots=True)
class Word:
    """A decision as it was really given, and what became of it."""

    letter: Letter
    hold: str
    by: Party
    sha256: str
    receivers: tuple[Oin, ...]
    table: str
    until: datetime
    releases: bool
    withdrawn: bool = False


@dataclass(slots=True)
class Truth:
    """Who said what; the code under test does not see it."""

    approvals: dict[str, StandingApproval]
    confirmed_until: datetime
    revoked: set[str] = field(default_factory=set)
    words: list[Word] = field(default_factory=list)
    table: str = TABLE.version

    def may_leave(self, letter: Letter, sha256: str, receiver: Oin, at: datetime) -> bool:
        if not letter.gated:
            return True
        if any(self._lets(word, letter, sha256, receiver, at) for word in self.words):
            return True
        if letter.needs_an_officer() or at >= self.confirmed_until:
            return False
        return any(
            one.id not in self.revoked
            and one.valid_from <= at < one.valid_until
            and receiver in one.receivers
            and letter.standing <= one.categories
            and letter.article in one.wpg_artikelen
            for one in self.approvals.values()
        )

    def _lets(self, word: Word, letter: Letter, sha256: str, receiver: Oin, at: datetime) -> bool:
        return (
            word.letter is letter
            and word.by is OM
            and word.releases
            and not word.withdrawn
            and word.sha256 == sha256 == letter.sha256
            and receiver in word.receivers
            and receiver == letter.receiver.oin
            and at < word.until
            and word.table == self.table
        )


@dataclass(slots=True)
class Row:
    """What the store has of a letter: all that the code goes by."""

    letter: Letter
    ground: str
    approval_id: str
    sha256: str
    receiver: Oin
    table: str
    held: bool
    holds: int = 0
    decision: Decision | None = None
    decided: bool = False
    word: Word | None = None

    @property
    def hold(self) -> str:
        return f"d-{self.letter.n}-{self.holds}"


class Wrong(AssertionError):
    """Something was let go that no word of the OM lets go."""


class Life:
    """One history."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.at = AT
        self.seen: Counter[str] = Counter()
        self.gate, self.truth = self._laid_down()
        self.rows = [row for n in range(2) if (row := self._handed_in(n)) is not None]

    def _laid_down(self) -> tuple[Gate, Truth]:
        dice = self.dice
        approvals = tuple(self._approval(n) for n in range(dice.randint(0, 3)))
        until = AT + HOUR * dice.choice((1, 200, 200, 200))
        gate = Gate(
            table=TABLE,
            approvals=approvals,
            confirmation=replace(CONFIRMATION, valid_until=until) if dice.random() < 0.95 else None,
        )
        confirmed = until if gate.confirmation else AT
        truth = Truth(approvals={a.id: a for a in approvals}, confirmed_until=confirmed)
        return gate, truth

    def _approval(self, n: int) -> StandingApproval:
        dice = self.dice
        return StandingApproval(
            id=f"DT-{n}",
            agreement="x",
            given_by="mr. X",
            ground="x",
            messages=frozenset({MELDING.name}),
            receivers=frozenset(p.oin for p in dice.sample((CARE, CARE2), dice.randint(1, 2))),
            wpg_artikelen=frozenset(dice.sample(("8", "13", "12"), dice.randint(1, 3))),
            categories=frozenset(dice.sample(CATEGORIES, dice.randint(0, 2))),
            valid_from=AT + HOUR * dice.choice((-5, -5, -5, 3)),
            valid_until=AT + HOUR * dice.choice((5, 100, 100)),
        )

    def _handed_in(self, n: int) -> Row | None:
        dice = self.dice
        letter = Letter(
            n=n,
            sender=dice.choice((POLICE, POLICE, POLICE, POLICE, CARE)),
            receiver=dice.choice(RECEIVERS),
            sha256=f"{dice.getrandbits(256):064x}",
            criminal=dice.random() < 0.3,
            standing=frozenset(dice.sample(CATEGORIES, dice.choice((0, 0, 0, 1, 2)))),
            named=dice.random() < 0.9,
            onderzoek=dice.choice((False, False, False, False, True, None)),
            article=dice.choice(ARTICLES),
        )
        try:
            judged = self._judged(letter)
        except PolicyViolation:
            self.seen["refused"] += 1
            return None
        held = isinstance(judged, Hold)
        self.seen["held" if held else "passed"] += 1
        return Row(
            letter=letter,
            ground=judged.ground,
            approval_id="" if isinstance(judged, Hold) else judged.approval_id,
            sha256=letter.sha256,
            receiver=letter.receiver.oin,
            table=TABLE.version,
            held=held,
        )

    def _judged(self, letter: Letter) -> Released | Hold:
        return approval.pass_or_hold(
            letter.verdict,
            sender=letter.sender,
            receiver=letter.receiver,
            kind=MELDING,
            gate=self.gate,
            payload_sha256=letter.sha256,
            at=self.at,
        )

    def play(self, steps: int) -> Counter[str]:
        """Let things happen; raises Wrong."""
        happen = (self._time, self._decide, self._decide, self._withdraw, self._revoke, self._seal,
                  self._seal, self._seal, self._spoil, self._new_table)  # fmt: skip
        for _ in range(steps if self.rows else 0):
            self.dice.choice(happen)()
        return self.seen

    def _row(self) -> Row:
        return self.dice.choice(self.rows)

    def _time(self) -> None:
        self.at += HOUR * self.dice.choice((1, 1, 4, 30))

    def _decide(self) -> None:
        row, dice = self._row(), self.dice
        word = Word(
            letter=row.letter,
            hold=row.hold,
            by=OM,
            sha256=row.sha256,
            receivers=(row.receiver,),
            table=row.table,
            until=self.at + HOUR * dice.choice((2, 48)),
            releases=dice.random() < 0.8,
        )
        asker = "systeem"
        officer = "anders"
        spoiled = dice.randint(0, 16)
        if spoiled == 0:
            word.by = dice.choice((OM2, CARE, POLICE))
        elif spoiled == 1:
            word.sha256 = self._row().letter.sha256 if dice.random() < 0.5 else "0" * 64
        elif spoiled == 2:
            word.receivers = (dice.choice((CARE, CARE2, OM)).oin,)
        elif spoiled == 3:
            word.table = "2020"
        elif spoiled == 4:
            word.until = self.at - HOUR
        elif spoiled == 5:
            word.hold = f"d-{1 - row.letter.n}-0"
        elif spoiled == 6:
            officer = asker
        elif spoiled == 7:
            word.until = self.at + timedelta(days=60)
        self._arrives(row, word, asker, officer)

    def _arrives(self, row: Row, word: Word, asker: str, officer: str) -> None:
        asked = next((one for one in self.rows if one.hold == word.hold), None)
        outcome = Uitkomst.VRIJGEVEN if word.releases else Uitkomst.NIET
        said = Said(
            hold=word.hold,
            signer=word.by.oin,
            sender=word.by.oin,
            outcome=outcome,
            payload_sha256=word.sha256,
            recipients=word.receivers,
            table_version=word.table,
            decided_at=self.at,
            valid_until=word.until,
            officer=(officer, ""),
            second=(),
            conditions=0,
            told="belang",
        )
        known = asked and Asked(
            hold=asked.hold,
            decider=OM.oin,
            payload_sha256=asked.sha256,
            recipient=asked.receiver,
            table_version=asked.table,
            open=asked.held and not asked.decided,
            askers=(asker,),
        )
        try:
            deciding.judge(said, known, signer=word.by, at=self.at)
        except PolicyViolation:
            self.seen["decision refused"] += 1
            return
        assert asked is not None
        if officer == asker:
            raise Wrong("who asks decided")
        if word.until - self.at > deciding.LONGEST:
            raise Wrong("a decision for longer than 31 days")
        word.letter = asked.letter  # the question that it names is the one that it answers
        self._carried_out(asked, word)

    def _carried_out(self, row: Row, word: Word) -> None:
        self.seen["decision counted"] += 1
        row.decided = True
        self.truth.words.append(word)
        row.word = word
        if not word.releases:
            return
        row.held, row.ground = False, str(Ground.INDIVIDUAL)
        row.decision = Decision(
            id=f"B-{row.hold}",
            delivery=f"d-{row.letter.n}",
            payload_sha256=word.sha256,
            recipient=row.receiver,
            valid_until=word.until,
        )
        row.approval_id = row.decision.id

    def _withdraw(self) -> None:
        row = self._row()
        if row.word is not None and row.decision is not None:
            row.word.withdrawn = True
            self._held_again(row)

    def _held_again(self, row: Row) -> None:
        row.held, row.decided, row.decision, row.word = True, False, None, None
        row.holds += 1
        row.table = self.gate.table.version
        self.seen["held again"] += 1

    def _revoke(self) -> None:
        if self.gate.approvals:
            gone = self.dice.choice(self.gate.approvals).id
            self.truth.revoked.add(gone)
            self.gate = replace(self.gate, revoked=self.gate.revoked | {gone})

    def _new_table(self) -> None:
        """The OM confirms another table, or leaves it as it is."""
        version = self.dice.choice(TABLES)
        confirmation = self.gate.confirmation
        if confirmation is not None:
            self.gate = replace(
                self.gate,
                table=replace(TABLE, version=version),
                confirmation=replace(confirmation, table_version=version),
            )
            self.truth.table = version

    def _spoil(self) -> None:
        """Somebody changes what is stored, as a program that goes wrong would."""
        row, dice = self._row(), self.dice
        other = self._row()
        match dice.randint(0, 3):
            case 0:
                row.sha256 = "f" * 64
            case 1:
                row.receiver = dice.choice((CARE, CARE2)).oin
            case 2:
                row.decision, row.approval_id = other.decision, other.approval_id
            case _:
                row.approval_id = f"DT-{dice.randint(0, 3)}"

    def _seal(self) -> None:
        """As the claim and the worker ask, one after the other."""
        row = self._row()
        if row.held:
            return
        released = self._asked_again(row)
        if isinstance(released, Hold):
            self._held_again(row)
            return
        self.seen[f"sealed {row.ground}"] += 1
        if not self.truth.may_leave(row.letter, released.payload_sha256, row.receiver, self.at):
            raise Wrong(f"{row.ground}: {row}")

    def _asked_again(self, row: Row) -> Released | Hold:
        gated = row.ground in {Ground.STANDING, Ground.INDIVIDUAL}
        gone = Hold(kinds=(), reasons=())
        if gated and row.table != self.gate.at(self.at).table.version:
            return gone
        if row.sha256 != row.letter.sha256 or row.receiver != row.letter.receiver.oin:
            # the store compares with the message, the worker with the octets
            return gone
        if row.ground == Ground.INDIVIDUAL:
            return approval.by_decision(
                row.decision,
                delivery=f"d-{row.letter.n}",
                payload_sha256=row.sha256,
                receiver=row.receiver,
                at=self.at,
            )
        again = self._judged(row.letter)  # the octets, before the first seal
        if isinstance(again, Hold):
            return again
        return approval.still_released(
            ground=row.ground,
            approval_id=row.approval_id,
            payload_sha256=row.sha256,
            gate=self.gate,
            receiver=row.receiver,
            kind=MELDING.name,
            at=self.at,
        )


def play(seed: int, steps: int = 10) -> Counter[str]:
    """Play one history; raises Wrong."""
    return Life(seed).play(steps)
