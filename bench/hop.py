"""A melding through the hub: received, admitted, acknowledged and delivered, on SQLite.

Inline and in one thread: decrypt, verify, sign the Acknowledgment, validate, classify, route,
commit with fsync; then sign, encrypt and hand over, with the commits in between. The neighbours
are gone while the clock runs: what the hub sends is taken by a sink that answers 204.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.bare import Bare
from bench.measure import Ratio, ratio_of
from gateway.cli.demo.documents import Address, document
from gateway.message import Aanlevering, Inbound, Oin, Peer, WireMessage
from gateway.ports import Answer, Endpoint
from tests.flow.town import APPLICATIE, HUB, NOW, POLITIE, VT, Town, build, leaf

MESSAGES = 40
WARM_UP = 4
NO_DISK = Path("/dev/shm")
PLAIN = Aanlevering(acuut=False, onderzoek=False, wpg_artikel="8")


@dataclass(frozen=True, slots=True)
class Hop:
    """One message, as multiples of the bare cryptography beside it."""

    receive: float
    deliver: float


@dataclass(slots=True)
class Sink:
    """Takes what is posted and gives no answer: the other end, for free."""

    taken: list[WireMessage] = field(default_factory=list)

    async def __call__(self, me: Oin, endpoint: Endpoint, message: WireMessage) -> Answer:
        del me, endpoint
        self.taken.append(message)
        return Answer(status=204)


def ratios() -> Iterator[Ratio]:
    hops = _hops(None)
    yield _told("hub: one hop", [h.receive + h.deliver for h in hops])
    yield _told("- receive, to the commit", [h.receive for h in hops])
    yield _told("- deliver, with Acknowledgment", [h.deliver for h in hops])
    if NO_DISK.is_dir():
        hops = _hops(NO_DISK)
        yield _told("hub: one hop, no disk", [h.receive + h.deliver for h in hops])


def _told(what: str, values: list[float]) -> Ratio:
    return ratio_of(what, "its cryptography", values)


def _hops(parent: Path | None) -> list[Hop]:
    with TemporaryDirectory(dir=parent) as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[Hop]:
    town = await build(folder)
    try:
        messages, octets = await _sent(town)
        bare = _bare(octets)
        hops = [await _hop(town, message, bare) for message in messages]
        return hops[WARM_UP:]
    finally:
        await town.close()


async def _sent(town: Town) -> tuple[list[WireMessage], bytes]:
    """Return what the politie sends, as it would reach the hub, and one document of it."""
    sink = Sink()
    town.breaks.append(sink)
    politie = town[POLITIE]
    octets = b""
    for n in range(WARM_UP + MESSAGES):
        octets = document(
            "vtMeldingDi01",
            zender=Address(oin=POLITIE, applicatie=APPLICATIE[POLITIE]),
            ontvanger=Address(oin=VT, applicatie=APPLICATIE[VT]),
            referentienummer=f"bench-{n}",
            zaak="PL0000-2026000001",
            at=NOW,
        )
        await politie.gateway.hand_in(octets, PLAIN, politie.backend)
    await _work(town, POLITIE)
    assert len(sink.taken) == WARM_UP + MESSAGES
    return list(sink.taken), octets


async def _hop(town: Town, message: WireMessage, bare) -> Hop:
    sink = Sink()
    town.breaks[:] = [sink]
    inbound = Inbound(
        body=message.body,
        content_type=message.content_type,
        soap_action=message.soap_action,
        peer=Peer(certificate=leaf(POLITIE, "tls").certificate, address="192.0.2.1"),
        at=town.clock.now(),
    )
    start = perf_counter()
    answer = await town[HUB].gateway.receive(inbound)
    committed = perf_counter()
    await _work(town, HUB)
    delivered = perf_counter()
    bare()
    floor = perf_counter() - delivered
    assert answer.status == 204
    assert len(sink.taken) == 2, "an Acknowledgment, and the melding"
    return Hop((committed - start) / floor, (delivered - committed) / floor)


async def _work(town: Town, oin: Oin) -> None:
    while await town[oin].worker.step():
        pass


def _bare(octets: bytes):
    """Return the cryptography of a hop: open it, sign the Acknowledgment, seal it again."""
    inward = Bare(leaf(POLITIE, "sign"), leaf(HUB, "encrypt"))
    outward = Bare(leaf(HUB, "sign"), leaf(VT, "encrypt"))
    signature, encrypted = inward.sign(octets), inward.encrypt(octets)

    def bare() -> None:
        inward.verify(inward.decrypt(encrypted), signature)
        outward.sign(b"")
        outward.sign(octets)
        outward.encrypt(octets)

    return bare
