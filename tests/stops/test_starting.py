"""Starting: beside another process, after a crash, and without what it needs."""

import os
import signal
import socket
from datetime import UTC, datetime
from uuid import uuid4

from gateway.cli.demo.documents import document
from gateway.store.audit import verify_chain
from gateway.store.sqlite import Sqlite
from gateway.web.unix_socket import short
from tests.stops.conftest import on_postgresql
from tests.stops.running import eventually


async def _refused(running):
    """Return exit status and the one line that was printed."""
    status = await running.ended()
    lines = running.log.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1, lines
    return status, lines[0]


async def test_a_second_process_on_the_same_file_is_told_which_and_what_to_do(sites, starter):
    site = sites.by_place["politie"]
    first = await starter.start(site)

    status, line = await _refused(await starter.begin(site))

    assert status == 2
    assert line.startswith("gateway: store.locked: ")
    assert "stop dat eerst" in line
    assert str(site.folder / "data" / "gateway.db") in line
    assert (await first.health())[0] == 200
    assert (site.folder / "data" / "control.sock").exists()


async def test_a_role_of_its_own_needs_postgresql(sites, starter):
    status, line = await _refused(
        await starter.begin(sites.by_place["politie"], "--only", "worker")
    )

    assert (status, line.split(": ")[1]) == (2, "serve.only")


async def test_a_server_that_is_not_there_yet_is_worth_another_try(sites, starter, server):
    site = sites.by_place["politie"]
    on_postgresql(site, server)
    server.stop()

    status, line = await _refused(await starter.begin(site))
    server.start()
    again = await starter.start(site)

    assert (status, line.split(": ")[1]) == (75, "store.gone")
    assert await again.stop() == 0


async def test_a_folder_that_can_not_be_written_is_named(sites, starter):
    site = sites.by_place["politie"]
    text = site.config.read_text(encoding="utf-8")
    # Nobody makes a file there, root neither.
    site.config.write_text(text.replace("[paths]\n", '[paths]\ndatabase = "/proc/gateway.db"\n'))

    status, line = await _refused(await starter.begin(site))

    assert (status, line.split(": ")[1]) == (2, "store.path")
    assert "/proc/gateway.db" in line


async def test_what_a_crash_left_is_no_hindrance(sites, starter):
    site = sites.by_place["politie"]
    data = site.folder / "data"
    first = await starter.start(site)
    async with site.back_end(sites.anchors) as system:
        status, receipt = await system.hand_in(melding(sites), wpg_artikel="8")
    first.signal(signal.SIGKILL)
    await first.ended()
    left = {path.name for path in data.iterdir()}
    draft = data / "epochs" / "20200101T000000Z-0123456789ab.new"
    draft.write_bytes(b"half")
    draft.chmod(0o600)

    second = await starter.start(site)
    async with site.back_end(sites.anchors) as system:
        found = await system.message(receipt["id"])
    await eventually(lambda: not draft.exists(), "the draft to go")
    stopped = await second.stop()

    assert status == 202
    assert {"control.sock", "gateway.db.lock", "gateway.db-wal", "gateway.db-shm"} <= left
    assert found["id"] == receipt["id"]
    assert stopped == 0
    assert {path.name for path in data.iterdir()} == {"gateway.db", "gateway.db.lock", "epochs"}


async def test_leftovers_of_another_kind_are_no_hindrance(sites, starter):
    """A log of writes that belongs to nothing, a socket that nobody listens on."""
    site = sites.by_place["politie"]
    data = site.folder / "data"
    data.mkdir(mode=0o700)
    (data / "gateway.db.lock").write_text("4711", encoding="utf-8")
    (data / "gateway.db-wal").write_bytes(os.urandom(10_000))
    (data / "gateway.db-shm").write_bytes(os.urandom(32_768))
    with socket.socket(socket.AF_UNIX) as dead, short(data / "control.sock") as name:
        dead.bind(name)

    running = await starter.start(site)

    assert await running.stop() == 0
    with Sqlite(data / "gateway.db").reader() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert verify_chain(connection) is None


def melding(sites):
    return document(
        "vtMeldingDi01",
        zender=sites.by_place["politie"].address,
        ontvanger=sites.by_place["veilig-thuis"].address,
        referentienummer=str(uuid4()),
        zaak="PL0000-1",
        at=datetime.now(UTC),
    )
