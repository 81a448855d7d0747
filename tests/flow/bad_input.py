"""Meldingen of the police for the hub, really sealed, and tampered with on the way.

A recipe names the one step at which something is wrong; every other step is done right.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha1
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from lxml import etree

from gateway.cli.demo.documents import Address, document
from gateway.directory import Agreement, Binding, Encryption
from gateway.keys.test_pki import Leaf
from gateway.message import Header, Inbound, Oin, Part, Payload, Peer, WireMessage
from gateway.security.algorithms import C14N_EXCLUSIVE, RSA_SHA256
from gateway.security.c14n import canonicalize
from gateway.security.dsig_make import serialize, sign_envelope
from gateway.security.xenc import encrypt_part
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.header import user_message
from gateway.wire.mime import join
from tests.flow import town as towns
from tests.flow.town import APPLICATIE, HUB, NOW, POLITIE, VT, cpa, leaf
from tests.sealing import Keys, load_key, octets_from

NS = {
    "soap": "http://schemas.xmlsoap.org/soap/envelope/",
    "eb": "http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xlink": "http://www.w3.org/1999/xlink",
}
XENC = "http://www.w3.org/2001/04/xmlenc#"
EXAMPLES = Path(__file__).parent.parent / "examples"
NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
SHA1_URI = f"{NS['ds']}sha1"
RSA_SHA1 = f"{NS['ds']}rsa-sha1"
CID = "payload@politie.example"
MESSAGE_ID = "melding-1@politie.example"

VALUES = (
    *("Proefpersoon", "Proefouder", "999990019", "999990032", "999990018", "Verzonnenstad"),
    *("Voorbeeldlaan", "basisteam@politie.example", "0600000000", "geschreeuw", "root:x:0"),
)
"""What stands in the documents and must not stand in an audit row or an answer."""

Tree = etree._Element
Octets = Callable[[bytes], bytes]
Encrypt = Callable[[Payload, Encryption], Part]


def same(value: Any) -> Any:
    return value


def nothing(_tree: Tree) -> None:
    return None


# --- the parts of a right message -----------------------------------------------------


def melding(reference: str = "ref-1", *, name: str = "vtMeldingDi01", **changes: Oin) -> bytes:
    zender, ontvanger = changes.get("zender", POLITIE), changes.get("ontvanger", VT)
    return document(
        name,
        zender=Address(oin=zender, applicatie=APPLICATIE.get(zender, "Onbekend")),
        ontvanger=Address(oin=ontvanger, applicatie=APPLICATIE.get(ontvanger, "Onbekend")),
        referentienummer=reference,
        zaak="PL0000-2026000001",
        at=NOW,
    )


@cache
def agreement(other: Oin = POLITIE, profile: str = "osb-rm-e") -> Agreement:
    return read_cpa(cpa(other, profile))


def header(binding: Binding, agreed: str, /, **changes: Any) -> Header:
    channel = binding.channel
    base = Header(
        sender=binding.sender,
        receiver=binding.receiver,
        sender_role=binding.sender_role,
        receiver_role=binding.receiver_role,
        cpa_id=agreed,
        conversation_id=MESSAGE_ID,
        service=binding.service,
        service_type=binding.service_type,
        action=binding.action,
        message_id=MESSAGE_ID,
        timestamp=NOW,
        time_to_live=NOW + timedelta(hours=1),
        duplicate_elimination=channel.duplicate_elimination,
        ack_requested=channel.ack_requested,
        ack_signed=channel.ack_signed,
    )
    return replace(base, **changes)


def encrypt(payload: Payload, encryption: Encryption) -> Part:
    return encrypt_part(payload, encryption, media_type="application/xml", random=octets_from())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A melding, and what is done to it at each step of its making."""

    profile: str = "osb-rm-e"
    action: str = "vtMeldingDi01"
    """Action whose binding is used."""
    header: Mapping[str, Any] = field(default_factory=dict)
    document: Octets = same
    """Before anything else: the sender itself sends this."""
    second: bytes = b""
    """A second payload, signed and encrypted as well."""
    unsigned: Callable[[Tree], None] = nothing
    signer: Callable[[], Leaf] | None = None
    """Whose key signs; that of the agreement by default."""
    signed: Callable[[Tree], None] = nothing
    payload: Octets = same
    """Between signing and encrypting."""
    encrypt: Encrypt = encrypt
    parts: Callable[[tuple[Part, ...]], tuple[Part, ...]] = same
    wire: Callable[[WireMessage], WireMessage] = same
    peer: Callable[[], bytes] = lambda: leaf(POLITIE, "tls").certificate
    at: timedelta = timedelta(0)
    """How much later than NOW it comes."""


