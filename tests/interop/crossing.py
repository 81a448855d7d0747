"""A knooppunt over real mutual TLS between two parties that a Java program plays.

The knooppunt is the real pipeline with its own endpoint and client; its clock stands still
until a test moves it. Politie sends, Veilig Thuis receives, as `ebms/` does it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec

from gateway.cli.demo.documents import Address, document
from gateway.config import Canonical
from gateway.config_algorithms import Weakness
from gateway.directory import Agreement, AlgorithmException, Directory
from gateway.directory import Party as Member
from gateway.keys.test_pki import Leaf
from gateway.message import Oin
from gateway.outbound.ebms import EbmsClient
from gateway.outbound.tls import KeyPair, ReloadableContext, server_context
from gateway.pipeline import Gateway
from gateway.ports import DeliveryView, MessageView
from gateway.web.inbound.ebms import ebms_app
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import CpaAction, CpaParty, CpaSpec, make_cpa
from gateway.worker import Worker
from tests import pki
from tests.flow import town as towns
from tests.flow.town import APPLICATIE, HUB, POLITIE, ROLES, SENDS, SERVICE, VT, Town
from tests.interop.santuario import Party, Santuario
from tests.outbound.tls_files import serving
from tests.sealing import Keys
from tests.web.doubles import Counted

USES = ("tls", "sign", "encrypt")
MOST = 1_000_000


@cache
def leaf(oin: Oin, use: str, curve: ec.EllipticCurve | None = None) -> Leaf:
    return pki.live().issue(oin=oin, name=f"TEST {ROLES[oin]}", usage=use, curve=curve)


@dataclass(frozen=True)
class Places:
    """The endpoints of the parties that Java plays: open for the whole run."""

    java: Santuario
    curve: ec.EllipticCurve | None
    """On which all parties sign; None: with RSA."""
    ports: dict[Oin, int] = field(default_factory=dict)

    @classmethod
    def open(cls, java: Santuario, curve: ec.EllipticCurve | None = None) -> "Places":
        made = cls(java, curve)
        for oin in (POLITIE, VT):
            own, partner = made.leaves(oin), made.leaves(HUB)
            made.ports[oin] = java.open(made.name(oin), own, partner, pki.live().root)
        return made

    def name(self, oin: Oin) -> str:
        """Return what Java knows the party by."""
        return f"{ROLES[oin]} {self.curve.name if self.curve else 'rsa'}"

    def leaves(self, oin: Oin) -> dict[str, Leaf]:
        return {use: leaf(oin, use, self.curve if use == "sign" else None) for use in USES}


def agreement(places: Places, other: Oin, profile: str, **terms: Any) -> Agreement:
    now = datetime.now(UTC)
    spec = CpaSpec(
        cpa_id=f"cpa_{ROLES[other]}_{profile}",
        parties=(_side(other, places), _side(HUB, places)),
        start=now - timedelta(hours=1),
        end=now + timedelta(days=30),
        profile=profile,
        retry_interval=timedelta(minutes=5),
        **terms,
    )
    return read_cpa(make_cpa(spec))


def _side(oin: Oin, places: Places) -> CpaParty:
    own = {use: one.certificate for use, one in places.leaves(oin).items()}
    actions = SENDS.get(oin, towns.ALL)
    port = places.ports.get(oin, 443)
    return CpaParty(
        oin=oin,
        name=f"TEST {ROLES[oin]}",
        role=str(ROLES[oin]).upper(),
        endpoint=f"https://127.0.0.1:{port}/ebms",
        sends=tuple(CpaAction(service=towns.service_of(one), action=one) for one in actions),
        sign=own["sign"],
        encrypt=own["encrypt"],
        client=own["tls"],
        server=own["tls"],
    )


def terms(agreed: Agreement, oin: Oin, endpoint: str, profile: str) -> dict[str, Any]:
    """Return the agreement as the Java party is told of it."""
    return {
        "oin": oin,
        "role": str(ROLES[oin]).upper(),
        "partner": HUB,
        "partnerRole": str(ROLES[HUB]).upper(),
        "cpa": agreed.cpa_id,
        "service": SERVICE,
        "serviceType": "urn:osb:services",
        "endpoint": endpoint,
        "reliable": profile.startswith("osb-rm"),
        "signed": profile.endswith(("-s", "-e")),
        "encrypted": profile.endswith("-e"),
        "syncReply": agreed.bindings[0].channel.sync_reply != "none",
    }


@dataclass
class Crossing:
    """The knooppunt and its two partners."""

    town: Town
    politie: Party
    vt: Party
    refused: list[str]
    """Codes, in order."""

    async def send(self, octets: bytes, /, **message: Any) -> dict[str, Any]:
        """Let the politie send a melding; return what was answered to it."""
        return await self.politie.send(octets, **(_header("vtMeldingDi01") | message))

    async def ask(self, action: str, /, **message: Any) -> dict[str, Any]:
        """Let the politie ask the MSH itself."""
        return await self.politie.send(**(_header(action) | message))

    async def settle(self) -> None:
        """Let everybody do what there is to do now."""
        for _ in range(4):
            await self.town.settle()
            for party in (self.politie, self.vt):
                await party.ask("settle")

    async def later(self) -> None:
        """Let the retry interval pass, and the chance that is added to it."""
        for minutes in (6, 2):
            self.town.clock.forward(minutes=minutes)
            await self.settle()

    async def melding(self, reference: str = "ref-1") -> MessageView:
        view = await self.town[HUB].message(reference)
        assert view is not None
        return view

    async def delivery(self, reference: str = "ref-1") -> DeliveryView:
        """Return where the melding stands on its way to Veilig Thuis."""
        view = await self.melding(reference)
        (found,) = [one for one in view.deliveries if one.kind == "bericht"]
        return found


def _header(action: str) -> dict[str, str]:
    return {
        "action": action,
        "messageId": f"{uuid4()}@politie.test",
        "conversationId": str(uuid4()),
    }


def melding(reference: str = "ref-1") -> bytes:
    return document(
        "vtMeldingDi01",
        zender=Address(oin=POLITIE, applicatie=APPLICATIE[POLITIE]),
        ontvanger=Address(oin=VT, applicatie=APPLICATIE[VT]),
        referentienummer=reference,
        zaak="PL0000-2026000001",
        at=datetime.now(UTC),
    )


@asynccontextmanager
async def crossing(
    folder: Path,
    places: Places,
    profile: str = "osb-rm-e",
    *,
    canonical: Canonical = Canonical.EXCLUSIVE,
    encrypts: Mapping[str, str] | None = None,
    excepts: Iterable[Weakness] = (),
    **cpa: Any,
) -> AsyncIterator[Crossing]:
    """Give a knooppunt that runs as long as the block.

    `canonical` is how it signs, `encrypts` how it encrypts otherwise than usual, `excepts` what
    its partners may use beside the rules.
    """
    agreed = {oin: agreement(places, oin, profile, **cpa) for oin in (POLITIE, VT)}
    kept = tuple(_written(one, canonical, encrypts or {}) for one in agreed.values())
    excepted = tuple(excepts)
    town = await towns.build(
        folder, parties=(HUB,), directories=lambda *_: _directory(kept, excepted)
    )
    town.clock.at = datetime.now(UTC)
    client, counted = _live(town, folder, places.leaves(HUB))
    tls = ReloadableContext(server_context(_pair(folder), clients=pki.live().trust()))
    app = ebms_app(town[HUB].gateway, clock=town.clock, answered=Counted(), most=lambda: MOST)
    try:
        async with serving(app, tls=tls) as url:
            parties = []
            for oin in (POLITIE, VT):
                one = Party(places.java, places.name(oin), places.ports[oin])
                told = terms(agreed[oin], oin, f"{url}/ebms", profile)
                await one.agree(**told, weak=bool(excepted))
                parties.append(one)
            yield Crossing(town, *parties, counted)
    finally:
        await client.close()
        await town.close()
        await _hang_up()


async def _hang_up() -> None:
    """End what TLS would keep half open for a while: the JDK does not answer its close_notify."""
    for transport in list(asyncio.get_running_loop()._transports.values()):
        transport.abort()
    for _ in range(3):
        await asyncio.sleep(0)


def _written(agreed: Agreement, canonical: Canonical, encrypts: Mapping[str, str]) -> Agreement:
    def changed(channel):
        return replace(
            channel,
            signing=channel.signing and replace(channel.signing, canonical=canonical),
            encryption=channel.encryption and replace(channel.encryption, **encrypts),
        )

    return replace(
        agreed,
        bindings=tuple(replace(b, channel=changed(b.channel)) for b in agreed.bindings),
        signals={oin: changed(channel) for oin, channel in agreed.signals.items()},
    )


def _directory(agreements: tuple[Agreement, ...], excepted: tuple[Weakness, ...]) -> Directory:
    exceptions = tuple(
        AlgorithmException(
            what=one, reason="voor de proef", until=datetime.now(UTC) + timedelta(days=1)
        )
        for one in excepted
    )
    return Directory(
        epoch=0,
        fingerprint="crossing",
        me=HUB,
        parties={
            oin: Member(
                oin=oin,
                name=str(role),
                role=role,
                local=oin == HUB,
                applicaties=(APPLICATIE[oin],),
                exceptions=() if oin == HUB else exceptions,
            )
            for oin, role in ROLES.items()
        },
        agreements={one.cpa_id: one for one in agreements},
        catalogue=towns.catalogue(),
        services={SERVICE: towns.VERSION},
        gate=towns.confirmed_gate(),
        trust=pki.live().trust(),
    )


def _pair(folder: Path) -> KeyPair:
    return KeyPair(certificate=folder / "tls.pem", key=folder / "tls.key")


class Refusals(towns.Count):
    """Counts nothing but the codes of refusals."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    def refused(self, code: str) -> None:
        self.codes.append(code)


def _live(town: Town, folder: Path, own: dict[str, Leaf]) -> tuple[EbmsClient, list[str]]:
    """Give the knooppunt its keys of now, and a real client in the place of the simulated wire."""
    hub = town[HUB]
    own["tls"].write(folder, "tls")
    count = Refusals()
    client = EbmsClient(snapshots=hub.snapshots, clock=town.clock, identities=(_pair(folder),))
    hub.gateway = Gateway(
        replace(
            hub.gateway._house,
            keyring=Keys(own["sign"], own["encrypt"]),
            network=client,
            count=count,
        )
    )
    hub.worker = Worker(
        name="worker",
        gateway=hub.gateway,
        queue=hub.store.queue,
        bell=hub.store.bell,
        clock=town.clock,
    )
    return client, count.codes
