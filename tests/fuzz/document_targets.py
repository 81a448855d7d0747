"""Documents: what is read of one, what its schema says, how a person sees it, who signed it."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree

from gateway.catalogue import Role
from gateway.directory import Party, Signing
from gateway.errors import (
    CertificateRejected,
    Finding,
    GatewayError,
    Malformed,
    Misconfigured,
    SchemaViolation,
    SignatureInvalid,
)
from gateway.installation import load_catalogue, share
from gateway.keys.test_pki import Leaf
from gateway.message import Address, Oin
from gateway.security import algorithms as a
from gateway.security.c14n import canonicalize, cut
from gateway.security.dsig import SIGNATURE
from gateway.security.enveloped import (
    judge_officer_signature,
    judge_signature_of,
    sign_document,
    verify_document,
)
from gateway.wire import explain, schema, stuf, toets, toets_make, toets_read
from gateway.wire.confirmation import make_confirmation, read_confirmation
from gateway.wire.fout import fout_for, stuf_code
from gateway.wire.mail_body import body
from gateway.wire.schema import SchemaSet
from gateway.wire.shown import show
from gateway.wire.stuf import Document
from gateway.wire.tijd import read_tijdstip, tijdstip
from gateway.wire.toets import Stuur
from tests import pki
from tests.fuzz.changes import CANARY
from tests.fuzz.choices import Choices
from tests.fuzz.open_targets import forged
from tests.fuzz.target import Broken, Target, Unmade
from tests.fuzz.tree_changes import tree_changed, xml_changed
from tests.parties import AT, EXAMPLES, OM, POLITIE
from tests.sealing import load_key, trust
from tests.smime import on_curve, signer_of

_EXPLAINED = 2
"""xmlschema is slow: one refused document in so many is explained."""


@cache
def schemas() -> SchemaSet:
    return SchemaSet.load(share("schemas"), load_catalogue(share("config") / "catalogue.toml"))


@cache
def versions() -> dict[str, str]:
    """Return the newest version of each message."""
    kinds = load_catalogue(share("config") / "catalogue.toml").kinds
    return dict(sorted(kinds))


def _written() -> Iterator[bytes]:
    own = share("schemas") / "toets-1" / "examples"
    for folder in (EXAMPLES, EXAMPLES / "volledig", own):
        for path in sorted(folder.glob("*.xml")):
            if not path.stem.startswith("toetsingskader"):
                yield path.read_bytes()


# --- any document ---------------------------------------------------------------------


def read_any(octets: bytes) -> None:
    _show(octets)
    try:
        document = stuf.read_document(octets)
    except GatewayError as error:
        fout_for(error)
        raise
    if document.octets is not octets or document.sha256 != sha256(octets).hexdigest():
        raise Broken("a document is not the octets that came")
    _name(document)
    version = versions().get(document.name, "")
    findings = schemas().validate(document, version=version)
    _stream(document, version)
    if findings:
        _check_told(findings)
        _refuse(document, findings)
        if octets[-2] % _EXPLAINED == 0:
            _explain(document, version)
    else:
        _renumber(document, version)
    stuf.fault_of(document)
    _read_moment(document.stuurgegevens.tijdstip_bericht)


def _show(octets: bytes) -> None:
    """A person may look at anything."""
    shown = show(octets, ("/x/y[2]", "/vtMeldingDi01/object"))
    told = body(shown, title="Titel", sentences=("Een zin.",))
    if "<script" in told.html.lower():
        raise Broken("a mail holds a script")


def _check_told(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        if CANARY in str(finding):
            raise Broken("a finding holds a value of the document")


def _stream(document: Document, version: str) -> None:
    """A large document is judged while it is read: as a small one is.

    White space in CDATA between elements is the exception: libxml2 has it for text in a tree.
    """
    found = schemas()._find(document.name, version, None)
    if found is None:
        return
    whole = schema._errors(found.schema, document.tree)
    streamed = schema._streamed(found.schema, document.octets)
    if streamed.sound and whole and b"<![CDATA[" not in document.octets:
        raise Broken("what is refused as a whole is sound while it is read")
    schema._closed(document.octets)


def _explain(document: Document, version: str) -> None:
    """Ask the program that explains, by its own protocol."""
    path = schemas().entry(document.name, version)
    if path is None:
        return
    asked = json.dumps({"schema": str(path), "max_errors": 5}).encode()
    answers = BytesIO()
    explain.serve(BytesIO(explain.frame(asked) + explain.frame(document.octets)), answers)
    answers.seek(0)
    if explain.read_frame(answers) != b"[]":
        raise Broken("the program does not say that it is ready")
    _check_told(tuple(Finding(**one) for one in json.loads(explain.read_frame(answers) or b"")))


def _refuse(document: Document, findings: tuple[Finding, ...]) -> None:
    """A refusal goes to whoever the document says sent it, and is valid whatever it says."""
    head = document.stuurgegevens
    given = {
        "zender": head.ontvanger or Address(organisatie=""),
        "ontvanger": head.zender or Address(organisatie=""),
        "referentienummer": "antwoord-1",
        "cross_refnummer": head.referentienummer,
        "at": AT,
    }
    if not all(stuf_code(finding.code, finding.rule) for finding in findings):
        raise Broken("a finding has no code of StUF")
    fout = fout_for(SchemaViolation(findings))
    for answer in (stuf.bv01(**given), stuf.fo01(**given, fout=fout)):
        if schemas().validate(stuf.read_document(answer), version=versions()["Bv01Bericht"]):
            raise Broken("an answer is not valid")


def _name(document: Document) -> None:
    head = document.stuurgegevens
    conversation = stuf.conversation_id(head)
    zender = head.zender or Address(organisatie="")
    message = stuf.message_id(zender, head.referentienummer)
    for one in (conversation, message):
        if not one.isascii() or not one.isprintable() or one.count("@") != 1:
            raise Broken("an id is not one that mail and ebMS can hold")
    stuf.case_of(document)


def _renumber(document: Document, version: str) -> None:
    again = stuf.read_stored(stuf.renumbered(document.octets, "herhaald-1", AT))
    if again.stuurgegevens.referentienummer != "herhaald-1":
        raise Broken("a document has another number than it was given")
    if schemas().validate(again, version=version):
        raise Broken("a valid document is not valid under another number")


def _read_moment(text: str) -> None:
    try:
        moment = read_tijdstip(text)
    except Malformed:
        return
    if len(text) == 17 and read_tijdstip(tijdstip(moment)) != moment:
        raise Broken("a moment is written as another one")


# --- schemas --------------------------------------------------------------------------


def compile_any(octets: bytes) -> None:
    """A schema of a pack: nothing outside it is read, and the reason is told without its text."""
    try:
        schema.compile_xsd({"a.xsd": octets, "b.xsd": _xsds()[0]}, "a.xsd", Path("/pack"))
    except schema.SchemaFault as fault:
        if CANARY in fault.told:
            raise Broken("a fault holds a value of the schema") from fault
        raise Misconfigured("schema.pack", "a schema that does not compile") from fault


@cache
def _xsds() -> tuple[bytes, ...]:
    head = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:{0}"{1}>{2}'
    type_ = '<xs:simpleType name="t"><xs:restriction base="xs:string"><xs:pattern value="a+"/>'
    type_ += "</xs:restriction></xs:simpleType>"
    importing = '<xs:import namespace="urn:b" schemaLocation="b.xsd"/>'
    element = '<xs:element name="a" type="b:t"/>'
    texts = (
        head.format("b", "", type_),
        head.format("a", ' xmlns:b="urn:b"', importing + element),
        head.format("a", "", '<xs:include schemaLocation="../../../etc/passwd"/>'),
        head.format("a", "", '<xs:include schemaLocation="http://x.example/a.xsd"/>'),
    )
    return tuple(f"{text}</xs:schema>".encode() for text in texts)


# --- messages of the gate -------------------------------------------------------------

_READERS: dict[str, tuple[Callable[[Document], Any], Callable[[Any, Stuur], bytes]]] = {
    toets.VERZOEK: (toets_read.read_verzoek, toets_make.make_verzoek),
    toets.BESLUIT: (toets_read.read_besluit, toets_make.make_besluit),
    toets.INTREKKING: (toets_read.read_intrekking, toets_make.make_intrekking),
    toets.VOORWAARDEN: (toets_read.read_voorwaarden, toets_make.make_voorwaarden),
}
_STUUR = Stuur(
    zender=Address(organisatie=OM, applicatie="OM"),
    ontvanger=Address(organisatie=POLITIE, applicatie="BVH"),
    referentienummer="ref-1",
    at=AT,
)


def read_gate(octets: bytes) -> None:
    """What a message about the gate says is what it says when it is written again."""
    document = stuf.read_document(octets)
    if document.name not in _READERS:
        raise Malformed("toets.form", "another message")
    reader, maker = _READERS[document.name]
    said = reader(document)
    if schemas().validate(document, version="toets-1"):
        return  # what the schema refuses need not fit when it is written
    again = stuf.read_document(maker(said, _STUUR))
    if reader(again) != said:
        raise Broken("written again it says something else")


def gate_seeds() -> Iterator[bytes]:
    return (octets for octets in _written() if b"urn:berichtengateway:toets:1" in octets)


def read_word(octets: bytes) -> None:
    """The confirmation of the rules, likewise."""
    said = read_confirmation(octets)
    if read_confirmation(make_confirmation(said)) != said:
        raise Broken("written again it says something else")


def word_seeds() -> Iterator[bytes]:
    yield (share("schemas") / "toets-1" / "examples" / "toetsingskaderBevestiging.xml").read_bytes()


# --- signed documents -----------------------------------------------------------------


def open_signed(octets: bytes) -> None:
    """A document that was signed and changed; what verifies is what was signed."""
    choices = Choices(octets)
    who = choices.number(len(_SIGNERS))
    leaf = _SIGNERS[who]()
    try:
        document = _without_signature(choices.one(_unsigned()))
        signed = etree.fromstring(_sign(document, leaf))
        within = signed if choices.flag() else signed.find(SIGNATURE)
        for _ in choices.times(3):
            tree_changed(within, choices)
        again = choices.number(4) == 1
        if again:
            _sign_again(signed, leaf)
        changed = etree.tostring(signed)
    except (etree.LxmlError, ValueError, SignatureInvalid) as error:
        raise Unmade from error
    found = verify_document(changed)
    if found.certificate != leaf.certificate or who == len(_SIGNERS) - 1:
        raise Broken("signed by another than signed it")
    if not again and _plain(changed) != _plain(document):
        raise Broken("another document was signed")
    party = Party(oin=Oin(pki.OM), name="OM", role=Role.OM, local=False)
    judge_signature_of(found, party=party, trust=trust(), at=pki.AT)
    judge_officer_signature(found, trust=trust(), parties=(party,), at=pki.AT)
    if who >= _TRUSTED:
        raise Broken("the OM decided by a signature that does not count")


def _sign(document: bytes, leaf: Leaf) -> bytes:
    given = Signing(
        signature_algorithm=_algorithm(leaf),
        digest_algorithm=a.SHA256,
        certificate=leaf.certificate,
    )
    return sign_document(document, signer=signer_of(leaf), signing=given)


def _sign_again(tree: etree._Element, leaf: Leaf) -> None:
    """Sign SignedInfo as it stands there now."""
    info, value = (tree.find(f".//{{*}}{name}") for name in ("SignedInfo", "SignatureValue"))
    if info is None or value is None:
        raise Unmade
    octets = canonicalize(info, a.C14N_EXCLUSIVE)
    value.text = b64encode(signer_of(leaf).sign(octets, algorithm=_algorithm(leaf))).decode()


def _algorithm(leaf: Leaf) -> str:
    return a.RSA_SHA256 if isinstance(load_key(leaf.key), RSAPrivateKey) else a.ECDSA_SHA256


def _plain(octets: bytes) -> bytes:
    return canonicalize(etree.fromstring(_without_signature(octets)), a.C14N_EXCLUSIVE)


def _without_signature(octets: bytes) -> bytes:
    tree = etree.fromstring(octets)
    for element in tree.findall(SIGNATURE):
        cut(element)
    return etree.tostring(tree)


@cache
def _unsigned() -> tuple[bytes, ...]:
    return (*gate_seeds(), *word_seeds(), b"<a/>")


_SIGNERS = (
    lambda: on_curve(pki.OM),
    lambda: pki.leaf(pki.OM, "sign"),
    lambda: on_curve(pki.POLITIE),
    lambda: pki.leaf(pki.OM, "tls"),
    pki.expired,
    lambda: forged(on_curve(pki.POLITIE)),
)
_TRUSTED = 2
"""The first of these: what the others sign does not count, and what the last does, not at all."""

# --- the table ------------------------------------------------------------------------

_XML = (Malformed, ("xml.",))

TARGETS = (
    Target(
        name="document",
        run=read_any,
        seeds=_written,
        raises=(_XML, (Malformed, ("stuf.root", "stuf.stuurgegevens"))),
        change=xml_changed,
        share=3,
    ),
    Target(
        name="xsd",
        run=compile_any,
        seeds=_xsds,
        raises=((Misconfigured, ("schema.pack",)),),
        change=xml_changed,
    ),
    Target(
        name="toets",
        run=read_gate,
        seeds=gate_seeds,
        raises=(_XML, (Malformed, ("stuf.root", "stuf.stuurgegevens", "toets."))),
        change=xml_changed,
    ),
    Target(
        name="bevestiging",
        run=read_word,
        seeds=word_seeds,
        raises=(_XML, (Malformed, ("bevestiging.vorm",))),
        change=xml_changed,
    ),
    Target(
        name="signed-document",
        run=open_signed,
        seeds=lambda: (bytes((n, k)) for n in (0, 1) for k in range(len(_unsigned()))),
        raises=(
            _XML,
            (SignatureInvalid, ("toets.signature.",)),
            (CertificateRejected, ("certificate.",)),
        ),
        share=2,
    ),
)
