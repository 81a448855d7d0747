"""Makes the four installations of the demo, and the partner without one."""

import secrets
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from gateway.cli.demo.documents import VERSION, Address
from gateway.cli.demo.line import Line
from gateway.cli.demo.partner import Partner
from gateway.cli.demo.ports import free_ports
from gateway.cli.demo.processes import Served
from gateway.cli.demo.rest import BackEnd
from gateway.config import InstallationRole, OfficerSettings
from gateway.credentials import PLAIN_SCOPES, Scope
from gateway.installation import gate_files, load_installation
from gateway.installation_new import (
    NewBackend,
    NewInstallation,
    NewParty,
    write_installation,
)
from gateway.keys.keystore import FileKeyring
from gateway.keys.test_pki import Leaf, TestPki
from gateway.message import Oin
from gateway.outbound.tls import KeyPair, client_context, server_context
from gateway.security.certificates import TrustStore
from gateway.toetsing.bundle import make_bundle
from gateway.toetsing.confirming import confirmed_by
from gateway.toetsing.kept import remember
from gateway.wire import toets
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import CpaAction, CpaParty, CpaSpec, make_cpa
from gateway.wire.toets import BESLUIT, INTREKKING, VERZOEK, VOORWAARDEN

SERVICE = "jz:corv:1.0.9"
RETRIES = 16
RETRY_INTERVAL = timedelta(seconds=3)

HUB = NewParty(oin="00000004000000004000", name="Knooppunt", role="knooppunt")
POLITIE = NewParty(oin="00000001003214345000", name="Politie", role="politie", applicaties=("BVH",))
VEILIG_THUIS = NewParty(
    oin="00000001821002193000",
    name="Veilig Thuis",
    role="veilig-thuis",
    applicaties=("VTregistratie",),
)
OM = NewParty(
    oin="00000004000000003000", name="Openbaar Ministerie", role="om", applicaties=("GPS",)
)
HALT = NewParty(oin="00000004000000005000", name="Halt", role="halt", applicaties=("AURAH",))

PLACES = {"knooppunt": HUB, "politie": POLITIE, "veilig-thuis": VEILIG_THUIS, "om": OM}
ANSWERS = ("Bv01Bericht", "Fo01Bericht")
SENDS: Mapping[str, tuple[str, ...]] = {
    POLITIE.oin: ("vtMeldingDi01", VERZOEK, INTREKKING, VOORWAARDEN, *ANSWERS),
    HALT.oin: ("vtMeldingDi01", *ANSWERS),
    VEILIG_THUIS.oin: ("vtTerugkoppelingDi01", *ANSWERS),
    OM.oin: (BESLUIT, INTREKKING, *ANSWERS),
    HUB.oin: ("vtMeldingDi01", "vtTerugkoppelingDi01", *sorted(toets.KINDS), *ANSWERS),
}
OFFICERS = tuple(
    OfficerSettings(
        id=id_,
        naam=naam,
        functie="officier van justitie (demo)",
        mandaat="Mandaatbesluit demo",
        parket="Demo",
        van=date(2026, 1, 1),
    )
    for id_, naam in (("voorbeeld", "mr. V. Voorbeeld"), ("tweede", "mr. T. Tweede"))
)

