"""A process that takes mail in over LMTP, and is killed as soon as it says 250."""

import asyncio
import signal
import sqlite3
from contextlib import closing
from smtplib import LMTP

from gateway.cli.demo.sites import Site
from tests.stops.running import Running

SETTINGS = """
[email]
domein = "politie.example"
afzender = "uit@politie.example"
ehlo = "uit.politie.example"

[email.lmtp]
socket = "data/lmtp.sock"
certificaten = ["{certificate}"]
"""
MAIL = b"From: a@b.example\r\nMessage-ID: <1@b.example>\r\nSubject: x\r\n\r\nhallo\r\n"


def with_mail(site: Site) -> None:
    (certificate, *_) = sorted(site.folder.glob("keys/*.pem"))
    text = site.config.read_text(encoding="utf-8")
    more = SETTINGS.format(certificate=certificate.relative_to(site.folder))
    site.config.write_text(text + more, encoding="utf-8")


async def post(running: Running, *, then: signal.Signals | None = None) -> int:
    """Hand over a mail and return the answer; end the process as soon as it is there."""
    path = running.site.folder / "data" / "lmtp.sock"

    def hand_over() -> int:
        with closing(LMTP(str(path), timeout=30)) as client:
            client.ehlo_or_helo_if_needed()
            client.mail("a@b.example")
            client.rcpt("uit@politie.example")
            code, _ = client.data(MAIL)
            if then is not None:
                running.signal(then)
            return code

    return await asyncio.to_thread(hand_over)


async def test_what_was_taken_over_survives_a_kill_and_comes_in_once(sites, starter):
    site = sites.by_place["politie"]
    with_mail(site)
    first = await starter.start(site)
    assert await post(first, then=signal.SIGKILL) == 250
    await first.ended()

    second = await starter.start(site)
    assert await post(second) == 250

    assert await second.stop() == 0
    with closing(sqlite3.connect(site.folder / "data" / "gateway.db")) as database:
        rows = database.execute("SELECT code FROM quarantine").fetchall()
    assert rows == [("incoming.plain",)]
    assert not (site.folder / "data" / "lmtp.sock").exists()
