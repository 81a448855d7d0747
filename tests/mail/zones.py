"""A signing name server (knot) and a validating resolver (unbound), for the zone `example.`."""

from contextlib import suppress
from pathlib import Path

import dns.dnssec
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec

from tests.mail.commands import run

AUTHORITATIVE = "10.25.0.53"
RESOLVER = "127.0.0.1"
DEAD = "10.25.0.99"
"""Nobody is there."""
SIGNED = ("example", "partner.example", "gateway.example")
SOA = "@ 60 SOA ns.example. beheer.example. 1 60 60 3600 60\n@ 60 NS ns.example.\n"


class Zones:
    """Both servers, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._knot = folder / "knot.conf"
        self._socket = folder / "knot.sock"

    def start(self, records: dict[str, str]) -> None:
        """Sign and serve zones; `records` is the rest of each zone, in the form of zone files."""
        for name in ("zones", "keys", "unbound"):
            (self.folder / name).mkdir()
        self._knot.write_text(self._knot_conf())
        for zone in SIGNED:
            self._keymgr(zone, "generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes")
        bogus = _bogus_zone()
        self._write("bogus.example", bogus[0])
        self._write("unsigned.example", SOA + records["unsigned.example"])
        for zone in SIGNED[1:]:
            self._write(zone, SOA + records[zone])
        self._write("example", SOA + self._delegations(bogus[1]))
        run("knotd", "-c", self._knot, "-d")
        self._start_unbound()

    def change(self, zone: str, *steps: tuple[str, ...]) -> None:
        """Change records while it runs: `("zone-unset", owner, type)`, `("zone-set", …)`."""
        self._knotc("zone-begin", zone)
        for command, *rest in steps:
            self._knotc(command, zone, *rest)
        self._knotc("zone-commit", zone)

    def stop(self) -> None:
        with suppress(AssertionError):
            self._knotc("stop")

    def _knotc(self, *arguments: str) -> None:
        run("knotc", "-s", self._socket, *arguments)

    def _keymgr(self, zone: str, *arguments: str) -> str:
        return run("keymgr", "-c", self._knot, f"{zone}.", *arguments)

    def _write(self, zone: str, text: str) -> None:
        (self.folder / "zones" / f"{zone}.zone").write_text(f"$ORIGIN {zone}.\n{text}")

    def _delegations(self, bogus_ds: str) -> str:
        lines = [f"ns A {AUTHORITATIVE}", f"ns.dood A {DEAD}", "dood NS ns.dood"]
        lines += [f"{zone}. NS ns" for zone in (*SIGNED[1:], "unsigned.example", "bogus.example")]
        lines += [self._keymgr(zone, "ds") for zone in SIGNED[1:]]
        return "$TTL 60\n" + "\n".join([*lines, f"bogus DS {bogus_ds}"]) + "\n"

    def _knot_conf(self) -> str:
        signed = "".join(
            f"  - domain: {zone}\n    dnssec-signing: on\n    dnssec-policy: hand\n"
            for zone in SIGNED
        )
        return f"""
server:
    rundir: {self.folder}
    listen: [ {AUTHORITATIVE}@53, 127.0.0.53@53 ]
    user: root:root
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: {self._socket}
log:
  - target: {self.folder}/knot.log
    any: info
database:
    storage: {self.folder}/keys
policy:
  - id: hand
    manual: on
    single-type-signing: on
template:
  - id: default
    storage: {self.folder}/zones
    file: "%s.zone"
    zonefile-sync: -1
zone:
{signed}
  - domain: unsigned.example
  - domain: bogus.example
"""

    def _start_unbound(self) -> None:
        anchors = self.folder / "unbound" / "anchors"
        anchors.write_text(self._keymgr("example", "ds"))
        conf = self.folder / "unbound.conf"
        conf.write_text(f"""
server:
    interface: {RESOLVER}
    access-control: 127.0.0.0/8 allow
    do-ip6: no
    num-threads: 1
    username: ""
    chroot: ""
    directory: {self.folder}/unbound
    pidfile: {self.folder}/unbound/pid
    logfile: {self.folder}/unbound/log
    use-syslog: no
    trust-anchor-file: {anchors}
    ede: yes
    cache-max-ttl: 0
    cache-max-negative-ttl: 0
    val-log-level: 2
stub-zone:
    name: "example"
    stub-addr: {AUTHORITATIVE}
remote-control:
    control-enable: no
""")
        run("unbound", "-c", conf)


def _bogus_zone() -> tuple[str, str]:
    """Return a signed zone in which one record was changed after it was signed, and its DS."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = dns.dnssec.make_dnskey(key.public_key(), "ECDSAP256SHA256", flags=257)
    text = f"{SOA}@ 60 MX 10 mx\nmx 60 A {AUTHORITATIVE}\n"
    zone = dns.zone.from_text(text, origin="bogus.example", relativize=False)
    dns.dnssec.sign_zone(zone, keys=[(key, public)], add_dnskey=True, lifetime=86_400)
    ds = dns.dnssec.make_ds("bogus.example.", public, "SHA256")
    signed = zone.to_text()
    assert signed.count("MX 10 mx\n") == 1
    return signed.replace("MX 10 mx\n", "MX 10 mallory\n"), ds.to_text()
