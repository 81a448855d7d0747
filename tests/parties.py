"""Fictional parties, agreements and documents for the tests of the rules."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lxml import etree

from gateway.catalogue import Catalogue, MessageKind, Role
from gateway.catalogue import Direction as Permitted
from gateway.directory import (
    Agreement,
    Binding,
    Channel,
    ClassificationRule,
    ClassificationTable,
    Confirmation,
    Directory,
    Gate,
    Party,
    StandingApproval,
    SyncReply,
    Trust,
)
from gateway.message import Oin, PartyRef
from gateway.wire.stuf import JZ, STUF, Document, read_document
from gateway.wire.xml import parse

AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
POLITIE = Oin("00000001003214345000")
VT = Oin("00000001821002193000")
OM = Oin("00000004000000001000")
HUB = Oin("00000004000000002000")
STRANGER = Oin("00000004000000009000")

EXAMPLES = Path(__file__).parent / "examples"
VERSION = "1.0.9"
SERVICE = "jeugdzorg-1.0.9"
OLD_SERVICE = "jeugdzorg-1.0.8"
PARTIES = (
    Party(oin=POLITIE, name="Politie", role=Role.POLITIE, local=False, applicaties=("BVH",)),
    Party(oin=VT, name="VT", role=Role.VEILIG_THUIS, local=False, applicaties=("VTregistratie",)),
    Party(oin=OM, name="OM", role=Role.OM, local=False, applicaties=("GPS",)),
    Party(oin=HUB, name="Knooppunt", role=Role.KNOOPPUNT, local=False),
)


def kind(name: str, *permitted: tuple[Role, Role], version: str = "1.0.9") -> MessageKind:
    answer = name.endswith("Bericht")
    return MessageKind(
        name=name,
        version=version,
        namespace=STUF if answer else JZ,
        schema=f"{version}/{name}.xsd",
        directions=frozenset(Permitted(a, b) for a, b in permitted),
        answer=answer,
    )


MELDING = kind("vtMeldingDi01", (Role.POLITIE, Role.VEILIG_THUIS), (Role.POLITIE, Role.OM))
TERUGKOPPELING = kind("vtTerugkoppelingDi01", (Role.VEILIG_THUIS, Role.POLITIE))
BV01 = kind("Bv01Bericht")
FO01 = kind("Fo01Bericht")
KINDS = (MELDING, TERUGKOPPELING, BV01, FO01)

TABLE = ClassificationTable(
    version="2026-1",
    koppelvlak=frozenset({VERSION}),
    messages=frozenset({"vtMeldingDi01"}),
    exempt=frozenset({"Bv01Bericht", "Fo01Bericht"}),
    rules=(
        ClassificationRule(
            id="K-01",
            message="vtMeldingDi01",
            path="object/betreft/gerelateerde/aanhouding",
            reason="Er is iemand aangehouden.",
        ),
        ClassificationRule(
            id="K-02",
            message="vtMeldingDi01",
            path="object/betreft/gerelateerde/aangifte",
            condition="not:nee,geen aangifte",
            reason="Er is aangifte gedaan.",
        ),
    ),
)
APPROVAL = StandingApproval(
    id="DT-1",
    given_by="mr. Fictie, officier van justitie",
    ground="convenant",
    messages=frozenset({"vtMeldingDi01"}),
    receivers=frozenset({VT}),
    wpg_artikelen=frozenset({"8", "13"}),
    valid_from=AT - timedelta(days=1),
    valid_until=AT + timedelta(days=1),
)
CONFIRMATION = Confirmation(
    id="B-1",
    sha256="ab" * 32,
    police=POLITIE,
    signer=OM,
    table_version=TABLE.version,
    officer="mr. A. Anders, officier van justitie",
    taken_at=AT - timedelta(days=1),
    valid_until=AT + timedelta(days=3_650),
)


def confirmed(**changes: object) -> Gate:
    """Return a gate by the word of the OM."""
    return Gate(**({"table": TABLE, "confirmation": CONFIRMATION} | changes))


GATE = confirmed(approvals=(APPROVAL,))

CHANNEL = Channel(
    endpoint="https://partner.example/ebms",
    ack_requested=True,
    ack_signed=False,
    duplicate_elimination=True,
    sync_reply=SyncReply.NONE,
    retries=8,
    retry_interval=timedelta(minutes=30),
    persist_duration=timedelta(days=1),
    signing=None,
    encryption=None,
    client_certificate=None,
    server_certificate=None,
)


def agreement(
    a: Oin, b: Oin, actions: Iterable[str], *, service: str = SERVICE, days_old: int = 10
) -> Agreement:
    """An agreement by which both may send the actions."""
    return Agreement(
        cpa_id=f"{a}-{b}-{service}",
        status="agreed",
        start=AT - timedelta(days=days_old),
        end=AT + timedelta(days=10),
        parties=(PartyRef(a), PartyRef(b)),
        bindings=tuple(
            _binding(sender, receiver, service, action)
            for sender, receiver in ((a, b), (b, a))
            for action in actions
        ),
        signals={},
    )


def _binding(sender: Oin, receiver: Oin, service: str, action: str) -> Binding:
    return Binding(
        sender=PartyRef(sender),
        receiver=PartyRef(receiver),
        sender_role="SR",
        receiver_role="SP",
        service=service,
        service_type="string",
        action=action,
        channel=CHANNEL,
    )


def directory(
    me: Oin, *agreements: Agreement, local: Iterable[Oin] = (), suspended: Iterable[Oin] = ()
) -> Directory:
    parties = {p.oin: replace(p, local=p.oin in {me, *local}) for p in PARTIES}
    return Directory(
        epoch=1,
        fingerprint="",
        me=me,
        parties=parties,
        agreements={a.cpa_id: a for a in agreements},
        catalogue=Catalogue({(k.name, k.version): k for k in KINDS}),
        services={SERVICE: "1.0.9", OLD_SERVICE: "1.0.8"},
        gate=GATE,
        trust=Trust(anchors=()),
        suspended=frozenset(suspended),
    )


def example(name: str = "vtMeldingDi01") -> bytes:
    return (EXAMPLES / f"{name}.xml").read_bytes()


def document(name: str = "vtMeldingDi01", **texts: str) -> Document:
    """An example with other texts, by local name (`__` for a dot); empty texts go as well."""
    root = parse(example(name))
    for key, text in texts.items():
        for element in root.iter(f"{{*}}{key.replace('__', '.')}"):
            element.text = text
    return read_document(etree.tostring(root, encoding="UTF-8"))


def changed(old: str, new: str, name: str = "vtMeldingDi01") -> Document:
    """An example with one piece of its text replaced."""
    text = example(name).decode()
    assert old in text
    return read_document(text.replace(old, new, 1).encode())
