"""Short texts of strangers: addresses, records, secrets, codes."""

import json
from collections.abc import Iterator
from datetime import date

from gateway.errors import (
    Misconfigured,
    PolicyViolation,
    TransportUnproved,
)
from gateway.security import totp, webhook
from gateway.security.destination import Allowed, read_url
from gateway.wire import webhook as told
from gateway.wire.nta7516 import nta7516
from tests import pki
from tests.fuzz.target import Broken, Target

# --- addresses, records and secrets ---------------------------------------------------

_ADDRESSES = ("192.0.2.1", "10.0.0.1", "127.0.0.1", "::1", "::ffff:10.0.0.1", "2001:db8::1")


def judge_address(octets: bytes) -> None:
    """A URL on the first line, what is allowed on those below it."""
    from ipaddress import ip_address

    first, *rest = octets.decode("latin-1").split("\n")
    to = read_url(first)
    if read_url(to.url) != to and to.rest:
        raise Broken("read again it is another address")
    allowed = Allowed.read(rest, unsafe_http_loopback=len(rest) > 2)
    said = allowed.never(to)
    for address in map(ip_address, _ADDRESSES):
        try:
            allowed.judge(to, address)
        except PolicyViolation:
            continue
        if not rest:
            raise Broken("something is called that nobody allowed")
        if said and to.literal == address:
            raise Broken("what is never called is called")


def address_seeds() -> Iterator[bytes]:
    yield b"https://haak.example:8443/a?b=c\nhaak.example:8443\n10.0.0.0/8"
    yield b"http://[::1]:80/\n[::1]:80\n::1/128\n10.0.0.0/8"
    yield b"https://10.0.0.1/\n10.0.0.1:443"
    yield b"https://0x7f.1/"


def read_texts(octets: bytes) -> None:
    """Short texts of strangers: a record of NTA 7516, a secret, a code."""
    kind, text = octets[:1], octets[1:].decode("utf-8", "replace")
    match kind:
        case b"s":
            secret = webhook.read_secret(text, where="x")
            if webhook.read_secret(webhook.write_secret(secret), where="x") != secret:
                raise Broken("a secret is written as another one")
            webhook.sign((secret,), id_="a", at=1, body=octets)
        case b"c":
            step = totp.matching(b"k" * 20, text, pki.AT)
            if (step is None) is (
                "".join(text.split()) == totp.code(b"k" * 20, totp.step_of(pki.AT))
            ):
                raise Broken("a code that is right does not count, or a wrong one does")
            totp.uri(b"k" * 20, login=text, issuer="gateway")
            totp.shown(b"k" * 20)
        case b"w":
            data = told.became(text, soort=text, status=text, answer=text)
            data |= told.waits(text, message=text, soort=text, applicatie=text)
            if json.loads(told.body("bericht.status", pki.AT, data))["data"] != data:
                raise Broken("a webhook says something else than it was told")
            if told.id_of(text, 1) == told.id_of(text, 2):
                raise Broken("two events have one id")
        case _:
            record = nta7516(text.split("\n"), date(2026, 11, 28))
            if record.text not in text:
                raise Broken("a record that nobody published")


def text_seeds() -> Iterator[bytes]:
    record = "v=NTA7516-1;startdate=2026-01;enddate=2027-12;provider=x;ntamx=10 mx1.nta.example"
    yield f"n{record}".encode()
    yield f"nv=spf1 -all\n{record};ntamx=5 b.example.".encode()
    yield f"s{webhook.write_secret(bytes(range(32)))}".encode()
    yield b"wbericht-1"
    yield f"c{totp.code(b'k' * 20, totp.step_of(pki.AT))}".encode()


# --- the table ------------------------------------------------------------------------

TARGETS = (
    Target(
        name="address",
        run=judge_address,
        seeds=address_seeds,
        raises=((PolicyViolation, ("webhook.",)), (Misconfigured, ("webhook.allowed",))),
    ),
    Target(
        name="texts",
        run=read_texts,
        seeds=text_seeds,
        raises=((TransportUnproved, ("nta7516.",)), (Misconfigured, ("webhook.secret",))),
    ),
)
