"""The management listener."""

from contextlib import asynccontextmanager

import aiohttp

from gateway.errors import StoreUnavailable
from gateway.metrics import MOST_LABELS, OTHER, Metrics
from gateway.web.health import health_app
from tests.outbound.tls_files import serving
from tests.web.doubles import Books, Clock


@asynccontextmanager
async def management(reasons: tuple[str, ...] = (), *, reader: Books | None = None):
    async def ready() -> tuple[str, ...]:
        return reasons

    metrics = Metrics()
    app = health_app(ready=ready, metrics=metrics, reader=reader or Books(), clock=Clock())
    async with serving(app) as url, aiohttp.ClientSession(url) as session:
        yield session, metrics


async def page(session: aiohttp.ClientSession) -> list[str]:
    async with session.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain")
        return (await response.text()).splitlines()


async def test_alive_is_only_that():
    async with (
        management(("de database is weg",)) as (session, _),
        session.get("/health/live") as response,
    ):
        assert response.status == 200


async def test_ready_when_there_is_no_reason_against_it():
    async with management() as (session, _), session.get("/health/ready") as response:
        assert response.status == 200
        assert await response.json() == {"status": "gereed", "redenen": []}


async def test_not_ready_says_why():
    async with (
        management(("de CRL is verlopen",)) as (session, _),
        session.get("/health/ready") as response,
    ):
        assert response.status == 503
        assert (await response.json())["redenen"] == ["de CRL is verlopen"]


async def test_figures_tell_of_messages_deliveries_and_certificates():
    async with management() as (session, metrics):
        metrics.received("vtMeldingDi01", "accepted")
        metrics.received("vtMeldingDi01", "accepted")
        metrics.refused("signature.missing")
        metrics.attempted("bericht", "HandedOver", 0.03)
        metrics.certificates({("tls", "00000099000000000001", "0a" * 8): 12.5})
        metrics.revocation_lists({"TEST CA": -3.0})
        lines = await page(session)

    assert 'gateway_messages_total{soort="vtMeldingDi01",uitkomst="accepted"} 2.0' in lines
    assert 'gateway_refusals_total{code="signature.missing"} 1.0' in lines
    assert 'gateway_attempt_seconds_count{soort="bericht",uitkomst="HandedOver"} 1.0' in lines
    assert 'gateway_deliveries{status="held"} 2.0' in lines
    assert 'gateway_deliveries{status="ready"} 0.0' in lines
    assert 'gateway_queue{wat="due"} 5.0' in lines
    assert 'gateway_alarms{code="delivery.unknown"} 3.0' in lines
    labels = 'gebruik="tls",oin="00000099000000000001",sha256="0a0a0a0a0a0a0a0a"'
    assert f"gateway_certificate_expiry_seconds{{{labels}}} 12.5" in lines
    assert 'gateway_crl_next_update_seconds{uitgever="TEST CA"} -3.0' in lines
    assert "gateway_store_up 1.0" in lines


async def test_counters_stay_readable_when_the_store_is_not():
    reader = Books(error=StoreUnavailable("store.failed", "gone"))
    async with management(reader=reader) as (session, metrics):
        metrics.refused("store.failed")
        lines = await page(session)

    assert "gateway_store_up 0.0" in lines
    assert 'gateway_refusals_total{code="store.failed"} 1.0' in lines
    assert not any(line.startswith("gateway_deliveries{") for line in lines)


async def test_requests_are_counted_by_listener_and_status():
    async with management() as (session, _):
        async with session.get("/health/live"):
            pass
        lines = await page(session)

    assert 'gateway_http_seconds_count{listener="beheer",status="200"} 1.0' in lines


async def test_other_paths_are_not_there():
    async with management() as (session, _), session.get("/api/v1/berichten") as response:
        assert response.status == 404


def test_labels_can_not_fill_the_memory():
    metrics = Metrics()
    for n in range(MOST_LABELS + 50):
        metrics.refused(f"code.{n}")

    text = metrics.exposition()[0].decode()
    assert f'gateway_refusals_total{{code="{OTHER}"}} 50.0' in text
    assert "code.249" not in text


def test_what_housekeeping_left_undone_is_shown():
    metrics = Metrics()

    metrics.retention(due=7, overdue=2, oldest_key_days=1.5)

    text = metrics.exposition()[0].decode()
    assert 'gateway_retention_due{wat="due"} 7.0' in text
    assert 'gateway_retention_due{wat="overdue"} 2.0' in text
    assert "gateway_epoch_key_days 1.5" in text
