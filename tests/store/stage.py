"""Values and a store for the tests of the store."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from gateway.directory import InForce
from gateway.keys.ended import EndedMarks
from gateway.keys.epochs import EpochKeys
from gateway.lifecycle import State
from gateway.message import Address, Oin, Reference, Stuurgegevens
from gateway.ports import (
    Admission,
    AuditEvent,
    Claim,
    DeliveryChannel,
    DeliveryKind,
    Direction,
    NewDelivery,
    NewMessage,
    StoredPayload,
)
from gateway.store.engine import open_engine
from gateway.store.sealing import CHUNK
from gateway.store.store import Store

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
POLITIE = Oin("00000004003214345001")
VT = Oin("00000004003214345002")
KNOOPPUNT = Oin("00000004003214345003")
CPA = "cpa-knooppunt-vt"


class Clock:
    def __init__(self):
        self.at = START
        self.stepped = timedelta(0)

    def now(self):
        return self.at

    def monotonic(self):
        return (self.at - self.stepped).timestamp()

    def forward(self, **span):
        self.at += timedelta(**span)

    def step(self, **span):
        """Set the clock, without any time going by."""
        self.stepped += timedelta(**span)
        self.at += timedelta(**span)


class Dice:
    def __init__(self, seed=0):
        self._random = random.Random(seed)
        self._ids = 0

    def uuid(self):
        self._ids += 1
        return f"{self._random.getrandbits(64):016x}-{self._ids}"

    def unit(self):
        return self._random.random()

    def octets(self, n):
        return self._random.randbytes(n)


LARGE = b"x" * (CHUNK + 1)
"""Too large to go with the commit that refers to it: it is written ahead."""


class Stage:
    """A store on a folder, its clock, and makers of admissions that differ by a number."""

    def __init__(
        self, folder: Path, *, inline: bool, seed: int = 0, database: Path | str | None = None
    ):
        self.folder = folder
        self.database = database or folder / "gateway.db"
        self.inline = inline
        self.clock = Clock()
        self.dice = Dice(seed)
        self.epochs = EpochKeys(folder / "epochs", dice=self.dice)
        self.ended = EndedMarks(folder / "epochs")
        self.store: Store
        self.epoch = 0

    @property
    def engine(self):
        return open_engine(self.database)

    async def open(self, writer_id="test"):
        self.store = Store.open(
            self.database,
            epochs=self.epochs,
            ended=self.ended,
            clock=self.clock,
            dice=self.dice,
            writer_id=writer_id,
            inline=self.inline,
        )
        self.epoch = await self.store.sync_epoch("first")
        return self

    async def reopen(self):
        await self.store.close()
        await self.open()

    async def message(self, n=1, *, octets=b"", label=b"", **changes):
        octets = octets or f"<bericht>{n}</bericht>".encode()
        stored = await self.store.payloads.put(octets, label=label)
        return new_message(n, at=self.clock.now(), payload=stored, **changes)

    async def admission(self, n=1, *, deliveries=None, **changes):
        message = await self.message(n, **changes)
        made = deliveries if deliveries is not None else (self.delivery(n),)
        made = tuple(
            replace(d, payload_sha256=d.payload_sha256 or message.content_sha256) for d in made
        )
        events = (event("message.received", self.clock.now(), message=message.id),)
        return Admission(epoch=self.epoch, message=message, deliveries=made, events=events)

    def delivery(self, n=1, **changes):
        given = {
            "id": f"d-{n}",
            "recipient": VT,
            "channel": DeliveryChannel.EBMS2,
            "kind": DeliveryKind.MESSAGE,
            "state": State.READY,
            "next_at": self.clock.now(),
            "cpa_id": CPA,
            "service": "dienst",
            "action": "vtMeldingDi01",
            "ground": "doorlopend" if "approval_id" in changes else "niet-gegate",
            "retries": 2,
            "retry_interval": timedelta(minutes=10),
            "duplicate_safe": True,
        }
        return NewDelivery(**(given | changes))

    def postvak(self, n=1, **changes):
        given = {
            "channel": DeliveryChannel.POSTVAK,
            "applicatie": "Zorgsysteem",
            "cpa_id": "",
            "service": "",
            "action": "",
            "retries": 0,
            "retry_interval": timedelta(0),
        }
        return self.delivery(n, **(given | changes))

    def signal(self, id_, sealed):
        changes = {"kind": DeliveryKind.SIGNAL, "recipient": POLITIE, "ground": "signaal"}
        return self.delivery(1, id=id_, sealed=sealed, action="Acknowledgment", **changes)

    async def admit(self, n=1, **changes):
        return await self.store.inbox.admit(await self.admission(n, **changes))

    async def admit_many(self, numbers: Iterable[int], **changes):
        for n in numbers:
            await self.admit(n, **changes)

    async def claim(self, *, worker="w1", limit=10, approvals=(), **changes) -> tuple[Claim, ...]:
        return await self.store.queue.claim(
            worker=worker,
            limit=limit,
            epoch=changes.pop("epoch", self.epoch),
            gate=InForce(approvals=frozenset(approvals), table=changes.pop("table", "T-1")),
            **changes,
        )

    async def show(self, *, party=VT):
        """Let a back-end look into its postvak: what was never shown is not closed."""
        return await self.store.postvak.take(
            gate=InForce(),
            party=party,
            applicaties=("Zorgsysteem",),
            consumer="c1",
            limit=10,
            lease=timedelta(minutes=5),
        )

    async def seal(self, claim, *digests: bytes):
        stored = await self.store.payloads.put(b"<Envelope/>")
        references = references_of(*digests)
        await self.store.queue.sealed(claim, stored, references)
        return references

    def forget(self):
        """Let so much time pass that octets of a moment ago are read back from the database."""
        self.clock.forward(minutes=2)

    def unguard_audit(self):
        """Take away what keeps audit rows from being changed."""
        table = " ON audit" if self.engine.shared else ""
        for trigger in ("audit_no_update", "audit_no_delete"):
            self.raw(f"DROP TRIGGER {trigger}{table}")

    def silence(self, worker):
        """Make the heartbeat of a worker old, by the clock of the database."""
        self.raw(f"UPDATE workers SET beat_at = beat_at - 60000000 WHERE name LIKE '{worker}@%'")

    async def view(self, n=1):
        found = await self.store.reader.message(f"m-{n}")
        assert found is not None
        return found

    async def state(self, n=1):
        return (await self.view(n)).deliveries[0].state

    async def trace(self, n=1):
        return [row.event.event for row in (await self.view(n)).trace]

    def rows(self, statement: str):
        """Look at the database past the ports."""
        connection = self.engine.reader()
        try:
            return connection.execute(sa.text(statement)).all()
        finally:
            connection.close()

    def raw(self, statement: str):
        """Do to the database what the gateway never does."""
        connection = self.engine.writer()
        try:
            connection.execute(sa.text(statement))
        finally:
            connection.close()


def references_of(*digests: bytes) -> tuple[Reference, ...]:
    return tuple(Reference(f"cid:{n}", "sha256", digest) for n, digest in enumerate(digests))


def event(name: str, at: datetime, **changes) -> AuditEvent:
    return AuditEvent(event=name, at=at, **changes)


def new_message(
    n: int, *, at: datetime, payload: StoredPayload | None = None, **changes
) -> NewMessage:
    given = {
        "id": f"m-{n}",
        "at": at,
        "direction": Direction.INBOUND,
        "party": POLITIE,
        "cpa_id": "cpa-politie-knooppunt",
        "message_id": f"bericht-{n}@politie.test",
        "conversation_id": f"zaak-{n}",
        "kind": "vtMeldingDi01",
        "version": "1.0.9",
        "stuurgegevens": stuurgegevens(n),
        "payload": payload,
        "content_sha256": payload.sha256 if payload else sha256(str(n).encode()).hexdigest(),
        "references": references_of(b"%d" % n),
    }
    return NewMessage(**(given | changes))


def stuurgegevens(n: int, **changes) -> Stuurgegevens:
    given = {
        "berichtcode": "Di01",
        "zender": Address(organisatie=POLITIE, applicatie="BVH"),
        "ontvanger": Address(organisatie=VT, applicatie="Zorgsysteem"),
        "referentienummer": f"ref-{n}",
        "tijdstip_bericht": "20261124080000",
    }
    return Stuurgegevens(**(given | changes))