def make(recipe: Recipe) -> Inbound:
    """Return the HTTP request that the recipe makes."""
    agreed = agreement(POLITIE, recipe.profile)
    (binding,) = agreed.find(POLITIE, recipe.action)
    payloads = {CID: recipe.document(melding())}
    if recipe.second:
        payloads["second@politie.example"] = recipe.second
    envelope = user_message(header(binding, agreed.cpa_id, **recipe.header), tuple(payloads))
    recipe.unsigned(envelope)
    tree = _sign(envelope, payloads, binding, recipe)
    recipe.signed(tree)
    parts = tuple(
        _part(Payload(content_id=cid, octets=recipe.payload(octets)), binding, recipe)
        for cid, octets in payloads.items()
    )
    message = join(serialize(tree), "envelope@politie.example", recipe.parts(parts), boundary="=_b")
    return inbound(recipe.wire(message), recipe.peer(), NOW + recipe.at)


def inbound(message: WireMessage, peer: bytes, at: datetime) -> Inbound:
    return Inbound(
        body=message.body,
        content_type=message.content_type,
        soap_action=message.soap_action,
        peer=Peer(certificate=peer, address="192.0.2.1"),
        at=at,
    )


def _sign(envelope: Tree, payloads: Mapping[str, bytes], binding: Binding, recipe: Recipe) -> Tree:
    signing = binding.channel.signing
    if signing is None:
        return envelope
    signer = recipe.signer() if recipe.signer else leaf(POLITIE, "sign")
    signed = sign_envelope(
        envelope,
        payloads,
        signing=replace(signing, certificate=signer.certificate),
        signer=Keys(signer).signer(signer.certificate),
    )
    return etree.fromstring(signed.envelope)


def _part(payload: Payload, binding: Binding, recipe: Recipe) -> Part:
    encryption = binding.channel.encryption
    if encryption is None:
        return Part(payload.content_id, "application/xml", payload.octets)
    return recipe.encrypt(payload, encryption)


# --- looking and changing -------------------------------------------------------------


def one(tree: Tree, path: str) -> Tree:
    found: list[Tree] = tree.xpath(path, namespaces=NS)
    (only,) = found
    return only


def above(element: Tree) -> Tree:
    parent = element.getparent()
    assert parent is not None
    return parent


def text(path: str, value: str) -> Callable[[Tree], None]:
    """Make the change that gives an element another text."""

    def change(tree: Tree) -> None:
        one(tree, path).text = value

    return change


def cut(path: str) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        element = one(tree, path)
        above(element).remove(element)

    return change


def add(path: str, xml: str) -> Callable[[Tree], None]:
    """Make the change that hangs a new last child below an element."""

    def change(tree: Tree) -> None:
        declared = " ".join(f'xmlns:{p}="{uri}"' for p, uri in NS.items())
        parent = one(tree, path)
        parent.append(etree.fromstring(f"<r {declared}>{xml}</r>")[0])

    return change


def swap(old: str, new: str) -> Octets:
    """Make the change of octets; what is changed must be there."""

    def change(octets: bytes) -> bytes:
        assert old.encode() in octets
        return octets.replace(old.encode(), new.encode())

    return change


def declared(dtd: str, value: str = "") -> Octets:
    """Put a DTD before the root of a document, and `value` in place of a family name."""

    def change(octets: bytes) -> bytes:
        head, mark, rest = octets.partition(b"?>\n")
        assert mark
        if value:
            rest = rest.replace(b"Proefpersoon", value.encode())
        return head + mark + dtd.encode() + rest

    return change


# --- wrong signatures -----------------------------------------------------------------


def resign(tree: Tree, *, algorithm: str = RSA_SHA256, key: Leaf | None = None) -> None:
    """Sign SignedInfo once more, as it stands there now."""
    info = one(tree, "//ds:SignedInfo")
    digest = hashes.SHA1() if algorithm == RSA_SHA1 else hashes.SHA256()
    private = load_key((key or leaf(POLITIE, "sign")).key)
    value = private.sign(canonicalize(info, C14N_EXCLUSIVE), padding.PKCS1v15(), digest)
    one(tree, "//ds:SignatureValue").text = b64encode(value).decode()


