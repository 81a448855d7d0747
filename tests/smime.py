"""Certificates, keys and octets for tests of secure e-mail."""

import subprocess
from dataclasses import replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.keys.keystore import SoftwareSigner
from gateway.keys.test_pki import Leaf
from gateway.message import Oin
from gateway.rules import approval
from gateway.security.smime import (
    Draft,
    Encryption,
    Mail,
    Mailbox,
    Opened,
    Recipients,
    Sender,
    open_mail,
    seal_mail,
)
from gateway.security.smime.enveloped import encrypt
from gateway.security.smime.signed import sign
from gateway.wire.mail_make import entity
from tests.flow.test_gate import melding
from tests.pki import AT, KNOOPPUNT, NAMES, POLITIE, leaf, pki
from tests.sealing import Keys, load_key, octets_from, trust

CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}


@cache
def on_curve(oin: str = POLITIE, usage: str = "sign", curve: str = "P-256") -> Leaf:
    return pki().issue(oin=oin, name=NAMES[oin], usage=usage, curve=CURVES[curve])


def signer_of(found: Leaf) -> SoftwareSigner:
    return SoftwareSigner(found.certificate, load_key(found.key))


def rsa_signer() -> SoftwareSigner:
    return signer_of(leaf(POLITIE, "sign"))


def write(folder: Path, found: Leaf, name: str) -> tuple[str, str]:
    """Write certificate and key as PEM; return where."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    loaded = x509.load_der_x509_certificate(found.certificate)
    certificate.write_bytes(loaded.public_bytes(Encoding.PEM))
    key.write_bytes(found.key)
    return str(certificate), str(key)


def openssl_cms(*arguments: str, octets: bytes) -> bytes:
    command = ["openssl", "cms", "-binary", *arguments]
    return subprocess.run(command, input=octets, capture_output=True, check=True).stdout


# --- a partner and a mailbox ----------------------------------------------------------------

ALICE_ADDRESS = "gateway@politie.example"
BOB_ADDRESS = "veilig@veiligthuis.example"
MAXIMUM = 200_000


def document(text: str = "ja, ter plaatse") -> bytes:
    return melding(aanhouding=text)


def draft(**changes) -> Draft:
    base = Draft(
        payload=document(),
        ebms_message_id="message-1@alice.example",
        sender=ALICE_ADDRESS,
        recipient=BOB_ADDRESS,
        title="Melding aan Veilig Thuis",
    )
    return replace(base, **changes)


def to(*found: Leaf, **changes) -> Recipients:
    certificates = tuple(one.certificate for one in found or (bob(),))
    return Recipients(certificates=certificates, **changes)


def bob() -> Leaf:
    return leaf(KNOOPPUNT, "encrypt")


def sealed(made: Draft | None = None, **changes) -> Mail:
    """Return a mail of Alice to Bob. `changes` are arguments of `seal_mail`."""
    made = made or draft()
    given = {
        "to": to(),
        "signer": rsa_signer(),
        "trust": trust(),
        "maximum": MAXIMUM,
        "random": octets_from(),
        "at": AT,
    }
    released = approval.own(sha256(made.payload).hexdigest())
    return seal_mail(changes.pop("released", released), made, **given | changes)


def alice(**changes) -> Sender:
    base = Sender(
        party=Oin(POLITIE),
        address=ALICE_ADDRESS,
        certificates=(leaf(POLITIE, "sign").certificate,),
    )
    return replace(base, **changes)


def mailbox(*senders: Sender, keys: tuple[Leaf, ...] = (), **changes) -> Mailbox:
    """Return that of Bob."""
    found = keys or (bob(),)
    base = Mailbox(
        address=BOB_ADDRESS,
        certificates=tuple(one.certificate for one in found),
        keys=Keys(*found),
        senders=senders or (alice(),),
    )
    return replace(base, **changes)


def opened(octets: bytes, box: Mailbox | None = None, *, at: datetime = AT) -> Opened:
    return open_mail(octets, box or mailbox(), trust=trust(), at=at)


def mail_around(content: bytes, **outside: str) -> bytes:
    """Return a mail whose envelope holds this, whatever it is. `outside` are its fields."""
    return mail_of(envelope(content), **outside)


def envelope(content: bytes, encryption: Encryption = Encryption.GCM) -> bytes:
    """Return an envelope for Bob around this."""
    certificates = (bob().certificate,)
    return encrypt(
        content, certificates, maximum=MAXIMUM, random=octets_from(), encryption=encryption
    )


def mail_of(octets: bytes, kind: str = "application/pkcs7-mime", **outside: str) -> bytes:
    head = {"From": ALICE_ADDRESS, "To": BOB_ADDRESS} | {
        name.replace("_", "-"): value for name, value in outside.items()
    }
    return entity(head, octets, kind=kind)


def signed_around(content: bytes, found: Leaf | None = None, *, at: datetime = AT) -> bytes:
    """Return the entity that an envelope holds: a signature over this, of Alice or another."""
    signer = rsa_signer() if found is None else signer_of(found)
    return entity({}, sign(content, signer, at=at), kind="application/pkcs7-mime")


def mail_with(content: bytes, **outside: str) -> bytes:
    """Return a mail of Alice with this entity signed in it."""
    return mail_around(signed_around(content), **outside)
