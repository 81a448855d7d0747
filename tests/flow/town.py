"""Several installations in one process, without threads or sockets, from one seed.

Each has its own SQLite file, keys and directory, and the real pipeline; only the wire between
them is a function call, which a test can break.
"""

import random
from collections.abc import Awaitable, Callable, MutableSequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

import pytest

from gateway.catalogue import Catalogue, Role
from gateway.config import OfficerSettings
from gateway.directory import (
    Agreement,
    Backend,
    Confirmation,
    Directory,
    Gate,
    Limits,
    Party,
    StandingApproval,
)
from gateway.errors import PeerUnreachable, StaleSnapshot
from gateway.installation import load_catalogue, load_table, share
from gateway.keys.ended import EndedMarks
from gateway.keys.epochs import EpochKeys
from gateway.keys.test_pki import Leaf, TestPki
from gateway.message import Inbound, Oin, Peer, WireMessage
from gateway.pipeline import Gateway, House
from gateway.pipeline.house import inline
from gateway.ports import AlarmBounds, Answer, Caller, Endpoint, MessageView
from gateway.ports.mail import Post
from gateway.security.certificates import TrustStore
from gateway.store.store import Store
from gateway.wire import toets
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import CpaAction, CpaParty, CpaSpec, make_cpa
from gateway.wire.explain import explain
from gateway.wire.schema import SchemaSet
from gateway.wire.toets import BESLUIT, INTREKKING, VERZOEK, VOORWAARDEN
from gateway.worker import Worker
from tests.empty_database import put_empty
from tests.sealing import Keys

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SERVICE = "jz:corv:1.0.9"
VERSION = "1.0.9"

POLITIE = Oin("00000001003214345000")
VT = Oin("00000001821002193000")
OM = Oin("00000004000000003000")
HUB = Oin("00000004000000004000")
HALT = Oin("00000004000000005000")

APPLICATIE = {POLITIE: "BVH", VT: "VTregistratie", OM: "GPS", HALT: "AURAH", HUB: "JUBES"}
ROLES = {
    POLITIE: Role.POLITIE,
    VT: Role.VEILIG_THUIS,
    OM: Role.OM,
    HUB: Role.KNOOPPUNT,
    HALT: Role.HALT,
}
SENDS = {
    POLITIE: (
        "vtMeldingDi01",
        "ucobDi01",
        "uciDi01",
        "meldingGeneriekDi01",
        "Bv01Bericht",
        "Fo01Bericht",
        VERZOEK,
        INTREKKING,
        VOORWAARDEN,
    ),
    HALT: ("vtMeldingDi01", "Bv01Bericht", "Fo01Bericht"),
    VT: (
        "vtTerugkoppelingDi01",
        "vcobDi01",
        "vciDi01",
        "uitkomstMeldingGeneriekDi01",
        "Bv01Bericht",
        "Fo01Bericht",
    ),
    OM: ("Bv01Bericht", "Fo01Bericht", BESLUIT, INTREKKING),
}
ALL = tuple(dict.fromkeys(name for names in SENDS.values() for name in names))

STANDING = StandingApproval(
    id="DT-2026-01",
    given_by="mr. V. Voorbeeld, officier van justitie",
    ground="convenant",
    messages=frozenset({"vtMeldingDi01"}),
    receivers=frozenset({VT}),
    wpg_artikelen=frozenset({"8", "13"}),
    valid_from=NOW - timedelta(days=1),
    valid_until=NOW + timedelta(days=365),
)

OFFICERS = tuple(
    OfficerSettings(
        id=id_,
        naam=f"mr. {id_.title()}",
        functie="officier van justitie",
        mandaat="Mandaatbesluit 2026",
        parket=parket,
        van=NOW.date() - timedelta(days=30),
    )
    for id_, parket in (("anders", "Rotterdam"), ("bos", "Rotterdam"), ("claes", "Den Haag"))
)


@cache
def pki() -> TestPki:
    return TestPki(NOW, authority_bits=2048)