def sha1_digest(tree: Tree) -> None:
    reference = one(tree, "//ds:Reference[@URI!='']")
    one(reference, "ds:DigestMethod").set("Algorithm", SHA1_URI)
    value = sha1(melding()).digest()
    one(reference, "ds:DigestValue").text = b64encode(value).decode()
    resign(tree)


def sha1_signature(tree: Tree) -> None:
    one(tree, "//ds:SignatureMethod").set("Algorithm", RSA_SHA1)
    resign(tree, algorithm=RSA_SHA1)


def part_not_signed(tree: Tree) -> None:
    cut("//ds:Reference[@URI!='']")(tree)
    resign(tree)


def signed_by_id(tree: Tree) -> None:
    """The whole is not referenced, only an element with an Id; a copy without it is read."""
    original = one(tree, "//eb:MessageHeader")
    cut("//ds:Transforms")(tree)
    one(tree, "//ds:Reference[@URI='']").set("URI", "#signed")
    resign(tree)
    wrapper = etree.SubElement(above(original), "{urn:wrapper}wrapper")
    twin = etree.fromstring(etree.tostring(original))
    twin.set("{{{}}}id".format(NS["eb"]), "signed")
    wrapper.append(twin)
    one(original, "eb:ConversationId").text = "other"


def original_in_wrapper_for_next(tree: Tree) -> None:
    """The signed header hides where the ebMS filter leaves elements out."""
    original = one(tree, "//soap:Header/eb:MessageHeader")
    twin = etree.fromstring(etree.tostring(original))
    one(twin, "eb:ConversationId").text = "other"
    original.addprevious(twin)
    wrapper = etree.SubElement(one(tree, "//soap:Header"), "{urn:wrapper}wrapper")
    wrapper.set("{{{}}}actor".format(NS["soap"]), NEXT)
    wrapper.append(original)


def original_in_wrapper(tree: Tree) -> None:
    original_in_wrapper_for_next(tree)
    wrapper = one(tree, "//*[namespace-uri()='urn:wrapper']")
    del wrapper.attrib["{{{}}}actor".format(NS["soap"])]


def second_signature(tree: Tree) -> None:
    signature = one(tree, "//ds:Signature")
    signature.addnext(etree.fromstring(etree.tostring(signature)))


def signature_moved(path: str) -> Callable[[Tree], None]:
    def change(tree: Tree) -> None:
        one(tree, path).append(one(tree, "//ds:Signature"))

    return change


def signature_in_wrapper(tree: Tree) -> None:
    wrapper = etree.SubElement(one(tree, "//soap:Header"), "{urn:wrapper}wrapper")
    wrapper.append(one(tree, "//ds:Signature"))


def agreed_name_other_key(tree: Tree) -> None:
    """KeyInfo names the agreed certificate; the value was made with another key."""
    resign(tree, key=stranger())


def transform_added(tree: Tree) -> None:
    """An XPath that leaves out more than the ebMS filter does."""
    one(tree, "//ds:XPath").text = "not(ancestor-or-self::eb:ConversationId)"
    resign(tree)


# --- wrong ciphers --------------------------------------------------------------------


def _replace_cipher(
    octets: bytes, *, first: bytes | None = None, last: bytes | None = None
) -> bytes:
    root = etree.fromstring(octets)
    values = list(root.iter(f"{{{XENC}}}CipherValue"))
    if first is not None:
        values[0].text = b64encode(first).decode()
    if last is not None:
        values[-1].text = b64encode(last).decode()
    return etree.tostring(root)


def cipher_changed(payload: Payload, encryption: Encryption) -> Part:
    part = encrypt(payload, encryption)
    value = list(etree.fromstring(part.octets).iter(f"{{{XENC}}}CipherValue"))[-1]
    octets = bytearray(b64decode(value.text or ""))
    octets[20] ^= 1
    return replace(part, octets=_replace_cipher(part.octets, last=bytes(octets)))


