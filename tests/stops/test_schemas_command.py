"""`gateway schemas` beside a running process: what it changes counts at once, and is kept."""

import asyncio
import os
import signal
from datetime import UTC, datetime
from uuid import uuid4

from gateway.cli.demo.documents import document
from gateway.cli.demo.ports import free_ports
from tests import packs
from tests.spawning import program
from tests.stops.conftest import on_postgresql
from tests.stops.running import ROOT, eventually


async def gateway(*arguments, site):
    """Run a command; return exit status and everything that it printed."""
    process = await asyncio.create_subprocess_exec(
        *program("-m", "gateway", *map(str, arguments), "-c", str(site.folder)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "240"},
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def sent(sites):
    """Hand in a melding that only the pack takes; return HTTP status and the codes found."""
    politie, vt = sites.by_place["politie"], sites.by_place["veilig-thuis"]
    octets = document(
        "vtMeldingDi01",
        zender=politie.address,
        ontvanger=vt.address,
        referentienummer=str(uuid4()),
        zaak="PL0000-2026000001",
        at=datetime.now(UTC),
    )
    async with politie.back_end(sites.anchors) as system:
        status, body = await system.hand_in(packs.with_longer_phone(octets), wpg_artikel="8")
    return status, [finding["code"] for finding in body.get("bevindingen", ())]


async def another_second():
    """Activations count from whole seconds on; of two in one, the last is the only one."""
    await asyncio.sleep(1.001 - datetime.now(UTC).microsecond / 1_000_000)


async def reloaded(process, times):
    """Wait until it took something in: it also reads when it starts, and finds the same."""

    def took():
        return [line for line in process.said("directory.reloaded") if line["changed"]]

    await eventually(lambda: len(took()) >= times, "a reload")


async def test_a_pack_is_brought_in_and_taken_away_while_messages_come(sites, starter, tmp_path):
    site = sites.by_place["politie"]
    process = await starter.start(site)
    source = packs.zipped(tmp_path / "jz-1.0.9-ruim.zip", packs.longer_phone())
    added = await gateway("schemas", "add", source, site=site)
    before = await sent(sites)

    activated = await gateway("schemas", "activate", "jz-1.0.9-ruim", "--door", "jansen", site=site)
    await reloaded(process, 1)
    after = await sent(sites)
    needed = await gateway("schemas", "remove", "jz-1.0.9-ruim", site=site)
    listed = await gateway("schemas", "list", site=site)
    doctor = await gateway("doctor", site=site)
    await another_second()
    ended = await gateway("schemas", "deactivate", "jz-1.0.9-ruim", site=site)
    await reloaded(process, 2)
    again = await sent(sites)
    removed = await gateway("schemas", "remove", "jz-1.0.9-ruim", site=site)
    audit = await gateway("audit", "list", "--limit", "500", site=site)

    assert (added[0], "versie 1.0.9" in added[1]) == (0, True), added
    assert before == (422, ["schema.lang"])
    assert (activated[0], "lezen het nu in" in activated[1]) == (0, True), activated
    assert after == (202, [])
    assert (needed[0], "pack.needed" in needed[1]) == (2, True)
    assert "jansen" in listed[1]
    assert "✓ schemapakket jz-1.0.9-ruim (1.0.9): Bv01Bericht 1.0.9" in doctor[1]
    assert (ended[0], again) == (0, (422, ["schema.lang"]))
    assert (removed[0], "is verwijderd" in removed[1]) == (0, True)
    assert audit[1].count("schemas.changed") == 3
    assert not (site.folder / "data" / "packs" / "jz-1.0.9-ruim").exists()


async def test_every_process_on_one_server_takes_a_pack_in(sites, starter, server, tmp_path):
    site = sites.by_place["politie"]
    on_postgresql(site, server)
    port = str(next(free_ports(1)))
    processes = [await starter.start(site), await starter.start(site, "--beheer-port", port)]
    source = packs.folder(tmp_path / "jz-1.0.9-ruim", packs.longer_phone())
    await gateway("schemas", "add", source, site=site)

    status, output = await gateway("schemas", "activate", "jz-1.0.9-ruim", site=site)
    for process in processes:
        await reloaded(process, 1)

    assert (status, "lezen het nu in" in output) == (0, True)
    assert [await sent(sites) for _ in range(4)] == [(202, [])] * 4


async def test_a_pack_that_was_changed_is_not_taken_in_and_the_old_one_serves(
    sites, starter, tmp_path
):
    site = sites.by_place["politie"]
    source = packs.folder(tmp_path / "jz-1.0.9-ruim", packs.longer_phone())
    await gateway("schemas", "add", source, site=site)
    await gateway("schemas", "activate", "jz-1.0.9-ruim", site=site)
    process = await starter.start(site)
    file = site.folder / "data" / "packs" / "jz-1.0.9-ruim" / "xsd" / "jz.xsd"
    file.write_text(file.read_text().replace("TekstTot80", "TekstTot10"))

    process.signal(signal.SIGHUP)
    await process.says("directory.not_reloaded")

    assert process.said("directory.not_reloaded")[0]["code"] == "pack.changed"
    assert await sent(sites) == (202, [])
    assert (await process.health())[0] == 200
    await process.stop()
    refused = await starter.begin(site)
    assert await refused.ended() == 2
    assert "pack.changed" in refused.log.read_text(encoding="utf-8")


async def test_a_process_that_can_not_be_reached_is_told_of(sites, starter, server, tmp_path):
    site = sites.by_place["politie"]
    on_postgresql(site, server)
    source = packs.folder(tmp_path / "jz-1.0.9-ruim", packs.longer_phone())
    await gateway("schemas", "add", source, site=site)
    server.stop()

    status, output = await gateway("schemas", "activate", "jz-1.0.9-ruim", site=site)
    server.start()

    assert status == 75
    assert "stuur hun SIGHUP" in output
    assert "nu" in (await gateway("schemas", "list", site=site))[1]


async def test_a_pack_that_was_damaged_can_be_put_out_of_use(sites, tmp_path):
    site = sites.by_place["politie"]
    source = packs.folder(tmp_path / "jz-1.0.9-ruim", packs.longer_phone())
    for name in ("een-1.0.9", "twee-1.0.9"):
        added = await gateway("schemas", "add", source, "--naam", name, site=site)
        assert added[0] == 0, added
    assert (await gateway("schemas", "activate", "een-1.0.9", site=site))[0] == 0
    (site.folder / "data" / "packs" / "een-1.0.9" / "pack.json").write_text("{}")
    await another_second()

    over = await gateway("schemas", "activate", "twee-1.0.9", site=site)
    await another_second()
    back = await gateway("schemas", "deactivate", "twee-1.0.9", site=site)
    ended = await gateway("schemas", "deactivate", "een-1.0.9", site=site)
    removed = await gateway("schemas", "remove", "een-1.0.9", site=site)

    assert over[0] == 0, over
    assert (back[0], "pack.changed" in back[1]) == (2, True), back  # the damaged one would judge
    assert ended[0] == 0, ended
    assert removed[0] == 0, removed
    assert (await gateway("doctor", site=site))[1].count("pack.changed") == 0


async def test_nothing_is_changed_by_somebody_who_can_not_be_written_down(sites, starter, tmp_path):
    site = sites.by_place["politie"]
    await starter.start(site)
    source = packs.folder(tmp_path / "jz-1.0.9-ruim", packs.longer_phone())
    await gateway("schemas", "add", source, site=site)

    for who in ("jan\njansen", "x" * 65, "\x7f"):
        status, output = await gateway(
            "schemas", "activate", "jz-1.0.9-ruim", "--door", who, site=site
        )
        assert (status != 0, "command.door" in output) == (True, True), output
    assert not (site.folder / "data" / "packs" / "activations.toml").exists()
