"""Two installations with an agreement of their own, and a back-end at each, on a lying wire."""

import random
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from gateway.cli.demo.documents import Address, document
from gateway.directory import Directory, InForce
from gateway.lifecycle import State
from gateway.message import Aanlevering, Oin
from gateway.ports import AlarmBounds, DeliveryKind, PostvakItem
from gateway.store.deliveries import ENDED
from gateway.store.ending import BAD
from gateway.store.tables import alarms, audit, deliveries, messages
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import CpaSpec, make_cpa
from tests.flow import town as towns
from tests.flow.liar import Liar
from tests.flow.town import APPLICATIE, HUB, NOW, POLITIE, SENDS, VT, Place, Town, in_a_file

PLAIN = Aanlevering(acuut=False, onderzoek=False, wpg_artikel="8")
RETRIES = 5
INTERVAL = timedelta(seconds=20)
LEASE = timedelta(minutes=2)
WAVE = 40
FOR_A_PERSON = frozenset({State.HELD, State.UNKNOWN})
KINDS = {POLITIE: "vtMeldingDi01", VT: "vtTerugkoppelingDi01"}


@cache
def agreement(profile: str, **terms) -> bytes:
    """Politie and Veilig Thuis, without a hub between them."""
    return make_cpa(
        CpaSpec(
            cpa_id=f"cpa_direct_{profile}",
            parties=tuple(towns._side(oin, SENDS[oin]) for oin in (POLITIE, VT)),
            start=NOW - timedelta(days=1),
            end=NOW + timedelta(days=3650),
            profile=profile,
            retries=RETRIES,
            retry_interval=INTERVAL,
            **terms,
        )
    )


def directory(me: Oin, profile: str, terms: dict) -> Directory:
    agreed = read_cpa(agreement(profile, **terms))
    return towns.directory(me, profile, agreements={agreed.cpa_id: agreed})


@cache
def template(kind: str, zender: Oin, ontvanger: Oin) -> bytes:
    """A document whose referentienummer is still to be filled in: to make one is slow."""
    return document(
        kind,
        zender=Address(oin=zender, applicatie=APPLICATIE[zender]),
        ontvanger=Address(oin=ontvanger, applicatie=APPLICATIE[ontvanger]),
        referentienummer="REFERENTIENUMMER",
        zaak="PL0000-2026000001",
        at=NOW,
    )


@dataclass
class LyingTown:
    """What is handed in, what the back-ends got, and the three zeros at the end."""

    town: Town
    liar: Liar
    random: random.Random
    handed_in: dict[str, str] = field(default_factory=dict)
    """referentienummer → id of the message row at its sender."""
    got: Counter[tuple[Oin, str, str]] = field(default_factory=Counter)
    """Per back-end: how many deliveries of this document it closed."""
    shown: set[str] = field(default_factory=set)
    acknowledgments: bool = True
    """Whether the profile has them: without, 2xx is all that a sender ever learns."""
    stored: dict[Oin, set[str]] = field(default_factory=dict)

    # --- traffic ------------------------------------------------------------------------

    async def hand_in(self, sender: Oin, reference: str) -> None:
        to = VT if sender == POLITIE else POLITIE
        octets = template(KINDS[sender], sender, to).replace(
            b"REFERENTIENUMMER", reference.encode()
        )
        one = self.town[sender]
        for _ in range(self.random.choice((1, 1, 1, 2))):
            receipt = await one.gateway.hand_in(octets, PLAIN, one.backend)
            first = self.handed_in.setdefault(reference, receipt.id)
            assert receipt.id == first

    async def tick(self) -> None:
        """Everybody does something, in some order, and time passes."""
        ones = list(self.town.installations.values())
        self.random.shuffle(ones)
        for one in ones:
            for _ in range(self.random.randrange(4)):
                await one.worker.step()
        await self.liar.bring_late(self.random.choice((0.0, 0.3, 1.0)))
        for one in ones:
            await self.back_end(one.oin)
            await one.gateway.tell_senders()
            await one.store.alarms.watch(AlarmBounds())
        self.town.clock.forward(seconds=self.random.choice((0, 1, 3, 10, 21, 45)))

    async def back_end(self, oin: Oin) -> None:
        """Take what waits; confirm most, refuse some, forget some until the lease is over."""
        items = await self.town[oin].store.postvak.take(
            gate=InForce(),
            party=oin,
            applicaties=(APPLICATIE[oin],),
            consumer="back-end",
            limit=50,
            lease=LEASE,
        )
        for item in items:
            await self._close(oin, item)

    async def _close(self, oin: Oin, item: PostvakItem) -> None:
        assert item.repeated == (item.delivery in self.shown)
        self.shown.add(item.delivery)
        if self.random.random() < 0.1:
            return
        one = self.town[oin]
        for _ in range(self.random.choice((1, 1, 2))):
            await one.gateway.confirm(item.delivery, one.backend)
        self.got[oin, item.message.kind, item.message.referentienummer] += 1

    async def days_of_trouble(self) -> None:
        """One of them is gone for so long that what it should get expires."""
        self.liar.down = {self.random.choice(list(self.town.installations))}
        for hours in (1, 5, 12, 13):
            await self.tick()
            self.town.clock.forward(hours=hours)
        self.liar.down = set()

    async def rest(self) -> None:
        """Go on lying, until nothing moves any more."""
        for _ in range(400):
            await self.tick()
            if not self.liar.late and not await self.open():
                return
        raise AssertionError("the town does not come to rest")

    # --- looking ------------------------------------------------------------------------

    async def rows(self, oin: Oin, statement: sa.Select) -> list[sa.Row]:
        return await self.town[oin].store._reads(lambda c: list(c.execute(statement)))

    async def open(self) -> int:
        return sum([(await self.rows(oin, _OPEN))[0][0] for oin in self.town.installations])

    async def check(self) -> Counter[str]:
        """The three zeros; return how the messages ended, with the code that says why."""
        self.stored = {oin: await self._stored(oin) for oin in self.town.installations}
        ends: Counter[str] = Counter()
        for oin in self.town.installations:
            ends += await self._check_sender(oin)
            await self._check_receiver(oin)
            assert await self.town[oin].store.verify_chain() is None
        return ends

    async def _check_sender(self, me: Oin) -> Counter[str]:
        rows = await self.rows(me, _SENT)
        known = {r.referentienummer for r in rows}
        assert {r for r in self.handed_in if r.startswith(f"{towns.ROLES[me]}-")} <= known
        why = {r.delivery: r.code or r.event for r in await self.rows(me, _MOVED)}
        alarmed = {(r.code, r.subject) for r in await self.rows(me, _ALARMS)}
        ends: Counter[str] = Counter()
        for row in rows:
            self._ended(row, why[row.id])
            bad = State(row.state) in BAD
            assert not bad or (f"delivery.{row.state}", row.id) in alarmed, f"no alarm: {row}"
            ends[f"{row.state} {why[row.id]}"] += 1
        return ends

    def _ended(self, row: sa.Row, why: str) -> None:
        got = self.got[row.ontvanger, row.kind, row.referentienummer]
        assert got <= 1, f"twice at the back-end: {row}"
        assert State(row.state) in ENDED | FOR_A_PERSON
        assert why, f"nobody was told why: {row}"
        if row.state != State.DELIVERED or not self.acknowledgments:
            return
        assert row.message_id in self.stored[row.recipient], f"acknowledged, not stored: {row}"
        last = row.recipient == row.ontvanger and row.kind != "Bv01Bericht"
        assert got == 1 or not last, f"lost: {row}"

    async def _stored(self, me: Oin) -> set[str]:
        return {r.message_id for r in await self.rows(me, _TAKEN_IN)}

    async def _check_receiver(self, me: Oin) -> None:
        """What was acknowledged is stored, and what was stored reached the back-end once."""
        assert self.liar.acknowledged.get(me, set()) <= self.stored[me]
        for row in await self.rows(me, _IN_POSTVAK):
            assert row.times == 1
            assert self.got[me, row.kind, row.referentienummer] == 1


