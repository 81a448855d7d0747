"""The other side of the ports that the web layer uses: small, in memory."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from gateway.catalogue import Catalogue, Role
from gateway.credentials import BearerToken, Credentials, Scope, SignIn
from gateway.directory import (
    Backend,
    ClassificationTable,
    Directory,
    Gate,
    Limits,
    Party,
    Trust,
)
from gateway.errors import GatewayError, NoRoute
from gateway.lifecycle import State
from gateway.message import Inbound, Oin
from gateway.pipeline import Receipt, Trial, Weigering
from gateway.pipeline.trying import Check, Checked, Oordeel, Outcome
from gateway.pipeline.webhooks import Calling
from gateway.ports import (
    Answer,
    AuditEvent,
    AuditRow,
    DeliveryChannel,
    DeliveryKind,
    DeliveryView,
    Direction,
    Known,
    MessageView,
    Page,
    PostvakItem,
    RulingView,
    Summary,
    Wanted,
)
from gateway.security.certificates import TrustStore

POLITIE = Oin("00000001003214345000")
VT = Oin("00000001821002193000")
HUB = Oin("00000004000000002000")
AT = datetime(2026, 11, 24, 10, 30, 15, 250_000, tzinfo=UTC)
TOKENS = {"bvh": "token-van-bvh", "vt": "token-van-vt", "weg": "token-van-weg"}


class Clock:
    """The real one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class Counted:
    """What was counted."""

    refusals: list[str] = field(default_factory=list)
    answers: list[tuple[str, int]] = field(default_factory=list)

    def answered(self, listener: str, status: int, seconds: float) -> None:
        self.answers.append((listener, status))

    def refused(self, code: str) -> None:
        self.refusals.append(code)


@dataclass
class Receiver:
    """A pipeline behind the ebMS endpoint."""

    answer: Callable[[Inbound], Awaitable[Answer]]
    inbounds: list[Inbound] = field(default_factory=list)

    async def receive(self, inbound: Inbound) -> Answer:
        self.inbounds.append(inbound)
        return await self.answer(inbound)


def backend(name: str, party: Oin, *applicaties: str, **credentials) -> Backend:
    """Return a system that may do all with the token of `TOKENS`, or with these credentials."""
    token = BearerToken(sha256=sha256(TOKENS[name].encode()).hexdigest(), scopes=frozenset(Scope))
    mine = {"ways": frozenset({SignIn.BEARER}), "tokens": (token,)} | credentials
    return Backend(name=name, party=party, applicaties=applicaties, credentials=Credentials(**mine))


def directory(
    *, limits: Limits | None = None, suspended: frozenset[Oin] = frozenset()
) -> Directory:
    parties = (
        Party(oin=POLITIE, name="Politie", role=Role.POLITIE, local=True),
        Party(oin=VT, name="Veilig Thuis", role=Role.VEILIG_THUIS, local=True),
        Party(oin=HUB, name="Knooppunt", role=Role.KNOOPPUNT, local=False),
    )
    return Directory(
        epoch=1,
        fingerprint="",
        me=POLITIE,
        parties={p.oin: p for p in parties},
        agreements={},
        catalogue=Catalogue({}),
        services={},
        gate=Gate(table=ClassificationTable(version="1", messages=frozenset())),
        trust=Trust(anchors=()),
        backends=(
            backend("bvh", POLITIE, "BVH"),
            backend("vt", VT, "VTregistratie"),
            backend("weg", HUB, "Hub"),
        ),
        suspended=suspended,
        limits=limits or Limits(),
    )


def known(id_: str = "m-1", *, party: Oin = POLITIE, content: bytes = b"<a/>") -> Known:
    return Known(
        id=id_,
        at=AT,
        direction=Direction.OUTBOUND,
        party=party,
        cpa_id="cpa",
        message_id="x@y",
        conversation_id="c",
        kind="vtMeldingDi01",
        version="1.0.9",
        zender=POLITIE,
        zender_applicatie="BVH",
        ontvanger=VT,
        ontvanger_applicatie="VTregistratie",
        referentienummer="ref-1",
        cross_refnummer="",
        content_sha256=sha256(content).hexdigest(),
        references=(),
        accepted=True,
        payload_id="p-1",
        acknowledgment=None,
        answer="",
    )


def delivery(recipient: Oin = VT, channel: DeliveryChannel = DeliveryChannel.EBMS2) -> DeliveryView:
    return DeliveryView(
        id="d-1",
        recipient=recipient,
        channel=channel,
        kind=DeliveryKind.MESSAGE,
        state=State.SENT,
        attempt=1,
        ground="niet-gegate",
        approval_id="",
        next_at=None,
        last_code="",
        delivered_at=AT,
    )


def row(event: str, **facts) -> AuditRow:
    return AuditRow(
        position=1,
        writer="w",
        n=1,
        previous="",
        hash="",
        event=AuditEvent(event=event, at=AT, message="m-1", data=facts),
    )


def item(delivery_: str = "d-1", *, applicatie: str = "BVH", content: bytes = b"<a/>"):
    return PostvakItem(
        delivery=delivery_,
        message=known(party=HUB, content=content),
        applicatie=applicatie,
        payload_id="p-1",
        payload_sha256=sha256(content).hexdigest(),
        size=len(content),
        repeated=False,
        lease_until=AT + timedelta(minutes=5),
        state=State.SENT,
    )