def rsa15(payload: Payload, encryption: Encryption) -> Part:
    part = encrypt(payload, encryption)
    public = x509.load_der_x509_certificate(encryption.certificate).public_key()
    wrapped = public.encrypt(octets_from()(32), padding.PKCS1v15())  # type: ignore[union-attr]
    octets = part.octets.replace(
        b"http://www.w3.org/2009/xmlenc11#rsa-oaep", f"{XENC}rsa-1_5".encode()
    )
    assert octets != part.octets
    return replace(part, octets=_replace_cipher(octets, first=wrapped))


def cbc(payload: Payload, encryption: Encryption) -> Part:
    part = encrypt(payload, encryption)
    dice = octets_from()
    key, vector = dice(32), b"\x01" * 16
    fill = 16 - len(payload.octets) % 16
    machine = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    cipher = machine.update(payload.octets + bytes([fill]) * fill) + machine.finalize()
    octets = part.octets.replace(encryption.algorithm.encode(), f"{XENC}aes256-cbc".encode())
    assert octets != part.octets
    return replace(part, octets=_replace_cipher(octets, last=vector + cipher))


def for_another(payload: Payload, encryption: Encryption) -> Part:
    other = leaf(VT, "encrypt").certificate
    return encrypt(payload, replace(encryption, certificate=other))


def not_encrypted(payload: Payload, _encryption: Encryption) -> Part:
    return Part(payload.content_id, "application/xml", payload.octets)


def encrypted_unasked(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    encryption = agreement().bindings[0].channel.encryption
    assert encryption is not None
    return tuple(
        encrypt(Payload(content_id=p.content_id, octets=p.octets), encryption) for p in parts
    )


# --- certificates and agreements ------------------------------------------------------


@cache
def stranger() -> Leaf:
    """The police with a key that is in no agreement."""
    return towns.pki().issue(oin=POLITIE, name="TEST politie", usage="sign")


_BAD: Mapping[str, Mapping[str, Any]] = {
    "expired": {"not_before": NOW - timedelta(days=9), "not_after": NOW - timedelta(days=1)},
    "not_yet_valid": {"not_before": NOW + timedelta(days=1)},
    "revoked": {"revoked": True},
    "unknown_issuer": {"unknown_issuer": True},
    "other_oin": {"oin": VT},
    "no_oin": {"oin": ""},
    "other_use": {},
}


@cache
def bad_leaf(what: str, usage: str) -> Leaf:
    """Return a certificate of the police of which one thing is wrong."""
    if what == "other_use":
        usage = "encrypt" if usage == "sign" else "sign"
    facts = {"oin": POLITIE, "name": "TEST politie", "usage": usage, **_BAD[what]}
    return towns.pki().issue(**facts)


def agreed_signer(certificate: bytes, profile: str = "osb-rm-e") -> dict[str, Agreement]:
    """Return the agreements of the hub, that of the police naming this signing certificate."""
    plain = towns.directory(HUB, profile).agreements
    agreed = agreement(POLITIE, profile)
    return {**plain, agreed.cpa_id: _with_signer(agreed, certificate)}


def _with_signer(agreed: Agreement, certificate: bytes) -> Agreement:
    def fix(channel: Any) -> Any:
        return replace(channel, signing=replace(channel.signing, certificate=certificate))

    bindings = tuple(
        replace(b, channel=fix(b.channel)) if b.sender.id == POLITIE else b for b in agreed.bindings
    )
    signals = {**agreed.signals, POLITIE: fix(agreed.signals[POLITIE])}
    return replace(agreed, bindings=bindings, signals=signals)


def signed_with(what: str) -> tuple[Recipe, Callable[[], dict[str, Any]]]:
    """Return a message signed with a bad certificate, and a hub that agreed to that one."""

    def changes() -> dict[str, Any]:
        certificate = bad_leaf(what, "sign").certificate
        return {"agreements": agreed_signer(certificate), "trust": towns.pki().trust()}

    return Recipe(signer=lambda: bad_leaf(what, "sign")), changes


def fresh_trust() -> dict[str, Any]:
    """The lists that were made after the bad certificates."""
    bad_leaf("revoked", "tls")
    return {"trust": towns.pki().trust()}


def stale_lists() -> dict[str, Any]:
    lists = towns.pki().crls(at=NOW - timedelta(days=2), next_update=NOW - timedelta(hours=1))
    return {"trust": replace(towns.pki().trust(), crls=lists)}