_OPEN = sa.select(sa.func.count()).where(
    deliveries.c.state.not_in([str(s) for s in ENDED | FOR_A_PERSON])
)
_SENT = (
    sa.select(
        messages.c.message_id,
        messages.c.kind,
        messages.c.ontvanger,
        messages.c.referentienummer,
        deliveries.c.id,
        deliveries.c.recipient,
        deliveries.c.state,
    )
    .join(messages, messages.c.id == deliveries.c.message)
    .where(deliveries.c.kind == str(DeliveryKind.MESSAGE), deliveries.c.channel == "ebms2")
)
_MOVED = (
    sa.select(audit.c.delivery, audit.c.event, audit.c.code)
    .where(audit.c.delivery != "", audit.c.data.contains('"state"'))
    .order_by(audit.c.seq)
)
_ALARMS = sa.select(alarms.c.code, alarms.c.subject).where(alarms.c.cleared_at.is_(None))
_TAKEN_IN = sa.select(messages.c.message_id).where(messages.c.direction == "in")
_IN_POSTVAK = (
    sa.select(messages.c.kind, messages.c.referentienummer, sa.func.count().label("times"))
    .join(deliveries, deliveries.c.message == messages.c.id)
    .where(deliveries.c.channel == "postvak")
    .group_by(messages.c.kind, messages.c.zender, messages.c.referentienummer)
)


async def open_town(
    folder: Path,
    *,
    profile: str,
    seed: int,
    hub: bool = False,
    place: Place = in_a_file,
    **terms,
) -> LyingTown:
    """Build it, on a lying wire; `place` says where the database of an installation is."""
    town = await towns.build(
        folder,
        seed=seed,
        profile=profile,
        parties=(POLITIE, HUB, VT) if hub else (POLITIE, VT),
        directories=towns.directory if hub else directory,
        place=place,
        **terms,
    )
    town.wire = deque(maxlen=1)
    liar = Liar(town, seed=seed, signed=profile.endswith(("-s", "-e")))
    town.breaks.append(liar.lie)
    return LyingTown(
        town=town,
        liar=liar,
        random=random.Random(seed),
        acknowledgments=profile.startswith("osb-rm"),
    )


async def live(lying: LyingTown, count: int) -> None:
    """Send `count` messages of back-ends through; the answers of back-ends come on top."""
    for wave, start in enumerate(range(0, count, WAVE)):
        for n in range(start, min(start + WAVE, count)):
            sender = lying.random.choice((POLITIE, POLITIE, VT))
            await lying.hand_in(sender, f"{towns.ROLES[sender]}-{n}")
        for _ in range(6):
            await lying.tick()
        if wave % 20 == 1:
            await lying.days_of_trouble()
    await lying.rest()
