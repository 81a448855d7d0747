"""A knooppunt with three parties, on disk: keys of 2048 bits, agreements, a gateway.toml.

Politie sends, Veilig Thuis receives, Halt is down: its endpoint is a port that nobody has. With
documents Veilig Thuis sends, to the Raad voor de Kinderbescherming.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.cli.demo.ports import free_ports
from gateway.config import InstallationRole
from gateway.installation_new import NewInstallation, NewParty, write_installation
from gateway.keys.test_pki import Leaf, LeafUsage, TestPki
from gateway.wire.ebms2.cpa_make import CpaAction, CpaParty, CpaSpec, make_cpa

SERVICE = "jz:corv:1.0.9"
VERSION = "1.0.9"
ACTION = "vtMeldingDi01"
REQUEST = "vtoDi01"
"""From Veilig Thuis to the Raad: a message with documents in it."""
PROFILE = "osb-rm-e"
RETRIES = 8
RETRY_INTERVAL = timedelta(minutes=10)
"""So long that nothing is sent twice while the clock runs."""
DEAD_RETRY_INTERVAL = timedelta(seconds=2)
"""Of what waits for a partner that is down: its breaker lets a probe through this often."""

HUB = NewParty(oin="00000004000000004000", name="Knooppunt", role="knooppunt")
POLITIE = NewParty(oin="00000001003214345000", name="Politie", role="politie", applicaties=("BVH",))
VT = NewParty(
    oin="00000001821002193000",
    name="Veilig Thuis",
    role="veilig-thuis",
    applicaties=("VTregistratie",),
)
HALT = NewParty(oin="00000004000000005000", name="Halt", role="halt", applicaties=("AURAH",))
RVDK = NewParty(
    oin="00000004000000007000",
    name="Raad voor de Kinderbescherming",
    role="rvdk",
    applicaties=("KBPS",),
)
PARTIES = (POLITIE, VT, HALT, RVDK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where everything stands."""

    folder: Path
    database_url: str = ""
    """Empty: SQLite."""
    beheer_port: int = 0

    @property
    def beheer(self) -> str:
        """URL of the management listener of the hub."""
        return f"http://127.0.0.1:{self.beheer_port}"

    @property
    def hub(self) -> Path:
        return self.folder / HUB.oin

    @property
    def anchors(self) -> Path:
        return self.hub / "trust" / "anchors" / "root.pem"

    @property
    def intermediates(self) -> Path:
        return self.hub / "trust" / "intermediates" / "issuing.pem"

    @property
    def database(self) -> Path:
        """The file, where the database is SQLite."""
        return self.hub / "data" / "gateway.db"

    def keys(self, oin: str) -> Path:
        return self.folder / oin / "keys"

    def agreement(self, oin: str) -> Path:
        return self.hub / "agreements" / f"{self.cpa_id(oin)}.xml"

    def cpa_id(self, oin: str) -> str:
        return f"bench_{oin}_{HUB.oin}"


def make_place(folder: Path, *, database_url: str = "") -> Place:
    """Make everything that a hub and its neighbours need; an empty URL means SQLite."""
    now = datetime.now(UTC)
    pki = TestPki(now, authority_bits=2048)
    members = (HUB, *PARTIES)
    beheer, *rest = free_ports(1 + len(members))
    ports = {member.oin: port for member, port in zip(members, rest, strict=True)}
    place = Place(folder=folder, database_url=database_url, beheer_port=beheer)
    file = write_installation(place.hub, _installation(ports[HUB.oin], beheer))
    if database_url:
        _use_database(file, database_url)
    pki.write(place.hub / "trust")
    leaves = {party.oin: _leaves(pki, party) for party in members}
    for oin, uses in leaves.items():
        for usage, leaf in uses.items():
            leaf.write(place.keys(oin), usage)
    sides = {party.oin: _side(party, leaves[party.oin], ports) for party in members}
    for party in PARTIES:
        cpa = _cpa(place.cpa_id(party.oin), sides[party.oin], sides[HUB.oin], now)
        place.agreement(party.oin).write_bytes(cpa)
    return place


def _installation(ebms_port: int, beheer_port: int) -> NewInstallation:
    return NewInstallation(
        name="bench",
        role=InstallationRole.KNOOPPUNT,
        party=HUB,
        others=PARTIES,
        services={SERVICE: VERSION},
        ebms_port=ebms_port,
        beheer_port=beheer_port,
    )


def _use_database(file: Path, url: str) -> None:
    text = file.read_text(encoding="utf-8")
    section = f'[database]\nurl = "{url}"\n'
    text = text.replace("[database]\n", section) if "[database]" in text else f"{text}\n{section}"
    file.write_text(text, encoding="utf-8")


def _leaves(pki: TestPki, party: NewParty) -> dict[str, Leaf]:
    return {use: pki.issue(oin=party.oin, name=party.name, usage=use) for use in LeafUsage}


def _side(party: NewParty, leaves: dict[str, Leaf], ports: dict[str, int]) -> CpaParty:
    tls = leaves[LeafUsage.TLS].certificate
    return CpaParty(
        oin=party.oin,
        name=party.name,
        role=party.role.upper(),
        endpoint=f"https://localhost:{ports[party.oin]}/ebms",
        sends=tuple(CpaAction(service=SERVICE, action=action) for action in (ACTION, REQUEST)),
        sign=leaves[LeafUsage.SIGN].certificate,
        encrypt=leaves[LeafUsage.ENCRYPT].certificate,
        client=tls,
        server=tls,
    )


def _cpa(cpa_id: str, side: CpaParty, hub: CpaParty, now: datetime) -> bytes:
    return make_cpa(
        CpaSpec(
            cpa_id=cpa_id,
            parties=(side, hub),
            start=now - timedelta(hours=1),
            end=now + timedelta(days=90),
            profile=PROFILE,
            retries=RETRIES,
            retry_interval=RETRY_INTERVAL,
        )
    )