APPROVAL = """\
[[toestemmingen]]
id = "DEMO-DT-01"
overeenkomst = "Samenwerkingsafspraken (demo)"
gegeven_door = "mr. V. Voorbeeld, officier van justitie (demo)"
grond = "Doorlopende toestemming voor de demo, artikel 8 en 13 Wpg zonder lopend onderzoek"
berichten = ["vtMeldingDi01"]
ontvangers = ["{receiver}"]
wpg_artikelen = ["8", "13"]
geldig_van = {begin}
geldig_tot = {end}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One installation of the demo."""

    place: str
    party: NewParty
    folder: Path
    ports: tuple[int, int, int, int]
    """ebms, api, beheer, console."""
    token: str
    database_url: str | None = None

    @property
    def config(self) -> Path:
        return self.folder / "gateway.toml"

    @property
    def database(self) -> str | Path:
        """Return what to look into beside the running process."""
        return self.database_url or self.folder / "data" / "gateway.db"

    def served(self) -> Served:
        """Return the process to be."""
        return Served(
            name=self.place,
            config=self.config,
            log=self.folder / "gateway.log",
            beheer=f"http://127.0.0.1:{self.ports[2]}",
        )

    def back_end(self, anchors: Path) -> BackEnd:
        """Return the party's own system."""
        return BackEnd(
            place=self.place,
            url=f"https://localhost:{self.ports[1]}",
            token=self.token,
            trust=ssl.create_default_context(cafile=anchors),
        )

    @property
    def address(self) -> Address:
        return Address(oin=self.party.oin, applicatie=self.party.applicaties[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """All of them, with the anchors and the partner."""

    by_place: Mapping[str, Site]
    anchors: Path
    halt: Partner
    halt_address: Address
    pki: TestPki
    """Made every certificate here, and can make more."""
    lines: Mapping[str, Line]
    """By the place that they lead to."""


def make_sites(
    root: Path,
    *,
    database: Callable[[str], str] | None = None,
    retry_interval: timedelta = RETRY_INTERVAL,
    lines: Collection[str] = (),
) -> Sites:
    """Make keys, certificates, agreements and configurations under `root`.

    `database` gives each place the URL of its PostgreSQL database; None = SQLite. Places in
    `lines` are reached over a line, which is not laid here.
    """
    now = datetime.now(UTC)
    pki = TestPki(now, authority_bits=2048)
    leaves = {
        party.oin: {u: pki.issue(oin=party.oin, name=party.name, usage=u) for u in _USAGES}
        for party in (*PLACES.values(), HALT)
    }
    ports = list(free_ports(4 * len(PLACES) + 1 + len(lines)))
    sites = {
        place: Site(
            place=place,
            party=party,
            folder=root / place,
            ports=(ports[4 * n], ports[4 * n + 1], ports[4 * n + 2], ports[4 * n + 3]),
            token=secrets.token_urlsafe(24),
            database_url=database(place) if database else None,
        )
        for n, (place, party) in enumerate(PLACES.items())
    }
    made = {
        place: Line(enters=port, leaves=sites[place].ports[0])
        for place, port in zip(lines, ports[4 * len(PLACES) + 1 :], strict=True)
    }
    entries = {p: made[p].enters if p in made else s.ports[0] for p, s in sites.items()}
    endpoints = {PLACES[p].oin: f"https://localhost:{port}/ebms" for p, port in entries.items()}
    halt_port = ports[4 * len(PLACES)]
    endpoints[HALT.oin] = f"https://localhost:{halt_port}/ebms"
    agreements = {
        party.oin: _agreement(party, leaves, endpoints, now, retry_interval)
        for party in (POLITIE, VEILIG_THUIS, OM, HALT)
    }
    for site in sites.values():
        _write(site, pki, leaves[site.party.oin], agreements, now)
    _confirm(sites["politie"], sites["om"], now)
    anchors = root / "trust.pem"
    anchors.write_bytes(b"".join(_ca_pems(sites["knooppunt"].folder)))
    halt = _partner(root / "halt", pki, leaves[HALT.oin], agreements[HALT.oin], halt_port)
    return Sites(
        by_place=sites,
        anchors=anchors,
        halt=halt,
        halt_address=Address(oin=HALT.oin, applicatie=HALT.applicaties[0]),
        pki=pki,
        lines=made,
    )


_USAGES = ("tls", "sign", "encrypt")


def _agreement(
    party: NewParty,
    leaves: Mapping[str, Mapping[str, Leaf]],
    endpoints: Mapping[str, str],
    now: datetime,
    retry_interval: timedelta,
) -> tuple[str, bytes]:
    """Return the CPA of a party with the knooppunt: its id and its XML."""
    cpa_id = f"corv_{party.oin}_{HUB.oin}_1.0"
    sides = [_side(p, leaves[p.oin], endpoints[p.oin]) for p in (party, HUB)]
    spec = CpaSpec(
        cpa_id=cpa_id,
        parties=(sides[0], sides[1]),
        start=now - timedelta(hours=1),
        end=now + timedelta(days=90),
        retries=RETRIES,
        retry_interval=retry_interval,
    )
    return cpa_id, make_cpa(spec)


def _service(action: str) -> str:
    return toets.SERVICE if action in toets.KINDS else SERVICE


def _side(party: NewParty, leaves: Mapping[str, Leaf], endpoint: str) -> CpaParty:
    tls = leaves["tls"].certificate
    return CpaParty(
        oin=party.oin,
        name=party.name,
        role=party.role.upper(),
        endpoint=endpoint,
        sends=tuple(CpaAction(service=_service(a), action=a) for a in SENDS[party.oin]),
        sign=leaves["sign"].certificate,
        encrypt=leaves["encrypt"].certificate,
        client=tls,
        server=tls,
    )


def _write(
    site: Site,
    pki: TestPki,
    leaves: Mapping[str, Leaf],
    agreements: Mapping[str, tuple[str, bytes]],
    now: datetime,
) -> None:
    hub = site.party is HUB
    write_installation(
        site.folder,
        NewInstallation(
            name=site.place,
            role=InstallationRole.KNOOPPUNT if hub else InstallationRole.AANSLUITPUNT,
            party=site.party,
            others=tuple(p for p in (*PLACES.values(), HALT) if p is not site.party),
            services={SERVICE: VERSION, toets.SERVICE: toets.VERSION},
            backends=() if hub else (_backend(site),),
            ebms_port=site.ports[0],
            api_port=site.ports[1],
            beheer_port=site.ports[2],
            console_port=site.ports[3],
            approvals=site.party is POLITIE,
            officers=OFFICERS if site.party is OM else (),
            database_url=site.database_url,
        ),
    )
    _write_keys(site.folder, pki, leaves)
    for oin, (cpa_id, octets) in agreements.items():
        if hub or oin == site.party.oin:
            (site.folder / "agreements" / f"{cpa_id}.xml").write_bytes(octets)
    if site.party is POLITIE:
        begin, end = now - timedelta(hours=1), now + timedelta(days=30)
        (site.folder / "approvals.toml").write_text(
            APPROVAL.format(
                receiver=VEILIG_THUIS.oin,
                begin=begin.isoformat(timespec="seconds"),
                end=end.isoformat(timespec="seconds"),
            ),
            encoding="utf-8",
        )


def _confirm(police: Site, om: Site, now: datetime) -> None:
    """An officer confirms what the gate of the police goes by, as `gateway toetsing` does."""
    files = gate_files(load_installation(police.config))
    bundle = make_bundle(
        police.party.oin, {name: path.read_bytes() for name, path in files.items()}
    )
    octets = confirmed_by(
        load_installation(om.config),
        bundle,
        officier=OFFICERS[0].id,
        last_day=(now + timedelta(days=30)).date(),
        at=datetime.now(UTC),
        id_=str(uuid4()),
    )
    remember(load_installation(om.config), bundle, octets)
    (police.folder / "bevestiging.xml").write_bytes(octets)


def _backend(site: Site) -> NewBackend:
    return NewBackend(
        name=f"systeem-{site.place}",
        applicaties=site.party.applicaties,
        token_sha256=sha256(site.token.encode()).hexdigest(),
        scopes=tuple(Scope) if site.party is OM else PLAIN_SCOPES,
        officers=tuple(o.id for o in OFFICERS) if site.party is OM else (),
    )


def _write_keys(folder: Path, pki: TestPki, leaves: Mapping[str, Leaf]) -> None:
    for usage, leaf in leaves.items():
        leaf.write(folder / "keys", usage)
    pki.write(folder / "trust")


def _ca_pems(folder: Path) -> Iterator[bytes]:
    for path in sorted((folder / "trust").glob("*/*.pem")):
        yield path.read_bytes()


def _partner(
    folder: Path,
    pki: TestPki,
    leaves: Mapping[str, Leaf],
    agreement: tuple[str, bytes],
    port: int,
) -> Partner:
    _write_keys(folder, pki, leaves)
    pair = KeyPair(certificate=folder / "keys" / "tls.pem", key=folder / "keys" / "tls.key")
    trust = pki.trust()
    return Partner(
        oin=Oin(HALT.oin),
        agreement=read_cpa(agreement[1]),
        keyring=FileKeyring(folder / "keys"),
        trust=TrustStore(trust),
        server_tls=server_context(pair, clients=trust),
        client_tls=client_context(pair, servers=trust, check=lambda _der: None),
        port=port,
    )
