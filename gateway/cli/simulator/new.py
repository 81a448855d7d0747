"""A complete test set-up: own access point, simulated partner, CPA between them, scripts."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from gateway.catalogue import Catalogue, Role
from gateway.cli.demo.ports import free_ports
from gateway.cli.simulator import texts
from gateway.cli.simulator.confirming import OM, confirm_gate
from gateway.cli.simulator.documents import Maker, Order
from gateway.cli.simulator.safety import refuse_environment, refuse_production
from gateway.config import InstallationRole
from gateway.config_gate import ClassificationFile
from gateway.directory import Directory
from gateway.errors import Misconfigured
from gateway.installation import (
    Installation,
    load_catalogue,
    load_directory,
    share,
)
from gateway.installation_new import (
    README,
    NewBackend,
    NewInstallation,
    NewParty,
    write_installation,
)
from gateway.keys.test_pki import Leaf, LeafUsage, TestPki, pem, write_new
from gateway.message import Address
from gateway.outbound.tls import KeyPair
from gateway.toml import read_toml
from gateway.wire import toets
from gateway.wire.ebms2.cpa_make import CpaAction, CpaParty, CpaSpec, make_cpa
from gateway.wire.schema import SchemaSet

OWN, PARTNER, BACKEND, COPY = "mijn", "simulator", "backend", "voor-mijn-installatie"
EXAMPLES = "berichten"
RETRIES = 60
RETRY_INTERVAL = timedelta(seconds=5)
"""Short, so that an outage and its end can be watched; a CPA of the chain has hours."""
DAYS = 365
FIRST_PORT = 8443
_PORTS = 6
_AUTHORITY_BITS = 2048

POLITIE = NewParty(
    oin="00000099000000000001", name="Proefpolitie", role="politie", applicaties=("BVH",)
)
VEILIG_THUIS = NewParty(
    oin="00000099000000000002",
    name="Proef Veilig Thuis",
    role="veilig-thuis",
    applicaties=("VTregistratie",),
)
_OTHER = {Role.POLITIE: VEILIG_THUIS, Role.VEILIG_THUIS: POLITIE}
_SPARE = "00000099000000000003"
"""For a partner whose OIN the installation already has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One end of the CPA."""

    party: NewParty
    endpoint: str
    tls: bytes
    sign: bytes
    encrypt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Who talks to whom, and about what."""

    own: NewParty
    other: NewParty
    catalogue: Catalogue
    now: datetime
    interval: timedelta = RETRY_INTERVAL

    @property
    def sends(self) -> tuple[str, ...]:
        """Return what a system of the own party may hand in; a melding first."""
        found = {name for name, _ in _kinds(self.catalogue, self.own, self.other, answers=False)}
        found -= toets.KINDS
        return tuple(sorted(found, key=lambda name: (not name.startswith("vt"), name)))

    @property
    def services(self) -> dict[str, str]:
        """Return the versions of all that goes either way, by eb:Service."""
        there = _kinds(self.catalogue, self.own, self.other, answers=True)
        back = _kinds(self.catalogue, self.other, self.own, answers=True)
        return {_service(version): version for _, version in sorted((*there, *back))}

    def agreement(self, mine: _Side, theirs: _Side) -> tuple[str, bytes]:
        """Return CPAId and CPA."""
        cpa_id = f"proef_{mine.party.oin}_{theirs.party.oin}_1.0"
        spec = CpaSpec(
            cpa_id=cpa_id,
            parties=(
                _cpa_party(mine, theirs.party, self.catalogue),
                _cpa_party(theirs, mine.party, self.catalogue),
            ),
            start=self.now - timedelta(hours=1),
            end=self.now + timedelta(days=DAYS),
            retries=RETRIES,
            retry_interval=self.interval,
        )
        return cpa_id, make_cpa(spec)


# --- everything anew ------------------------------------------------------------------