@dataclass
class Box:
    """A postvak."""

    items: list[tuple[Oin, PostvakItem]] = field(default_factory=list)
    asked: list[dict] = field(default_factory=list)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    waited_for: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, *, party, applicaties, consumer, limit, lease, gate, kind=None):
        self.asked.append({"consumer": consumer, "limit": limit, "lease": lease})
        fits = [
            i
            for p, i in self.items
            if p == party and i.applicatie in applicaties and kind in {None, i.message.kind}
        ]
        return tuple(fits[:limit])

    async def get(self, delivery_, *, party):
        fits = (i for p, i in self.items if p == party and i.delivery == delivery_)
        return next(fits, None)

    async def wait(self, *, party, timeout):  # noqa: ASYNC109 - the port has it
        self.waited_for.set()
        try:
            await asyncio.wait_for(self.bell.wait(), timeout.total_seconds())
        except TimeoutError:
            return False
        return True


@dataclass
class Books:
    """A reader."""

    views: dict[str, MessageView] = field(default_factory=dict)
    asked: list[tuple[Wanted, int | None, int]] = field(default_factory=list)
    error: GatewayError | None = None

    async def message(self, id_: str):
        return self.views.get(id_)

    async def newest(self, wanted, *, below=None, limit):
        self.asked.append((wanted, below, limit))
        return self._page(wanted, lambda n: below is None or n < below, limit, newest=True)

    async def in_order(self, wanted, *, after=None, limit):
        self.asked.append((wanted, after, limit))
        return self._page(wanted, lambda n: n > (after or 0), limit, newest=False)

    def _page(self, wanted, fits, limit, *, newest):
        mine = [
            (n, v)
            for n, v in enumerate(self.views.values(), start=1)
            if fits(n) and v.message.party == wanted.party
        ]
        mine = sorted(mine, key=lambda one: one[0], reverse=newest)[:limit]
        found = tuple(
            Summary(message=v.message, states=tuple(d.state for d in v.deliveries)) for _, v in mine
        )
        last = mine[-1][0] if mine else None
        return Page(found=found, last=last if newest or last else len(self.views))

    async def figures(self):
        if self.error is not None:
            raise self.error
        return {
            "delivery.held": 2,
            "delivery.ready": 0,
            "due": 5,
            "alarm.delivery.unknown": 3,
        }


@dataclass
class Store:
    """Payloads."""

    octets: bytes = b"<a/>"
    error: GatewayError | None = None

    async def get(self, id_: str) -> bytes:
        if self.error is not None:
            raise self.error
        return self.octets


@dataclass
class Shelf:
    directory: Directory

    def current(self) -> Directory:
        return self.directory

    def trust(self, directory: Directory) -> TrustStore:
        return TrustStore(directory.trust)


RECEIPT = Receipt(id="m-1", fresh=True, held=False, reasons=(), referentienummer="ref-1")
TRIAL = Trial(
    oordeel=Oordeel.ACCEPTED,
    checks=tuple(Checked(check=check, outcome=Outcome.GOOD) for check in Check),
    size=4,
    kind="vtMeldingDi01",
    version="1.0.9",
    referentienummer="ref-1",
    recipient=HUB,
    channel="ebms2",
    cpa_id="cpa",
    deadline=AT,
)


@dataclass
class Held:
    """What the OM decided: nothing."""

    decided: tuple[RulingView, ...] = ()

    async def rulings(self, message):
        return self.decided


@dataclass
class Gateway:
    """A pipeline behind the REST API: it does as it is told, and remembers."""

    directory: Directory = field(default_factory=directory)
    receipt: Receipt = RECEIPT
    trial: Trial = TRIAL
    error: Exception | None = None
    fresh: bool = True
    postvak: Box = field(default_factory=Box)
    reader: Books = field(default_factory=Books)
    payloads: Store = field(default_factory=Store)
    calls: list[tuple] = field(default_factory=list)
    calling: Calling | None = None
    holds: Held = field(default_factory=Held)

    @property
    def snapshots(self) -> Shelf:
        return Shelf(self.directory)

    async def hand_in(self, octets, aanlevering, backend_):
        self._did("hand_in", octets, aanlevering, backend_.name)
        return self.receipt

    async def try_out(self, octets, aanlevering, backend_):
        self._did("try_out", octets, aanlevering, backend_.name)
        return self.trial

    async def collect(self, backend_, applicaties, *, limit, lease, kind=None):
        return await self.postvak.take(
            gate=self.directory.gate.in_force(AT),
            party=backend_.party,
            applicaties=applicaties,
            consumer=backend_.name,
            limit=limit,
            lease=lease,
            kind=kind,
        )

    async def reach(self, delivery_, backend_, *, lease):
        item = await self.postvak.get(delivery_, party=backend_.party)
        if item is None or item.applicatie not in backend_.applicaties:
            raise NoRoute("postvak.unknown", "Dit bericht staat niet in dit postvak.")
        return item

    async def confirm(self, delivery_, backend_):
        self._did("confirm", delivery_, backend_.name)
        return self.fresh

    async def refuse(self, delivery_, backend_, weigering: Weigering):
        self._did("refuse", delivery_, backend_.name, weigering)
        return self.fresh

    def _did(self, *call) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error
