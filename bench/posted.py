"""How much memory a gateway takes for the largest mails that it lets in, all at once over LMTP.

They are S/MIME of a partner, with as little wrapping as there is, so that they hold the most: the
largest message there is, in small elements; or a document beside none, for the quarantine.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from os import urandom
from pathlib import Path
from smtplib import LMTP
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

from bench import memory
from bench.grown import grown
from bench.letters import melding
from bench.measure import Figure, figure_of
from bench.processes import BenchFailed
from bench.town import DISK
from gateway.cli.demo.mail import Mail, add_mail, address_of
from gateway.cli.demo.processes import Served
from gateway.cli.demo.sites import Site, make_sites
from gateway.config_mail import LmtpSettings
from gateway.directory import Limits
from gateway.keys.keystore import SoftwareSigner
from gateway.security.smime.enveloped import encrypt
from gateway.security.smime.signed import sign
from gateway.wire.mail_make import entity
from tests.sealing import load_key

ROUNDS = 3
MANY = LmtpSettings.model_fields["connections"].default
MOST = LmtpSettings.model_fields["most_bytes"].default
XML = Limits().payload_bytes
FILE = 36_000_000
"""Octets; in base64 with its lines it is a little less than MOST."""
WANTED = 1_200.0
"""MB."""
REST_SECONDS = 10.0
PATIENCE_SECONDS = 300.0
POLITIE, VT = "politie", "veilig-thuis"

_BINARY = "Content-Transfer-Encoding: binary\r\n\r\n"

Content = Callable[[], bytes]
"""Gives another entity each time."""


def figures() -> Iterator[Figure]:
    mb = f"{MOST // 1_000_000} MB"
    yield from _taken(
        f"{MANY} mails of {mb} at once, each a melding of 35 MB", _message, "messages"
    )
    yield from _taken(f"{MANY} mails of {mb} at once, each a document", _file, "quarantine")


def _message() -> bytes:
    return _entity("application/xml", grown(melding(str(uuid4())), XML))


def _file() -> bytes:
    return _entity("application/pdf", uuid4().bytes * (FILE // 16))


def _entity(kind: str, octets: bytes) -> bytes:
    return f"Content-Type: {kind}\r\n{_BINARY}".encode() + octets


def _taken(what: str, content: Content, table: str) -> Iterator[Figure]:
    with TemporaryDirectory(dir=DISK) as folder:
        sites = make_sites(Path(folder))
        mail = add_mail(Path(folder), sites)
        rounds = asyncio.run(_rounds(sites.by_place[VT], mail, content, table))
    peaks, kept, seconds = zip(*rounds, strict=True)
    yield figure_of(what, peaks, unit="MB", goal=WANTED)
    yield figure_of(f"- kept {REST_SECONDS:.0f} s afterwards", kept, unit="MB")
    yield figure_of("- until all were taken", seconds, unit="s")


async def _rounds(
    site: Site, mail: Mail, content: Content, table: str
) -> list[tuple[float, float, float]]:
    served = site.served()
    await served.start()
    try:
        await served.ready()
        await _hand_over(mail, [_sealed(mail, _entity("application/pdf", b"warm"))])
        before = _rows(site, table)
        found = [await _round(served, mail, content) for _ in range(ROUNDS)]
    finally:
        await served.stop()
    if _rows(site, table) != before + ROUNDS * MANY:
        raise BenchFailed(f"not every mail became one of the {table}")
    return found


async def _round(served: Served, mail: Mail, content: Content) -> tuple[float, float, float]:
    letters = [_sealed(mail, content()) for _ in range(MANY)]
    if served.pid is None:
        raise BenchFailed("the gateway has ended")
    memory.forget_peak(served.pid)
    start = perf_counter()
    await _hand_over(mail, letters)
    took = perf_counter() - start
    await asyncio.sleep(REST_SECONDS)
    return memory.peak(served.pid), memory.resident(served.pid), took


async def _hand_over(mail: Mail, letters: list[bytes]) -> None:
    """Give each over a connection of its own, all at once."""
    port = mail.lmtp_ports[VT]
    await asyncio.gather(*(asyncio.to_thread(_give, port, letter) for letter in letters))


def _give(port: int, letter: bytes) -> None:
    with LMTP("127.0.0.1", port, timeout=PATIENCE_SECONDS) as line:
        line.sendmail(address_of(POLITIE), [address_of(VT)], letter)


def _sealed(mail: Mail, content: bytes) -> bytes:
    """Sign and encrypt an entity, in a mail of politie."""
    signing = mail.keys[POLITIE].sign
    signer = SoftwareSigner(signing.certificate, load_key(signing.key))
    signed = _entity(
        "application/pkcs7-mime; smime-type=signed-data",
        sign(content, signer, at=datetime.now(UTC)),
    )
    octets = encrypt(signed, (mail.keys[VT].encrypt.certificate,), maximum=MOST, random=urandom)
    head = {"From": address_of(POLITIE), "To": address_of(VT), "Message-ID": f"<{uuid4()}@x.nl>"}
    return entity(head, octets, kind="application/pkcs7-mime; smime-type=authEnveloped-data")


def _rows(site: Site, table: str) -> int:
    with closing(sqlite3.connect(site.database)) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