@cache
def leaf(oin: Oin, usage: str) -> Leaf:
    return pki().issue(oin=oin, name=f"TEST {ROLES[oin]}", usage=usage)


@cache
def cpa(
    other: Oin, profile: str = "osb-rm-e", retries: int = 8, seconds: int = 10, **terms
) -> bytes:
    """The CPA of a party with the hub."""
    return make_cpa(
        CpaSpec(
            cpa_id=f"cpa_{ROLES[other]}_{profile}",
            parties=(_side(other, SENDS[other]), _side(HUB, ALL)),
            start=NOW - timedelta(days=1),
            end=NOW + timedelta(days=365),
            profile=profile,
            retries=retries,
            retry_interval=timedelta(seconds=seconds),
            **terms,
        )
    )


def service_of(action: str) -> str:
    return toets.SERVICE if action in toets.KINDS else SERVICE


def _side(oin: Oin, sends: tuple[str, ...]) -> CpaParty:
    tls = leaf(oin, "tls").certificate
    return CpaParty(
        oin=oin,
        name=f"TEST {ROLES[oin]}",
        role=str(ROLES[oin]).upper(),
        endpoint=f"https://{ROLES[oin]}.example/ebms",
        sends=tuple(CpaAction(service=service_of(action), action=action) for action in sends),
        sign=leaf(oin, "sign").certificate,
        encrypt=leaf(oin, "encrypt").certificate,
        client=tls,
        server=tls,
    )


@cache
def built_in() -> SchemaSet:
    return SchemaSet.load(share("schemas"), catalogue())


@cache
def catalogue() -> Catalogue:
    return load_catalogue(share("config") / "catalogue.toml")


@cache
def agreed(other: Oin, profile: str, **terms) -> Agreement:
    return read_cpa(cpa(other, profile, **terms))


@cache
def confirmed_gate() -> Gate:
    """Table and approval as an officer of the OM confirmed them."""
    table = load_table(share("config") / "classification.toml")
    confirmation = Confirmation(
        id="B-1",
        sha256="ab" * 32,
        police=POLITIE,
        signer=OM,
        table_version=table.version,
        officer="mr. Anders, officier van justitie",
        taken_at=NOW - timedelta(days=1),
        valid_until=NOW + timedelta(days=365),
    )
    return Gate(table=table, approvals=(STANDING,), confirmation=confirmation)


def directory(me: Oin, profile: str = "osb-rm-e", terms=None, **changes) -> Directory:
    others = (POLITIE, VT, OM, HALT) if me == HUB else (me,)
    agreements = [agreed(other, profile, **(terms or {})) for other in others]
    base = Directory(
        epoch=0,
        fingerprint=f"{me}-1",
        me=me,
        parties={
            oin: Party(
                oin=oin,
                name=str(role),
                role=role,
                local=oin == me,
                applicaties=(APPLICATIE[oin],),
            )
            for oin, role in ROLES.items()
        },
        agreements={a.cpa_id: a for a in agreements},
        catalogue=catalogue(),
        services={SERVICE: VERSION, toets.SERVICE: toets.VERSION},
        officers=OFFICERS if me in {OM, HUB} else (),
        gate=confirmed_gate(),
        trust=pki().trust(),
        limits=Limits(),
    )
    return replace(base, **changes)


class Clock:
    def __init__(self):
        self.at = NOW

    def now(self):
        # Every look is a millisecond later: rows stand in the order in which they were made.
        self.at += timedelta(milliseconds=1)
        return self.at

    def monotonic(self):
        return self.at.timestamp()

    def forward(self, **span):
        self.at += timedelta(**span)


class Dice:
    def __init__(self, seed):
        self._random = random.Random(seed)

    def uuid(self):
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def unit(self):
        return self._random.random()

    def octets(self, n):
        return self._random.randbytes(n)


