"""Secure e-mail in the demo: the addresses and keys of two parties, and the way between them."""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import tomlkit
from cryptography import x509

from gateway.cli.demo.mail_server import HOST
from gateway.cli.demo.ports import free_ports
from gateway.cli.demo.sites import Sites
from gateway.keys.test_pki import Leaf, TestPki, pem
from gateway.message import Oin
from gateway.security.dane import spki

DOMAINS: Mapping[str, str] = {"politie": "politie.example", "veilig-thuis": "veilig-thuis.example"}
RESOLVER = "127.0.0.1"


def address_of(place: str) -> str:
    """Return the mailbox of the gateway of a place."""
    return f"gateway@{DOMAINS[place]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailKeys:
    """What signs the letters of a party, and what they are encrypted for."""

    sign: Leaf
    encrypt: Leaf

    @property
    def leaves(self) -> tuple[tuple[str, Leaf], ...]:
        return ("sign", self.sign), ("encrypt", self.encrypt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """The way of the letters."""

    keys: Mapping[str, MailKeys]
    """By place."""
    lmtp_ports: Mapping[str, int]
    """By place: where the mail server hands over what is for it."""
    dns_port: int
    smtp_port: int
    tls: ssl.SSLContext
    """Of the mail server."""
    certificate: bytes
    """Of the mail server, DER."""

    @property
    def records(self) -> Mapping[tuple[str, str], str]:
        """Return what the name server says: one mail server, which DANE knows by its key."""
        digest = sha256(spki(x509.load_der_x509_certificate(self.certificate))).hexdigest()
        domains = DOMAINS.values()
        return {
            **{(domain, "MX"): f"10 {HOST}." for domain in domains},
            **{(domain, "TXT"): '"v=spf1 mx -all"' for domain in domains},
            **{(f"_dmarc.{domain}", "TXT"): '"v=DMARC1; p=reject"' for domain in domains},
            (HOST, "A"): "127.0.0.1",
            (f"_{self.smtp_port}._tcp.{HOST}", "TLSA"): f"3 1 1 {digest}",
        }


def add_mail(root: Path, sites: Sites) -> Mail:
    """Give both parties keys and settings of secure e-mail, before they are started."""
    parties = {place: Oin(sites.by_place[place].party.oin) for place in DOMAINS}
    mail = _make(root, sites.pki, parties)
    for place in parties:
        others = {other: oin for other, oin in parties.items() if other != place}
        _write(sites.by_place[place].folder, mail, place, others)
    return mail


def _make(root: Path, pki: TestPki, parties: Mapping[str, Oin]) -> Mail:
    server = pki.issue(oin="", name=HOST, hosts=(HOST,))
    server.write(root / "mail-server", "tls")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(root / "mail-server" / "tls.pem", root / "mail-server" / "tls.key")
    keys = {place: _keys(pki, place, oin) for place, oin in parties.items()}
    dns_port, smtp_port, *lmtp_ports = free_ports(2 + len(parties))
    return Mail(
        keys=keys,
        lmtp_ports=dict(zip(parties, lmtp_ports, strict=True)),
        dns_port=dns_port,
        smtp_port=smtp_port,
        tls=tls,
        certificate=server.certificate,
    )


def _keys(pki: TestPki, place: str, oin: Oin) -> MailKeys:
    sign, encrypt = (
        pki.issue(oin=oin, name=f"{place} e-mail", usage=usage, addresses=(address_of(place),))
        for usage in ("sign", "encrypt")
    )
    return MailKeys(sign=sign, encrypt=encrypt)


def _write(folder: Path, mail: Mail, place: str, partners: Mapping[str, Oin]) -> None:
    own = mail.keys[place]
    own.sign.write(folder / "keys", "mail-sign")
    own.encrypt.write(folder / "keys", "mail-encrypt")
    (folder / "mail").mkdir(mode=0o700)
    for partner in partners:
        for usage, leaf in mail.keys[partner].leaves:
            (folder / "mail" / f"{partner}-{usage}.pem").write_bytes(pem(leaf.certificate))
    path = folder / "gateway.toml"
    text = tomlkit.parse(path.read_text(encoding="utf-8"))
    text["email"] = _own(mail, place)
    for party, settings in _partners(text, partners):
        party["email"] = settings
    path.write_text(tomlkit.dumps(text), encoding="utf-8")


def _own(mail: Mail, place: str) -> dict[str, Any]:
    return {
        "domein": DOMAINS[place],
        "afzender": address_of(place),
        "ehlo": f"uit.{DOMAINS[place]}",
        "resolver": RESOLVER,
        "resolver_port": mail.dns_port,
        "port": mail.smtp_port,
        "smime": {"certificaat": "keys/mail-sign.pem"},
        "lmtp": {"port": mail.lmtp_ports[place], "certificaten": ["keys/mail-encrypt.pem"]},
    }


def _partners(text: Any, partners: Mapping[str, Oin]) -> Iterator[tuple[Any, dict[str, Any]]]:
    for place, oin in partners.items():
        for party in text["partijen"]:
            if party["oin"] == oin:
                yield (
                    party,
                    {
                        "adres": address_of(place),
                        "certificaten": [f"mail/{place}-encrypt.pem"],
                        "ondertekenaars": [f"mail/{place}-sign.pem"],
                    },
                )
