"""Random lives of held deliveries through the real store, with crashes in between.

What is claimed may be sealed. So each claim is looked up in what really happened: decisions that
were committed, withdrawals, ends. A crash is a unit that was never begun, one that was rolled back
half-way, or one that was committed while nobody heard of it; then the process is another one.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from gateway.errors import GatewayError, PolicyViolation, StaleSnapshot, Unavailable
from gateway.lifecycle import State
from gateway.ports import Ends, HandedOver, NewHold, NewRuling, NewWithdrawal, TryAgain
from gateway.store.tables import deliveries, lanes, rulings
from gateway.store.transaction import Tx
from gateway.wire.toets import Uitkomst
from tests.store.stage import VT, Stage

TABLE = "T-1"
STEPS = 12
ODDS = 0.1
"""Of a crash, per commit."""
ANOTHER = 5
"""After one in so many crashes another process goes on; else one of those that live."""
HOUR = timedelta(hours=1)


class Crashed(Unavailable):
    """The process is gone."""


@dataclass(frozen=True)
class Half:
    """Unit: does its work, and does not come back."""

    unit: Any

    def run(self, tx: Tx) -> None:
        self.unit.run(tx)
        tx.flush()
        raise Crashed("test.crash", "within")


class Dying:
    """A writer of a process that may be killed at each commit."""

    def __init__(self, writer: Any, dice: random.Random, odds: float) -> None:
        self._writer = writer
        self._dice = dice
        self._odds = odds

    async def commit(self, unit: Any) -> Any:
        if self._dice.random() >= self._odds:
            return await self._writer.commit(unit)
        match self._dice.choice(("before", "within", "after")):
            case "before":
                raise Crashed("test.crash", "before")
            case "within":
                return await self._writer.commit(Half(unit))
            case _:
                await self._writer.commit(unit)
                raise Crashed("test.crash", "after")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


@dataclass
class Letter:
    """What the history knows of one delivery."""

    n: int
    approval: str
    """Empty = it needs an officer."""
    decisions: int = 0

    @property
    def id(self) -> str:
        return f"d-{self.n}"


class History:
    """One life of a few deliveries."""

    def __init__(self, stage: Stage, k: int, seen: Counter[str], eyes: sa.Connection) -> None:
        self.stage = stage
        self.eyes = eyes
        self.k = k
        self.dice = random.Random(k)
        self.seen = seen
        self.letters: list[Letter] = []
        self.revoked: set[str] = set()
        self.table = TABLE
        self.serial = 0

    async def play(self) -> None:
        """Raises AssertionError when something may be sealed that may not."""
        self._mortal()
        for n in range(self.dice.randint(1, 2)):
            await self._step(lambda n=n: self._hand_in(n))
        happen = (self._decide, self._decide, self._decide_wrongly, self._withdraw, self._claim,
                  self._claim, self._claim, self._claim, self._time, self._revoke, self._stop,
                  self._tamper, self._other_table)  # fmt: skip
        for _ in range(STEPS):
            await self._step(self.dice.choice(happen))
        await self._leave()

    def _mortal(self) -> None:
        store = self.stage.store
        for one in (store.inbox, store.queue, store.decisions):
            if not isinstance(one._writer, Dying):
                one._writer = Dying(one._writer, self.dice, ODDS)

    async def _step(self, what: Callable[[], Awaitable[None]]) -> None:
        try:
            await what()
        except Crashed:
            self.seen["crashes"] += 1
            if self.seen["crashes"] % ANOTHER == 0:
                await self.stage.reopen()
                self._mortal()
        except StaleSnapshot:
            self.stage.epoch = await self.stage.store.epoch()

    async def _leave(self) -> None:
        """What is left is in nobody's way."""
        ids = [letter.id for letter in self.letters]
        for statement in (
            sa.update(deliveries).where(deliveries.c.id.in_(ids)).values(state="dead"),
            sa.update(lanes).values(down=sa.false(), next_at=self.stage.clock.now() - 9 * HOUR),
        ):
            self._past_the_ports(statement)

    def _past_the_ports(self, statement: Any) -> None:
        self.eyes.execute(statement)

    def _rows(self, statement: Any) -> list[Any]:
        return list(self.eyes.execute(statement).all())

    def _row(self, letter: Letter) -> Any:
        found = self._rows(sa.select(deliveries).where(deliveries.c.id == letter.id))
        return found[0] if found else None

    def _letter(self) -> Letter | None:
        return self.dice.choice(self.letters) if self.letters else None

    # --- what happens -------------------------------------------------------------------

    async def _hand_in(self, n: int) -> None:
        number = self.k * 10 + n + 1
        letter = Letter(n=number, approval=self.dice.choice(("", "", f"A-{self.k}")))
        self.letters.append(letter)
        given: dict[str, Any] = {"table_version": TABLE}
        if letter.approval:
            given["approval_id"] = letter.approval
        else:
            hold = NewHold(reasons=(), deadline=self.stage.clock.now() + 24 * HOUR)
            given |= {"state": State.HELD, "ground": "individueel", "hold": hold}
        made = self.stage.delivery(number, **given)
        await self.stage.admit(number, deliveries=(made,))

    async def _message(self, **changes: Any) -> None:
        self.serial += 1
        number = 10_000_000 + self.k * 1_000 + self.serial
        admission = await self.stage.admission(number, deliveries=())
        await self.stage.store.inbox.admit(replace(admission, **changes))

    async def _decide(self) -> None:
        await self._decision({})

    async def _decide_wrongly(self) -> None:
        wrong = ({"payload_sha256": "0" * 64}, {"recipient": "1" * 20}, {"table_version": "T-0"})
        await self._decision(self.dice.choice(wrong))

    async def _decision(self, wrong: dict[str, Any]) -> None:
        letter = self._letter()
        if letter is None:
            return
        holds = await self.stage.store.holds.of_message(f"m-{letter.n}")
        if not holds:
            return
        hold, now = holds[-1], self.stage.clock.now()
        letter.decisions += 1
        given = {
            "id": f"B-{hold.id}-{letter.decisions}",
            "hold": hold.id,
            "delivery": hold.delivery,
            "outcome": self.dice.choice(
                (Uitkomst.VRIJGEVEN, Uitkomst.VRIJGEVEN, Uitkomst.VRIJGEVEN, Uitkomst.NIET)
            ),
            "recipient": hold.recipient,
            "payload_sha256": hold.payload_sha256,
            "table_version": hold.table_version,
            "officer": "mr. O",
            "told": "belang",
            "conditions": (),
            "decided_at": now,
            "valid_until": now + HOUR * self.dice.choice((1, 100)),
            "signer": "ab" * 32,
            "document": b"<besluit/>",
        }
        ruling = NewRuling(**(given | wrong))
        try:
            await self._message(ruling=ruling)
        except Unavailable as error:
            if error.code not in {"toets.moved", "clock.stepped"}:
                raise
            return
        assert not wrong, "a decision that does not fit was carried out"
        self.seen["decided"] += 1

    async def _withdraw(self) -> None:
        letter = self._letter()
        found = letter and self._rows(
            sa.select(rulings.c.id).where(rulings.c.delivery == letter.id, rulings.c.releases)
        )
        if not found:
            return
        id_ = found[-1].id
        late = bool(await self.stage.store.holds.late(id_))
        try:
            await self._message(
                withdrawal=NewWithdrawal(
                    ends=Ends.RULING, id=id_, actor="mr. O", reason="x", late=late
                )
            )
        except (Crashed, StaleSnapshot):
            raise
        except (Unavailable, PolicyViolation):
            return
        self.seen["withdrawn"] += 1
        (row,) = self._rows(sa.select(rulings).where(rulings.c.id == id_))
        assert row.ended_at is not None

    async def _revoke(self) -> None:
        approval = f"A-{self.k}"
        self.revoked.add(approval)  # from now on, or never: both are right
        withdrawal = NewWithdrawal(ends=Ends.APPROVAL, id=approval, actor="mr. O", reason="x")
        await self._message(withdrawal=withdrawal)
        self.seen["revoked"] += 1

    async def _stop(self) -> None:
        letter = self._letter()
        if letter is not None and self.dice.random() < 0.3:
            try:
                await self.stage.store.decisions.stop(letter.id, who="beheer", why="dubbel")
            except (Crashed, StaleSnapshot):
                raise
            except GatewayError:
                return

    async def _time(self) -> None:
        self.stage.clock.forward(seconds=self.dice.choice((1, 60, 700, 4_000, -8)))

    async def _other_table(self) -> None:
        self.table = self.dice.choice((TABLE, TABLE, "T-2"))

    async def _tamper(self) -> None:
        """Other octets, or another label."""
        letter = self._letter()
        if letter is None or self.dice.random() < 0.6:
            return
        values = self.dice.choice(
            (
                {"payload_sha256": "f" * 64},
                {"state": "ready", "next_at": self.stage.clock.now()},
                {"approval_id": "B-nagemaakt"},
                {"ground": "individueel"},
            )
        )
        row = self._row(letter)
        if row is not None and row.state in {"held", "ready"}:
            change = sa.update(deliveries).where(deliveries.c.id == letter.id).values(**values)
            self._past_the_ports(change)

    async def _claim(self) -> None:
        approvals = {f"A-{self.k}"} if self.dice.random() < 0.8 else set()
        claims = await self.stage.claim(approvals=approvals, table=self.table)
        known = {letter.id: letter for letter in self.letters}
        for claim in claims:
            letter = known[claim.delivery]
            self._may_be_sealed(letter, claim, approvals, self.stage.clock.now())
            self.seen["claimed"] += 1
            soon = self.stage.clock.now() + timedelta(seconds=self.dice.choice((1, 600)))
            outcome = self.dice.choice((HandedOver(until=soon), TryAgain(at=soon, code="http.503")))
            await self.stage.store.queue.settle(claim, outcome, ())

    def _may_be_sealed(
        self, letter: Letter, claim: Any, approvals: set[str], now: datetime
    ) -> None:
        row = self._row(letter)
        assert row.payload_sha256 == claim.message.content_sha256, "other octets"
        if claim.ground == "doorlopend":
            self.seen["by approval"] += 1
            assert claim.approval_id in approvals
            assert letter.approval == claim.approval_id
            (count,) = self._rows(
                sa.text(f"SELECT count(*) FROM revocations WHERE approval = '{claim.approval_id}'")
            )
            assert count[0] == 0, "a withdrawn approval"
            return
        assert claim.ground == "individueel", claim.ground
        self.seen["by decision"] += 1
        (found,) = self._rows(sa.select(rulings).where(rulings.c.id == claim.approval_id))
        assert found.releases
        assert found.ended_at is None, "a decision that ended"
        assert found.delivery == letter.id
        assert found.recipient == VT
        assert found.payload_sha256 == claim.message.content_sha256
        assert now < found.valid_until
        assert row.table_version == self.table