class Snapshots:
    def __init__(self, directory: Directory):
        self._directory = directory
        self._stores: dict[int, TrustStore] = {}
        self._schemas: dict[int, SchemaSet] = {}
        self.coming: Directory | None = None
        """What another process loaded already, and this one does as soon as somebody waits."""

    def current(self):
        return self._directory

    async def moved(self, epoch):
        if self.coming is not None:
            self.swap(self.coming)
        return self._directory.epoch != epoch

    def trust(self, directory):
        if id(directory) not in self._stores:
            self._stores[id(directory)] = TrustStore(directory.trust)
        return self._stores[id(directory)]

    def schemas(self, directory):
        if directory is not self._directory:
            raise StaleSnapshot("epoch.moved", "the directory changed meanwhile")
        if id(directory) not in self._schemas:
            self._schemas[id(directory)] = SchemaSet.load(
                share("schemas"),
                directory.catalogue,
                packs=directory.packs,
                activations=directory.activations,
                before=built_in(),
            )
        return self._schemas[id(directory)]

    def swap(self, directory):
        self._directory = directory


class Count:
    def received(self, kind, outcome): ...
    def refused(self, code): ...
    def attempted(self, kind, outcome, seconds): ...
    def called(self, outcome, n=1): ...
    def excepted(self, oin, what): ...


async def explained(octets, schema):
    return explain(octets, schema)


@dataclass
class Installation:
    oin: Oin
    store: Store
    gateway: Gateway
    worker: Worker
    snapshots: Snapshots
    backend: Backend
    up: bool = True

    async def message(self, referentienummer: str) -> MessageView | None:
        for known in await self.store.reader.messages(party=None, before=None, limit=100):
            if known.referentienummer == referentienummer:
                return await self.store.reader.message(known.id)
        return None

    async def change(self, **changes):
        """Swap the directory for one with these changes; the epoch moves."""
        fresh = replace(self.snapshots.current(), **changes)
        mark = f"{fresh.fingerprint}+"
        epoch = await self.store.sync_epoch(mark)
        self.snapshots.swap(replace(fresh, fingerprint=mark, epoch=epoch))

    async def overtaken(self):
        """Another process loads the same parties and agreements; this one has yet to."""
        epoch = await self.store.sync_epoch("of another process")
        self.snapshots.coming = replace(self.snapshots.current(), epoch=epoch)


Break = Callable[[Oin, Endpoint, object], Awaitable[Answer | None]]


@dataclass
class Town:
    """The installations, the clock, and the wire between them."""

    clock: Clock
    dice: Dice
    installations: dict[Oin, Installation] = field(default_factory=dict)
    breaks: list[Break] = field(default_factory=list)
    caller: Caller | None = None
    """What back-ends are called with; nobody is by itself."""
    post: Post | None = None
    """Who takes letters; nobody does by itself."""
    patience: timedelta = timedelta(seconds=10)
    """How long answers to questions are waited for, in real time."""
    wire: MutableSequence[tuple[Oin, Oin, WireMessage, Answer]] = field(default_factory=list)

    def __getitem__(self, oin: Oin) -> Installation:
        return self.installations[oin]

    async def settle(self, rounds: int = 60) -> None:
        """Let every worker work until nobody has anything to do now."""
        for _ in range(rounds):
            made = 0
            for installation in self.installations.values():
                if installation.up:
                    made += await installation.worker.step()
            if not made:
                return
        raise AssertionError("the town does not come to rest")

    async def carry(self, me: Oin, to: Oin, message: WireMessage) -> Answer:
        """Hand the message to the other installation, as `me`, past every disturbance."""
        other = self.installations.get(to)
        if other is None or not other.up:
            raise PeerUnreachable("peer.unreachable", "installation is down")
        answer = await other.gateway.receive(
            Inbound(
                body=message.body,
                content_type=message.content_type,
                soap_action=message.soap_action,
                peer=Peer(certificate=leaf(me, "tls").certificate, address="192.0.2.1"),
                at=self.clock.now(),
            )
        )
        self.wire.append((me, to, message, answer))
        return answer

    async def keep_house(self) -> None:
        """Do what the housekeeping does about messages, then let the workers work."""
        for installation in self.installations.values():
            if installation.up:
                await installation.gateway.tell_senders()
                await installation.gateway.ask_om()
                await installation.gateway.watch_holds()
                await installation.gateway.switch_standing()
                await installation.store.alarms.watch(AlarmBounds())
        await self.settle()

    async def close(self) -> None:
        for installation in self.installations.values():
            await installation.gateway.close()
            await installation.store.close()


