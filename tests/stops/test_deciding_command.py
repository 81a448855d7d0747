"""An officer decides at the command line: over the socket of the OM's process, and without it."""

import asyncio
import json
import stat
from datetime import UTC, datetime
from hashlib import sha256
from uuid import uuid4

import pytest

from gateway.cli.demo.documents import document
from gateway.cli.demo.sites import OFFICERS, POLITIE
from tests.stops.running import PATIENCE, Running
from tests.stops.test_confirming import audited, done
from tests.stops.test_renewing import cli

FIRST = OFFICERS[0].id
GROUND = ("--grond", "Aanwijzing 15.1; geen opsporingsbelang")


@pytest.fixture
async def om(sites, starter):
    """The process of the OM, with the knooppunt and the police behind it."""
    for place in ("knooppunt", "politie"):
        await starter.start(sites.by_place[place])
    return await starter.start(sites.by_place["om"])


async def toets(om: Running, *arguments) -> str:
    return await done(om.site, "toets", *arguments)


async def held(sites) -> tuple[str, bytes]:
    """Hand in a melding on a running investigation; return its id and octets."""
    octets = document(
        "vtMeldingDi01",
        zender=sites.by_place["politie"].address,
        ontvanger=sites.by_place["veilig-thuis"].address,
        referentienummer=str(uuid4()),
        zaak=f"{POLITIE.oin}-{uuid4().hex[:8]}",
        at=datetime.now(UTC),
    )
    async with sites.by_place["politie"].back_end(sites.anchors) as system:
        status, answer = await system.hand_in(octets, onderzoek=True, wpg_artikel="8")
    assert (status, answer["status"]) == (202, "vastgehouden"), answer
    return answer["id"], octets


async def asked(om: Running) -> dict:
    """Wait for the request; return it as it is listed."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for one in json.loads(await toets(om, "lijst", "--json"))["verzoeken"]:
                return one
            await asyncio.sleep(0.1)


async def state(sites, id_) -> str:
    async with sites.by_place["politie"].back_end(sites.anchors) as system:
        return (await system.message(id_))["status"]


async def comes_to(sites, id_, wanted: str) -> None:
    """Wait until the message is there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if await state(sites, id_) == wanted:
                return
            await asyncio.sleep(0.1)


async def test_an_officer_decides_with_and_without_a_process(sites, om, starter, tmp_path):
    id_, octets = await held(sites)
    one = await asked(om)
    request = one["id"]
    assert one["referentienummer"] in await toets(om, "lijst")
    assert "onderzoek" in await toets(om, "toon", request)

    file = tmp_path / "bericht.xml"
    reading = ("lees", request, "--officier", FIRST, "--doel", "toets op opsporingsbelang")
    await toets(om, *reading, "--uit", file)
    assert file.read_bytes() == octets
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sha256(octets).hexdigest() == one["sha256"]
    assert "system.error" in (await cli(om.site, "toets", *reading, "--uit", file))[2]

    assert "In behandeling bij" in await toets(om, "neem", request, "--officier", FIRST)
    said = await toets(
        om, "besluit", request, "--officier", FIRST, "--uitkomst", "vrijgeven", *GROUND,
        "--door", "jansen",
    )  # fmt: skip
    assert "genomen" in said
    await comes_to(sites, id_, "bezorgd")
    assert json.loads(await toets(om, "lijst", "--json"))["verzoeken"] == []
    (read, *_) = await audited(om.site, "toets.read")
    assert (read.actor, read.data["purpose"]) == (FIRST, "toets op opsporingsbelang")
    commands = await audited(om.site, "toets.by_command")
    assert [c.data["ask"] for c in commands] == ["lees", "lees", "neem", "besluit"]
    assert (commands[-1].actor, commands[-1].data["officer"]) == ("jansen", FIRST)
    assert not om.said("control.failed")

    # Nobody serves: the command does it, and the process carries it out when it is there again.
    other, _ = await held(sites)
    request = (await asked(om))["id"]
    assert await om.stop() == 0
    said = await toets(
        om, "besluit", request, "--officier", FIRST, "--uitkomst", "nietVrijgeven", *GROUND,
        "--melden", "Er is een opsporingsbelang.",
    )  # fmt: skip
    assert "nietVrijgeven" in said
    assert await state(sites, other) == "vastgehouden"
    await starter.start(om.site)
    await comes_to(sites, other, "niet vrijgegeven")
