"""What the neighbours of the hub say: sealed messages and signed Acknowledgments.

Deliberately less than a gateway does: what comes in is not decrypted and not verified, so
that the neighbours leave the processor to the hub.
"""

from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from uuid import uuid4

from lxml import etree

from bench.place import ACTION, HUB, POLITIE, REQUEST, RVDK, VT, Place
from gateway.cli.demo.documents import Address, document
from gateway.cli.demo.letter import sealed
from gateway.directory import MSH_SERVICE, Agreement
from gateway.installation_new import NewParty
from gateway.keys.keystore import FileKeyring
from gateway.message import Acknowledgment, Header, Oin, PartyRef, Reference, WireMessage
from gateway.security import seal
from gateway.wire.ebms2 import signals
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.names import ds, eb

DOMAIN = "bench.example"
_CONTENT = b"<ZKN:inhoud "
_COMPACT = etree.XMLParser(remove_blank_text=True, remove_comments=True)


def melding(referentienummer: str) -> bytes:
    """Return a vtMeldingDi01 of 4 KB, from politie to Veilig Thuis."""
    return _compact(ACTION, POLITIE, VT, referentienummer)


def request(referentienummer: str, document_base64: bytes) -> bytes:
    """Return a vtoDi01 with this document in it, from Veilig Thuis to the Raad."""
    small = _compact(REQUEST, VT, RVDK, referentienummer)
    begin, end = small.index(_CONTENT), small.index(b"</ZKN:inhoud>")
    begin = small.index(b">", begin) + 1
    return small[:begin] + document_base64 + small[end:]


def _compact(name: str, zender: NewParty, ontvanger: NewParty, referentienummer: str) -> bytes:
    """Return the example of that name between these two, without white space."""
    octets = document(
        name,
        zender=Address(oin=zender.oin, applicatie=zender.applicaties[0]),
        ontvanger=Address(oin=ontvanger.oin, applicatie=ontvanger.applicaties[0]),
        referentienummer=referentienummer,
        zaak="PL0000-2026000001",
        at=datetime.now(UTC),
    )
    compact = etree.fromstring(octets, _COMPACT)
    return etree.tostring(compact, xml_declaration=True, encoding="UTF-8")


@dataclass(frozen=True)
class Letters:
    """One party at its desk."""

    oin: Oin
    agreement: Agreement
    keyring: FileKeyring

    @classmethod
    def of(cls, place: Place, oin: str) -> "Letters":
        party = Oin(oin)
        agreement = read_cpa(place.agreement(party).read_bytes())
        return cls(oin=party, agreement=agreement, keyring=FileKeyring(place.keys(party)))

    @property
    def hub(self) -> str:
        """URL of the knooppunt."""
        return self.agreement.signals[self.oin].endpoint

    @property
    def here(self) -> str:
        """URL of this party."""
        return self.agreement.signals[Oin(HUB.oin)].endpoint

    def sealed(self, octets: bytes, action: str = ACTION) -> WireMessage:
        """Sign and encrypt a document for the knooppunt."""
        return sealed(
            octets,
            self.agreement.find(self.oin, action)[0],
            cpa_id=self.agreement.cpa_id,
            keyring=self.keyring,
            domain=DOMAIN,
        )

    def acknowledgment(self, request: bytes) -> WireMessage:
        """Return the signed Acknowledgment of a message, given its HTTP body."""
        tree = etree.fromstring(_envelope(request))
        message_id, at = _text(tree, "MessageId"), datetime.now(UTC)
        me, hub = self._parties
        header = Header(
            sender=me,
            receiver=hub,
            cpa_id=self.agreement.cpa_id,
            conversation_id=_text(tree, "ConversationId"),
            service=MSH_SERVICE,
            action="Acknowledgment",
            message_id=self._new_id(),
            timestamp=at,
            ref_to_message_id=message_id,
        )
        body = Acknowledgment(
            timestamp=at, ref_to_message_id=message_id, sender=me, references=_references(tree)
        )
        octets = seal.sign_signal(
            signals.acknowledgment(header, body),
            signing=self.agreement.signals[self.oin].signing,
            signer=self._signer,
        )
        return seal.wire_signal(octets)

    @cached_property
    def _signer(self):
        signing = self.agreement.signals[self.oin].signing
        assert signing is not None
        return self.keyring.signer(signing.certificate)

    @cached_property
    def _parties(self) -> tuple[PartyRef, PartyRef]:
        binding = self.agreement.find(self.oin, ACTION)[0]
        return binding.sender, binding.receiver

    def _new_id(self) -> str:
        return f"{uuid4()}@{self.oin}.{DOMAIN}"


def _envelope(body: bytes) -> bytes:
    """Return the first part of a MIME body."""
    boundary = body[: body.index(b"\r\n")]
    part = body[len(boundary) + 2 : body.index(b"\r\n" + boundary, len(boundary))]
    return part[part.index(b"\r\n\r\n") + 4 :]


def _text(tree: etree._Element, name: str) -> str:
    return next(tree.iter(eb(name))).text or ""


def _references(tree: etree._Element) -> tuple[Reference, ...]:
    """Return what the signature of the request covers, as it claims."""
    return tuple(
        Reference(
            uri=element.get("URI", ""),
            digest_method=element.find(ds("DigestMethod")).get("Algorithm"),
            digest=b64decode(element.findtext(ds("DigestValue"))),
        )
        for element in tree.iter(ds("Reference"))
    )