def make_trial(
    folder: Path,
    role: Role,
    *,
    port: int | None = FIRST_PORT,
    interval: timedelta = RETRY_INTERVAL,
) -> None:
    """Write `mijn/`, `simulator/`, `backend/` and LEESMIJ.md.

    `port` is the first of six; None = any free ones. `interval` is the RetryInterval of the CPA.
    Raises Misconfigured `init.exists` rather than overwrite, `simulator.ports` when they are taken.
    """
    pair = _Pair(
        own=POLITIE if role is Role.POLITIE else VEILIG_THUIS,
        other=_OTHER[role],
        catalogue=load_catalogue(share("config") / "catalogue.toml"),
        now=datetime.now(UTC).replace(microsecond=0),
        interval=interval,
    )
    ports = _ports(port)
    url, token = f"https://localhost:{ports[1]}", secrets.token_urlsafe(32)
    _write_own(folder / OWN, pair, ports[:3], token)
    packs = {"packs": f"../{OWN}/data/packs"}
    _write_partner(folder / PARTNER, pair, ports[3:], packs)
    _write_backend(folder / BACKEND, pair, url, token)
    pki = TestPki(pair.now, authority_bits=_AUTHORITY_BITS)
    _write_keys(folder, pair, pki, (ports[0], ports[3]))
    if pair.own.role == Role.POLITIE:
        write_new(folder / OWN / "bevestiging.xml", confirm_gate(folder / OWN, pki, pair.now))
    write_new(folder / BACKEND / "trust.pem", pem(pki.root) + pem(pki.issuing))
    _write_examples(folder / BACKEND / EXAMPLES, pair)
    write_new(folder / "LEESMIJ.md", texts.readme(pair.own, pair.other, url, pair.sends[0]))


def _write_keys(folder: Path, pair: _Pair, pki: TestPki, ports: tuple[int, int]) -> None:
    """Write certificates, keys, trust and the CPA of both."""
    sides = []
    for place, party, port in zip((OWN, PARTNER), (pair.own, pair.other), ports, strict=True):
        leaves = _leaves(pki, party)
        for usage, leaf in leaves.items():
            leaf.write(folder / place / "keys", usage)
        pki.write(folder / place / "trust")
        sides.append(_side(party, leaves, f"https://localhost:{port}/ebms"))
    cpa_id, octets = pair.agreement(sides[0], sides[1])
    for place in (OWN, PARTNER):
        write_new(folder / place / "agreements" / f"{cpa_id}.xml", octets)


def _write_own(folder: Path, pair: _Pair, ports: list[int], token: str) -> None:
    own, gated = pair.own, pair.own.role == Role.POLITIE
    backend = NewBackend(
        name="proefsysteem",
        applicaties=own.applicaties,
        token_sha256=sha256(token.encode()).hexdigest(),
    )
    new = NewInstallation(
        name=f"proef-{own.role}",
        role=InstallationRole.AANSLUITPUNT,
        party=own,
        others=(pair.other, OM) if gated else (pair.other,),
        services=pair.services,
        backends=(backend,),
        ebms_port=ports[0],
        api_port=ports[1],
        beheer_port=ports[2],
        approvals=gated,
        paths={"classification": "classification.toml"} if gated else {},
    )
    _write_installation(folder, new)
    if gated:
        built_in = share("config") / "classification.toml"
        table = texts.for_trial(read_toml(built_in, ClassificationFile))
        begin = pair.now - timedelta(hours=1)
        approval = texts.approval(table, pair.sends, pair.other.oin, begin=begin)
        write_new(folder / "approvals.toml", approval)
        write_new(folder / "classification.toml", texts.classification(table))


