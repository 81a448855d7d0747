"""All of it together, in the network namespace that `make mail-test` makes."""

import shutil
import socket
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.security.dkim import DkimKey
from tests.mail.commands import run
from tests.mail.post import DOVECOT, Dovecot, Postfix
from tests.mail.zones import AUTHORITATIVE, RESOLVER, Zones
from tests.outbound.mail_certificates import DAY, authority, server

PARTNER, WITHOUT_TLS, EXPIRED, CHANGING, OURS = (f"10.25.0.{n}" for n in (25, 26, 27, 29, 28))
INTAKE = "in.gateway.example"
"""Whose mail our Postfix gives to a gateway, over LMTP."""
POLICY_PORT = 10_040
"""Where the server at CHANGING asks before it takes a recipient."""

HELD = server("mx.partner.example", "mx-ta.partner.example")
OLD = server("mx-oud.partner.example", before=-40 * DAY, after=-DAY)
OWN = server("mx.gateway.example")
NOT_SHOWN = server("mx.partner.example", issuer="TEST other CA")

DKIM = DkimKey(
    domain="gateway.example", selector="s2026", private=rsa.generate_private_key(65537, 2048)
)


def strings(text: str) -> str:
    """Return a TXT record as a zone has it: strings of 255 octets at most."""
    return " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))


def alone() -> bool:
    """Tell whether this network has nothing but its own loopback."""
    return [name for _n, name in socket.if_nameindex()] == ["lo"]


class Lab:
    """The partner, ourselves, and the names of both."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mail-lab-"))
        self.folder.chmod(0o755)  # postfix and dovecot leave root behind
        self.zones = Zones(self._made("names"))
        self.dovecot = Dovecot(self.folder / "dovecot")
        ask = f"reject_unauth_destination,check_policy_service,inet:{CHANGING}:{POLICY_PORT}"
        self.partner = Postfix(
            self.folder / "partner",
            "mx.partner.example",
            tuple(f"{name}partner.example" for name in ("", "ta.", "kaal.", "oud.", "wissel.")),
            HELD.write(self.folder),
            {
                PARTNER: "",
                WITHOUT_TLS: "-o smtpd_discard_ehlo_keywords=starttls",
                EXPIRED: f"-o smtpd_tls_chain_files={OLD.write(self.folder)}",
                CHANGING: f"-o smtpd_recipient_restrictions={ask}",
            },
        )
        self.ours = Postfix(
            self.folder / "ours",
            "mx.gateway.example",
            ("gateway.example", INTAKE),
            OWN.write(self.folder),
            {OURS: ""},
            (INTAKE, self._made("intake") / "lmtp.sock"),
        )

    def start(self) -> None:
        run("ip", "link", "set", "lo", "up")
        for address in (PARTNER, WITHOUT_TLS, EXPIRED, CHANGING, OURS, AUTHORITATIVE, DOVECOT):
            run("ip", "address", "add", f"{address}/32", "dev", "lo")
        resolv = self.folder / "resolv.conf"
        resolv.write_text(f"nameserver {RESOLVER}\noptions trust-ad\n")
        run("mount", "--bind", resolv, "/etc/resolv.conf")
        self.zones.start(records())
        self.dovecot.start()
        self.partner.start()
        self.ours.start()

    def stop(self) -> None:
        """Stop what runs; whatever is left dies with the namespace of the processes."""
        for part in (self.ours, self.partner, self.dovecot, self.zones):
            part.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _made(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir()
        return made


def records() -> dict[str, str]:
    """Return the zones. Every host below is a mail server that has one thing of its own."""
    good = f"TLSA {HELD.tlsa(3)}"
    return {
        "partner.example": f"""$TTL 60
@ MX 10 mx
mx A {PARTNER}
_25._tcp.mx {good}
ta MX 10 mx-ta
mx-ta A {PARTNER}
_25._tcp.mx-ta TLSA {authority().tlsa(2)}
verkeerd MX 10 mx-verkeerd
mx-verkeerd A {PARTNER}
_25._tcp.mx-verkeerd TLSA {NOT_SHOWN.tlsa(3)}
kaal MX 10 mx-kaal
mx-kaal A {WITHOUT_TLS}
_25._tcp.mx-kaal {good}
oud MX 10 mx-oud
mx-oud A {EXPIRED}
_25._tcp.mx-oud TLSA {OLD.tlsa(3)}
wissel MX 10 mx-wissel
mx-wissel A {CHANGING}
_25._tcp.mx-wissel {good}
geen MX 10 mx-geen
mx-geen A {PARTNER}
""",
        "unsigned.example": f"""$TTL 60
@ MX 10 mx
mx A {PARTNER}
_25._tcp.mx {good}
""",
        "gateway.example": f"""$TTL 60
@ MX 10 mx
@ TXT "v=spf1 ip4:{PARTNER} -all"
_dmarc TXT "v=DMARC1; p=reject"
s2026._domainkey TXT {strings(f"v=DKIM1; k={DKIM.kind}; p={DKIM.published}")}
in MX 10 mx
mx A {OURS}
_25._tcp.mx TLSA {OWN.tlsa(3)}
""",
    }
