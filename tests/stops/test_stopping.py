"""SIGTERM while there is work: what ends, how soon, and that nothing is lost by it."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from uuid import uuid4

import psycopg
import pytest
from aiohttp import web

from gateway.cli.demo.documents import document
from gateway.cli.demo.ports import free_ports
from gateway.outbound.tls import KeyPair, server_context
from tests.stops.conftest import on_postgresql, settings
from tests.stops.running import eventually

GRACE = 2.0
MOST = GRACE + 5
MESSAGES = 12


def melding(sites, number):
    return document(
        "vtMeldingDi01",
        zender=sites.by_place["politie"].address,
        ontvanger=sites.by_place["veilig-thuis"].address,
        referentienummer=number,
        zaak="PL0000-1",
        at=datetime.now(UTC),
    )


@asynccontextmanager
async def hanging(site):
    """A partner in the place of `site` that takes requests in and never answers: a queue."""
    requests = asyncio.Queue()

    async def take(request):
        requests.put_nowait(await request.read())
        await asyncio.Event().wait()

    keys = site.folder / "keys"
    pair = KeyPair(certificate=keys / "tls.pem", key=keys / "tls.key")
    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/ebms", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", site.ports[0], ssl_context=server_context(pair)).start()
    try:
        yield requests
    finally:
        await runner.cleanup()


def long_grace(site):
    """So long that only what ends at once can pass."""
    text = site.config.read_text(encoding="utf-8")
    site.config.write_text(text.replace("grace_seconds = 2.0", "grace_seconds = 600.0"), "utf-8")


async def _next(requests):
    async with asyncio.timeout(60):
        return await requests.get()


async def _stop(running):
    """Return exit status and seconds."""
    began = monotonic()
    return await running.stop(), monotonic() - began


async def test_a_stop_under_load_ends_in_time_and_loses_nothing(sites, starter):
    politie, hub, vt = (sites.by_place[p] for p in ("politie", "knooppunt", "veilig-thuis"))
    numbers = [str(uuid4()) for _ in range(MESSAGES)]
    async with politie.back_end(sites.anchors) as sender, vt.back_end(sites.anchors) as receiver:
        running = [await starter.start(hub), await starter.start(politie)]
        async with hanging(vt) as requests:
            poll = asyncio.create_task(sender.postvak(wait=50))
            handed = [
                asyncio.create_task(sender.hand_in(melding(sites, n), wpg_artikel="8"))
                for n in numbers
            ]
            await _next(requests)
            stopped = await asyncio.gather(*(_stop(each) for each in running), poll)
        answers = await asyncio.gather(*handed, return_exceptions=True)
        taken = {
            number
            for number, answer in zip(numbers, answers, strict=True)
            if not isinstance(answer, BaseException) and answer[0] == 202
        }

        for site in (hub, politie, vt):
            await starter.start(site)
        seen = []
        async with asyncio.timeout(60):
            while taken - set(seen):
                for item in await receiver.postvak(wait=5):
                    seen.append(item["referentienummer"])
                    await receiver.confirm(item["id"])

    assert [status for status, _ in stopped[:2]] == [0, 0]
    assert max(seconds for _, seconds in stopped[:2]) < MOST
    assert stopped[2] == []
    assert taken
    assert len(seen) == len(set(seen))


async def test_a_long_poll_is_answered_at_once(sites, starter):
    site = sites.by_place["politie"]
    long_grace(site)
    running = await starter.start(site)

    async with site.back_end(sites.anchors) as system:
        polls = [asyncio.create_task(system.postvak(wait=50)) for _ in range(5)]
        await system.postvak(wait=0)
        running.signal(signal.SIGTERM)
        async with asyncio.timeout(45):
            answers = await asyncio.gather(*polls)

    assert answers == [[]] * 5
    assert await running.ended(within=120) == 0


async def test_a_second_signal_ends_at_once(sites, starter):
    politie, hub = (sites.by_place[p] for p in ("politie", "knooppunt"))
    long_grace(politie)
    running = await starter.start(politie)

    async with politie.back_end(sites.anchors) as system, hanging(hub) as requests:
        await system.hand_in(melding(sites, str(uuid4())), wpg_artikel="8")
        await _next(requests)
        running.signal(signal.SIGTERM)
        await running.says("gateway.stopping")
        running.signal(signal.SIGTERM)
        status = await running.ended(within=60)

    assert status == -signal.SIGTERM


async def test_sigterm_while_starting_ends_in_order(sites, starter):
    site = sites.by_place["politie"]
    running = await starter.begin(site)

    lock = site.folder / "data" / "gateway.db.lock"
    await eventually(lock.exists, "the lock")
    running.signal(signal.SIGTERM)

    assert await running.ended() == 0
    assert "Traceback" not in running.log.read_text(encoding="utf-8")


async def test_what_a_stopped_process_had_is_taken_over_at_once(sites, starter, server):
    """The lease is ten minutes: who waits for its end does not pass this test."""
    politie, hub = (sites.by_place[p] for p in ("politie", "knooppunt"))
    settings(politie, worker="lease_seconds = 600.0")
    url = on_postgresql(politie, server)
    port = str(next(free_ports(1)))
    starter.fresh = True
    both = [await starter.start(politie), await starter.start(politie, "--beheer-port", port)]

    async with politie.back_end(sites.anchors) as system, hanging(hub) as requests:
        await system.hand_in(melding(sites, str(uuid4())), wpg_artikel="8")
        await _next(requests)
        first = _claimed_by(url)
        (holder,) = (r for r in both if f":{r.process.pid}@" in first)
        status, seconds = await _stop(holder)
        await _next(requests)
        second = _claimed_by(url)

    assert (status, seconds < MOST) == (0, True)
    assert second.rpartition("@")[0] != first.rpartition("@")[0]


def _claimed_by(url):
    with psycopg.connect(url) as connection:
        statement = "SELECT claimed_by FROM deliveries WHERE state = 'claimed'"
        return connection.execute(statement).fetchone()[0]


async def test_a_database_that_hangs_does_not_hold_the_stop_up(sites, starter, server):
    politie = sites.by_place["politie"]
    on_postgresql(politie, server)
    running = await starter.start(politie)

    with _frozen(server):
        status, seconds = await _stop(running)

    assert (status, seconds < MOST + 1) == (1, True)
    assert running.said("gateway.stop_late")


def _frozen(server):
    """Let the server stand still, as a machine that is gone without a word."""
    return _Frozen(int((server.data / "postmaster.pid").read_text().splitlines()[0]))


class _Frozen:
    def __init__(self, postmaster):
        self._pids = [postmaster, *_children(postmaster)]

    def __enter__(self):
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def __exit__(self, *_):
        for pid in self._pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _children(parent):
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                yield int(path.parent.name)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_both_signals_stop_in_order(number, sites, starter):
    running = await starter.start(sites.by_place["politie"])

    running.signal(number)

    assert await running.ended(within=60) == 0
    assert running.said("gateway.stopped")
    assert not (running.site.folder / "data" / "control.sock").exists()
