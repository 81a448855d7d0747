"""A database that can not be written: what partners, back-ends and operators see of it."""

import asyncio
import resource
from dataclasses import fields
from datetime import UTC, datetime
from uuid import uuid4

import aiohttp
import pytest

from gateway.cli.demo.documents import document
from gateway.cli.demo.partner import Partner
from tests.stops.conftest import on_postgresql

TROUBLES = ("full", "readonly")


class Frank(Partner):
    """A partner that keeps how it was answered."""

    __slots__ = ("answer",)

    @classmethod
    def like(cls, partner):
        same = {f.name: getattr(partner, f.name) for f in fields(partner)}
        return cls(**same | {"documents": asyncio.Queue(), "signals": asyncio.Queue()})

    async def _post(self, url, body, content_type):
        headers = {"Content-Type": content_type, "SOAPAction": '"ebXML"'}
        connector = aiohttp.TCPConnector(ssl=self.client_tls)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(url, data=body, headers=headers) as answer,
        ):
            self.answer = answer.status, answer.headers.get("Retry-After"), await answer.text()


def melding(sender, sites):
    return document(
        "vtMeldingDi01",
        zender=sender,
        ontvanger=sites.by_place["veilig-thuis"].address,
        referentienummer=str(uuid4()),
        zaak="PL0000-1",
        at=datetime.now(UTC),
    )


@pytest.fixture(params=TROUBLES)
def disk(request, tmp_path):
    """Whole at first; its word is what will be the matter with it."""
    path = tmp_path / "disk"
    path.write_text("", encoding="utf-8")
    return path, request.param


async def _hand_in(site, sites, octets):
    async with (
        site.back_end(sites.anchors) as system,
        system._open.post(
            "/api/v1/berichten",
            data=octets,
            params={"acuut": "false", "onderzoek": "false", "wpgArtikel": "8"},
            headers={"Content-Type": "application/xml"},
        ) as answer,
    ):
        return answer.status, answer.headers.get("Retry-After"), await answer.json()


async def test_a_back_end_is_told_to_come_back_and_operators_see_why(sites, starter, disk):
    path, trouble = disk
    site = sites.by_place["politie"]
    running = await starter.start(site, disk=path)
    octets = melding(site.address, sites)

    path.write_text(trouble, encoding="utf-8")
    while (answer := await _hand_in(site, sites, octets))[0] == 202:
        octets = melding(site.address, sites)
    refused = [answer, *[await _hand_in(site, sites, octets) for _ in range(5)]]
    status, reasons = await running.health()
    down, readable = (
        await running.figure("gateway_store_down_seconds"),
        await running.figure("gateway_store_up"),
    )
    async with site.back_end(sites.anchors) as system:
        seen = await system.postvak(wait=0)
    path.write_text("", encoding="utf-8")
    await running.is_ready()
    taken = await _hand_in(site, sites, octets)
    lines = running.said("store.trouble")
    assert await running.stop() == 0

    codes = {body["code"] for _, _, body in refused}
    assert {(status, wait) for status, wait, _ in refused} == {(503, "30")}
    assert all(body["herhalen"] for _, _, body in refused)
    assert codes <= {f"store.{trouble}", "store.outcome_unknown"}
    assert (status, reasons) == (503, [f"Er kan niets worden vastgelegd (store.{trouble})."])
    assert (down > 0, readable, seen) == (True, 1.0, [])
    assert taken[0] == 202
    assert [line["code"] for line in lines] == [f"store.{trouble}"]
    assert len(running.said("store.recovered")) == 1


async def test_a_partner_gets_503_and_never_an_acknowledgement(sites, starter, disk):
    path, trouble = disk
    running = await starter.start(sites.by_place["knooppunt"], disk=path)
    halt = Frank.like(sites.halt)
    octets = melding(sites.halt_address, sites)

    async with halt:
        path.write_text(trouble, encoding="utf-8")
        await halt.send(octets, "vtMeldingDi01")
        while halt.answer[0] == 204:
            await halt.send(melding(sites.halt_address, sites), "vtMeldingDi01")
        refused = halt.answer
        while not halt.signals.empty():
            halt.signals.get_nowait()
        path.write_text("", encoding="utf-8")
        await running.is_ready()
        await halt.send(octets, "vtMeldingDi01")
        taken = halt.answer
        acknowledged = await halt.signals.get()
    assert await running.stop() == 0

    assert refused[:2] == (503, "30")
    assert "Fault" in refused[2]
    assert "Acknowledgment" not in refused[2]
    assert taken[0] == 204
    assert acknowledged.header.action == "Acknowledgment"


async def test_a_disk_that_fails_and_is_mended(sites, starter):
    """No file of the process may grow: SQLite hears an error of the disk, not that it is full."""
    site = sites.by_place["politie"]
    starter.fresh = True
    running = await starter.start(site)
    pid, octets = running.process.pid, melding(site.address, sites)
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (500_000, most))
    while (answer := await _hand_in(site, sites, octets))[0] == 202:
        octets = melding(site.address, sites)
    health = await running.health()
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
    await running.is_ready()
    taken = await _hand_in(site, sites, octets)
    assert await running.stop() == 0

    assert answer[:2] == (503, "30")
    assert health == (503, ["Er kan niets worden vastgelegd (store.disk)."])
    assert taken[0] == 202
    assert [line["code"] for line in running.said("store.trouble")] == ["store.disk"]


async def test_postgresql_away_and_back(sites, starter, server):
    site = sites.by_place["politie"]
    on_postgresql(site, server)
    running = await starter.start(site)
    octets = melding(site.address, sites)

    server.stop(mode="immediate")
    status, wait, body = await _hand_in(site, sites, octets)
    health = await running.health()
    server.start()
    await running.is_ready()
    taken = await _hand_in(site, sites, octets)
    await running.says("alarm.raised")
    assert await running.stop() == 0

    assert (status, wait, body["code"]) == (503, "30", "store.gone")
    assert health[0] == 503
    assert taken[0] == 202
    assert [line["code"] for line in running.said("store.trouble")] == ["store.gone"]