class Wire:
    """The network port of one installation: calls the other's pipeline."""

    def __init__(self, town: Town, me: Oin):
        self._town = town
        self._me = me

    async def post(self, endpoint, message):
        for disturb in self._town.breaks:
            answer = await disturb(self._me, endpoint, message)
            if answer is not None:
                return answer
        return await self._town.carry(self._me, endpoint.party, message)


Place = Callable[[Oin, Path], str | Path]


def in_a_file(oin: Oin, folder: Path) -> Path:
    """Where an installation has its database: SQLite, in its own folder."""
    return put_empty(folder / "gateway.db")


ON_BOTH = pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)
"""For a test of which the town stands in `place`."""


async def build(
    folder: Path,
    *,
    seed: int = 1,
    profile: str = "osb-rm-e",
    parties: tuple[Oin, ...] = (POLITIE, HUB, VT),
    directories: Callable[[Oin, str, dict], Directory] = directory,
    place: Place = in_a_file,
    post: Post | None = None,
    patience: timedelta = timedelta(seconds=10),
    **terms,
) -> Town:
    """Build it; `terms` are those of every CPA: `retries`, `seconds`, `sync_reply`, …."""
    town = Town(clock=Clock(), dice=Dice(seed), post=post, patience=patience)
    for oin in parties:
        town.installations[oin] = await _install(
            town, folder / oin, oin, profile, terms, directories=directories, place=place
        )
    return town


async def _install(
    town: Town,
    folder: Path,
    oin: Oin,
    profile: str,
    terms: dict | None = None,
    *,
    directories: Callable[[Oin, str, dict], Directory] = directory,
    place: Place = in_a_file,
) -> Installation:
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test, nothing else runs
    store = Store.open(
        place(oin, folder),
        epochs=EpochKeys(folder / "epochs", dice=town.dice),
        ended=EndedMarks(folder / "epochs"),
        clock=town.clock,
        dice=town.dice,
        writer_id=str(ROLES[oin]),
        inline=True,
    )
    plain = directories(oin, profile, terms or {})
    epoch = await store.sync_epoch(plain.fingerprint)
    snapshots = Snapshots(replace(plain, epoch=epoch))
    gateway = Gateway(
        House(
            clock=town.clock,
            dice=town.dice,
            snapshots=snapshots,
            keyring=Keys(leaf(oin, "sign"), leaf(oin, "encrypt")),
            network=Wire(town, oin),
            explain=explained,
            count=Count(),
            think=inline,
            inbox=store.inbox,
            payloads=store.payloads,
            queue=store.queue,
            signals=store.signals,
            postvak=store.postvak,
            reader=store.reader,
            alarms=store.alarms,
            undeliverable=store.undeliverable,
            switches=store.switches,
            quarantine=store.quarantine,
            receipts=store.receipts,
            enquiries=store.enquiries,
            pickup=store.pickup,
            post=town.post,
            patience=town.patience,
            holds=store.holds,
            desk=store.desk,
            webhooks=store.webhooks,
            caller=town.caller,
            worker=f"worker-{ROLES[oin]}",
        )
    )
    backend = Backend(
        name=f"systeem-{ROLES[oin]}",
        party=oin,
        applicaties=(APPLICATIE[oin],),
    )
    worker = Worker(
        name=f"worker-{ROLES[oin]}",
        gateway=gateway,
        queue=store.queue,
        bell=store.bell,
        clock=town.clock,
    )
    return Installation(oin, store, gateway, worker, snapshots, backend)