def _write_installation(folder: Path, new: NewInstallation) -> None:
    """Everything is there already, so the usual LEESMIJ.md would only mislead."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    readme = folder / README
    if not readme.exists():
        readme.write_text("Zie ../LEESMIJ.md.\n", encoding="utf-8")
    write_installation(folder, new)


def _write_partner(
    folder: Path, pair: _Pair, ports: list[int], paths: dict[str, str] | None = None
) -> None:
    new = NewInstallation(
        name=f"simulator-{pair.other.role}",
        role=InstallationRole.AANSLUITPUNT,
        party=pair.other,
        others=(pair.own,),
        services=pair.services,
        ebms_port=ports[0],
        api_port=ports[1],
        beheer_port=ports[2],
        paths=paths or {},
    )
    _write_installation(folder, new)
    write_new(folder / "script.toml", texts.partner_script(pair.other))


def _write_backend(folder: Path, pair: _Pair, url: str, token: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(folder / "token", token.encode(), mode=0o600)
    script = texts.backend_script(pair.own, pair.other, url, pair.sends[0])
    write_new(folder / "script.toml", script)


def _write_examples(folder: Path, pair: _Pair) -> None:
    """One document of each message that the own party may send, ready to hand in."""
    folder.mkdir(mode=0o700)
    schemas = share("schemas")
    maker = Maker(pair.catalogue, SchemaSet.load(schemas, pair.catalogue), schemas)
    zender, ontvanger = (
        Address(organisatie=party.oin, applicatie=party.applicaties[0])
        for party in (pair.own, pair.other)
    )
    for name in pair.sends:
        kind = maker.kind(name)
        if kind is not None:
            order = Order(
                name=name,
                version=kind.version,
                zender=zender,
                ontvanger=ontvanger,
                at=pair.now,
            )
            write_new(folder / f"{name}.xml", maker.make(order).octets)


# --- beside what is there -------------------------------------------------------------


def make_partner(folder: Path, own: Installation, *, address: str | None) -> Path:
    """Write a partner for an existing installation, and a folder with what that must take over.

    `address` is where its ebMS endpoint is reached; None = localhost. The installation itself
    is not touched. Raises Misconfigured `simulator.production`, `simulator.role`,
    `simulator.certificates` (no keys/tls.pem, sign.pem or encrypt.pem), `init.exists`.
    """
    refuse_environment(own)
    directory = load_directory(own, epoch=0)
    refuse_production(own, directory)
    me = directory.parties[directory.me]
    if me.role not in _OTHER:
        raise Misconfigured(
            "simulator.role",
            "Er is alleen een partner voor politie en Veilig Thuis.",
            where=me.role,
        )
    pair = _Pair(
        own=NewParty(oin=me.oin, name=me.name, role=me.role, applicaties=me.applicaties),
        other=_unused(_OTHER[me.role], directory),
        catalogue=directory.catalogue,
        now=datetime.now(UTC).replace(microsecond=0),
    )
    ports, pki = list(free_ports(3)), TestPki(pair.now, authority_bits=_AUTHORITY_BITS)
    leaves = _leaves(pki, pair.other)
    ebms = own.settings.listen.ebms
    cpa_id, octets = pair.agreement(
        _existing(own, pair.own, address or f"https://localhost:{ebms.port}{ebms.path}"),
        _side(pair.other, leaves, f"https://localhost:{ports[0]}/ebms"),
    )
    _write_partner(folder / PARTNER, pair, ports, _own_paths(own))
    for usage, leaf in leaves.items():
        leaf.write(folder / PARTNER / "keys", usage)
    for place in (PARTNER, COPY):
        _write_trust(folder / place / "trust", pki)
        (folder / place / "agreements").mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(folder / place / "agreements" / f"{cpa_id}.xml", octets)
    _copy_trust(directory, folder / PARTNER / "trust")
    write_new(folder / COPY / "gateway.toml.erbij", texts.to_add(pair.other, pair.services))
    write_new(folder / "LEESMIJ.md", texts.readme_beside(pair.other, own.folder))
    return folder / COPY


def _unused(party: NewParty, directory: Directory) -> NewParty:
    if directory.party(party.oin) is None:
        return party
    return NewParty(oin=_SPARE, name=party.name, role=party.role, applicaties=party.applicaties)


def _existing(own: Installation, party: NewParty, endpoint: str) -> _Side:
    keys = own.path(own.settings.paths.keys)

    def der(path: Path) -> bytes:
        try:
            return KeyPair(certificate=path, key=Path()).der()
        except Misconfigured as error:
            raise Misconfigured(
                "simulator.certificates",
                "Dit certificaat komt in de CPA en is er niet; zet het daar.",
                where=str(path),
            ) from error

    return _Side(
        party=party,
        endpoint=endpoint,
        tls=der(own.path(own.settings.listen.ebms.certificate)),
        sign=der(keys / "sign.pem"),
        encrypt=der(keys / "encrypt.pem"),
    )


def _own_paths(own: Installation) -> dict[str, str]:
    """The partner judges by the same messages and schemas, also by packs that come later."""
    paths = own.settings.paths
    given = {"schemas": paths.schemas, "catalogue": paths.catalogue, "packs": paths.packs}
    return {name: str(own.path(path)) for name, path in given.items() if path is not None}


def _write_trust(folder: Path, pki: TestPki) -> None:
    root_crl, issuing_crl = pki.crls()
    for name, octets in (
        ("anchors/simulator-root.pem", pem(pki.root)),
        ("intermediates/simulator-issuing.pem", pem(pki.issuing)),
        ("crls/simulator-root.crl", root_crl),
        ("crls/simulator-issuing.crl", issuing_crl),
    ):
        (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(folder / name, octets)


def _copy_trust(directory: Directory, folder: Path) -> None:
    """The partner trusts what the installation trusts: by that its certificates are judged."""
    trust = directory.trust
    for name, suffix, found in (
        ("anchors", "der", trust.anchors),
        ("intermediates", "der", trust.intermediates),
        ("crls", "crl", trust.crls),
    ):
        for number, octets in enumerate(found):
            write_new(folder / name / f"installatie-{number}.{suffix}", octets)


# --- the agreement --------------------------------------------------------------------


def _cpa_party(side: _Side, other: NewParty, catalogue: Catalogue) -> CpaParty:
    return CpaParty(
        oin=side.party.oin,
        name=side.party.name,
        role=side.party.role.upper(),
        endpoint=side.endpoint,
        sends=tuple(
            CpaAction(service=_service(version), action=name)
            for name, version in _kinds(catalogue, side.party, other, answers=True)
        ),
        client=side.tls,
        server=side.tls,
        sign=side.sign,
        encrypt=side.encrypt,
    )


def _kinds(
    catalogue: Catalogue, sender: NewParty, receiver: NewParty, *, answers: bool
) -> Iterator[tuple[str, str]]:
    for key, kind in sorted(catalogue.kinds.items()):
        if (answers or not kind.answer) and kind.permits(Role(sender.role), Role(receiver.role)):
            yield key


def _service(version: str) -> str:
    return toets.SERVICE if version == toets.VERSION else f"jz:corv:{version}"


def _side(party: NewParty, leaves: dict[LeafUsage, Leaf], endpoint: str) -> _Side:
    return _Side(
        party=party,
        endpoint=endpoint,
        tls=leaves[LeafUsage.TLS].certificate,
        sign=leaves[LeafUsage.SIGN].certificate,
        encrypt=leaves[LeafUsage.ENCRYPT].certificate,
    )


def _leaves(pki: TestPki, party: NewParty) -> dict[LeafUsage, Leaf]:
    return {u: pki.issue(oin=party.oin, name=party.name, usage=u) for u in LeafUsage}


def _ports(first: int | None) -> list[int]:
    if first is None:
        return list(free_ports(_PORTS))
    wanted = list(range(first, first + _PORTS))
    with ExitStack() as stack:
        for port in wanted:
            probe = stack.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise Misconfigured(
                    "simulator.ports",
                    f"De poorten {wanted[0]} tot en met {wanted[-1]} zijn niet alle vrij; kies "
                    "andere met --poort, of --poort 0 voor willekeurige.",
                    where=str(port),
                ) from error
    return wanted
