"""Rows of messages and references, and the values that the ports speak of."""

import json
from typing import Any

import sqlalchemy as sa

from gateway.message import Aanlevering, Address, Oin, Reference
from gateway.ports import Direction, Known, NewMessage
from gateway.store.tables import messages

NOBODY = Address(organisatie="")

KNOWN = tuple(
    messages.c[name].label(f"m_{name}")
    for name in (
        "id",
        "at",
        "direction",
        "party",
        "cpa_id",
        "message_id",
        "conversation_id",
        "kind",
        "version",
        "zender",
        "acuut",
        "onderzoek",
        "wpg_artikel",
        "deel_van",
        "vervangt",
        "zender_applicatie",
        "ontvanger",
        "ontvanger_applicatie",
        "referentienummer",
        "cross_refnummer",
        "content_sha256",
        "signed_references",
        "accepted",
        "payload_id",
        "acknowledgment_id",
        "answer",
        "zaak",
    )
)
"""Columns that `known` needs, labelled so that they can be selected beside a delivery."""


def write_references(references: tuple[Reference, ...]) -> str:
    """Return the one text for these references, whatever their order."""
    told = sorted([r.uri, r.digest_method, r.digest.hex()] for r in references)
    return json.dumps(told, separators=(",", ":"))


def read_references(text: str) -> tuple[Reference, ...]:
    """Return the references, sorted."""
    return tuple(
        Reference(uri, method, bytes.fromhex(digest)) for uri, method, digest in json.loads(text)
    )


def business_key(message: NewMessage) -> str | None:
    """Return zender, applicatie and referentienummer as one text, or None where unknown.

    Refused messages have none: their referentienummer is not taken (domain 9.4).
    """
    said = message.stuurgegevens
    if said is None or said.zender is None or not message.accepted:
        return None
    return key_of(said.zender.organisatie, said.zender.applicatie, said.referentienummer)


def key_of(zender: str, applicatie: str, referentienummer: str) -> str | None:
    """Return the text of the key; None when a party or number is missing."""
    if not zender or not referentienummer:
        return None
    return canonical_list(zender, applicatie, referentienummer)


def canonical_list(*texts: str) -> str:
    """Return a text from which each of `texts` can be told, whatever they hold."""
    return json.dumps(texts, separators=(",", ":"), ensure_ascii=False)


_SAID = frozenset(
    {
        *("kind", "berichtcode", "zender", "zender_applicatie", "ontvanger"),
        *("ontvanger_applicatie", "referentienummer", "cross_refnummer"),
        *("tijdstip_bericht", "functie"),
    }
)
"""Columns with what a document says."""
_KEPT = {
    column.name: column.type.length
    for column in messages.columns
    if column.name in _SAID and isinstance(column.type, sa.String)
}


def _cut(row: dict[str, Any]) -> dict[str, Any]:
    """A refused document may say anything; PostgreSQL takes no more than a column holds."""
    return row | {name: row[name][:length] for name, length in _KEPT.items()}


def message_row(message: NewMessage, *, acknowledgment_id: str | None) -> dict[str, Any]:
    """Return the row of a new message."""
    said = message.stuurgegevens
    zender = (said.zender if said else None) or NOBODY
    ontvanger = (said.ontvanger if said else None) or NOBODY
    row = {
        "id": message.id,
        "at": message.at,
        "direction": str(message.direction),
        "party": message.party,
        "cpa_id": message.cpa_id,
        "message_id": message.message_id,
        "conversation_id": message.conversation_id,
        "kind": message.kind,
        "version": message.version,
        "berichtcode": said.berichtcode if said else "",
        "zender": zender.organisatie,
        "zender_applicatie": zender.applicatie,
        "ontvanger": ontvanger.organisatie,
        "ontvanger_applicatie": ontvanger.applicatie,
        "referentienummer": said.referentienummer if said else "",
        "cross_refnummer": said.cross_refnummer if said else "",
        "tijdstip_bericht": said.tijdstip_bericht if said else "",
        "functie": said.functie if said else "",
        "content_sha256": message.content_sha256,
        "signed_references": write_references(message.references),
        "acuut": message.aanlevering.acuut,
        "onderzoek": message.aanlevering.onderzoek,
        "wpg_artikel": message.aanlevering.wpg_artikel,
        "deel_van": message.aanlevering.deel_van,
        "vervangt": message.aanlevering.vervangt,
        "accepted": message.accepted,
        "payload_id": message.payload.id if message.payload else None,
        "acknowledgment_id": acknowledgment_id,
        "backend": message.backend,
        "business_key": business_key(message),
        "answer": "",
        "answered_at": None,
        "zaak": (message.zaak or None) if message.payload else None,
    }
    return row if message.accepted else _cut(row)


def known(row: sa.Row[Any], *, acknowledgment: bytes | None = None) -> Known:
    """Return the value for a row that was selected with the columns `KNOWN`."""
    return Known(
        id=row.m_id,
        at=row.m_at,
        direction=Direction(row.m_direction),
        party=Oin(row.m_party),
        cpa_id=row.m_cpa_id,
        message_id=row.m_message_id,
        conversation_id=row.m_conversation_id,
        kind=row.m_kind,
        version=row.m_version,
        zender=Oin(row.m_zender),
        zender_applicatie=row.m_zender_applicatie,
        ontvanger=Oin(row.m_ontvanger),
        ontvanger_applicatie=row.m_ontvanger_applicatie,
        referentienummer=row.m_referentienummer,
        cross_refnummer=row.m_cross_refnummer,
        content_sha256=row.m_content_sha256,
        references=read_references(row.m_signed_references),
        accepted=row.m_accepted,
        payload_id=row.m_payload_id,
        acknowledgment=acknowledgment,
        answer=row.m_answer,
        zaak=row.m_zaak or "",
        aanlevering=Aanlevering(
            acuut=row.m_acuut,
            onderzoek=row.m_onderzoek,
            wpg_artikel=row.m_wpg_artikel,
            deel_van=row.m_deel_van,
            vervangt=row.m_vervangt,
        ),
    )
