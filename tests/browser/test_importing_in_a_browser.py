"""A file goes in by a real browser, with and without script; what is shown of it passes axe."""

import os
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.credentials import UserRole
from gateway.keys.test_pki import pem
from gateway.outbound.tls import server_context
from gateway.wire.ebms2.cpa_make import make_cpa
from tests import pki
from tests.browser.conftest import sign_in
from tests.browser.test_console_in_a_browser import LOOKS, judged, wide
from tests.consoles import console
from tests.cpas import party, spec
from tests.flow.town import POLITIE
from tests.installations import installed
from tests.outbound.tls_files import pair

NEW = "/certificaten/nieuw"


@pytest.fixture
def files(tmp_path):
    return installed(tmp_path / "files")


@pytest.fixture
async def police(tmp_path, files):
    tls = server_context(pair(tmp_path, pki.live_leaf(), "tls"))
    async with console(tmp_path / "town", POLITIE, tls=tls, files=files) as made:
        yield made


@asynccontextmanager
async def bea_in(police, visiting, **look):
    async with visiting(police, **look) as page:
        user = police.users.get("bea") or await police.user("bea", UserRole.BEHEERDER)
        await sign_in(page, police, user)
        yield page


def file(name: str, octets: bytes) -> dict:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": octets}


def renewed(files) -> bytes:
    """Another certificate for signing, of which the key stands on the machine already."""
    leaf = pki.pki().issue(oin=pki.POLITIE, name="TEST Vernieuwd", usage="sign")
    (files / "keys" / "nieuw.key").write_bytes(leaf.key)
    (files / "keys" / "nieuw.key").chmod(0o600)
    return pem(leaf.certificate)


async def picture(page, name: str) -> None:
    """Keep what is seen where somebody wants to look: SCREENSHOTS=FOLDER."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_certificate_is_chosen_seen_and_put_in_use(police, files, visiting, script):
    octets = renewed(files)
    async with bea_in(police, visiting, java_script_enabled=script) as page:
        await page.goto("/certificaten")
        await page.click("text=Certificaat of intrekkingslijst vernieuwen")
        await page.set_input_files("#veld-bestand", file("nieuw.pem", octets))
        await page.click("text=Bekijken wat het verandert")
        await page.click("text=In gebruik nemen")
        await page.wait_for_selector("text=Het staat er.")

    assert list((files / "keys").glob("ondertekening-*.pem"))


async def test_axe_finds_nothing_where_certificates_go_in(police, files, visiting):
    octets, found = renewed(files), []
    for number, look in enumerate(LOOKS):
        async with bea_in(police, visiting, **look) as page:
            await page.goto(NEW)
            found += await judged(page, NEW)
            await page.set_input_files("#veld-bestand", file("x.pem", b"geen certificaat"))
            await page.click("text=Bekijken wat het verandert")
            await page.wait_for_selector("text=certs.unreadable")
            found += await judged(page, "refused")
            await picture(page, f"certificaat-geweigerd-{number}")
            await page.set_input_files("#veld-bestand", file("x.pem", octets))
            await page.click("text=Bekijken wat het verandert")
            await page.wait_for_selector("text=In gebruik nemen")
            found += await judged(page, "to confirm")
            await picture(page, f"certificaat-controle-{number}")
            assert not await wide(page)
            police.office.importer.may_write = lambda _: False
            await page.reload()
            found += await judged(page, "closed")
            await picture(page, f"certificaat-dicht-{number}")
            assert not await wide(page)
            police.office.importer.may_write = lambda _: True
    assert found == []


CPA = "/afspraken/nieuw"


def cpa() -> bytes:
    """Another agreement with the knooppunt: an action more, fewer retries, another address."""
    sides = (
        party(pki.POLITIE, "politie", "vtMeldingDi01", "vcobDi01"),
        replace(
            party(pki.KNOOPPUNT, "knooppunt", "Bv01Bericht"), endpoint="https://n.example/ebms"
        ),
    )
    return make_cpa(spec(cpa_id="politie_knooppunt_2", parties=sides, start=pki.AT, retries=3))


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_an_agreement_is_chosen_seen_and_put_in_use(police, files, visiting, script):
    async with bea_in(police, visiting, java_script_enabled=script) as page:
        await page.goto("/partners")
        await page.click("text=Nieuwe afspraak (CPA)")
        await page.set_input_files("#veld-bestand", file("nieuw.xml", cpa()))
        await page.click("text=Bekijken wat het verandert")
        await page.click("text=In gebruik nemen")
        await page.wait_for_selector("text=De afspraak staat er.")

    assert len(list((files / "agreements").glob("*.xml"))) == 2


async def test_axe_finds_nothing_where_agreements_go_in(police, visiting):
    found = []
    for number, look in enumerate(LOOKS):
        async with bea_in(police, visiting, **look) as page:
            await page.goto(CPA)
            found += await judged(page, CPA)
            await page.set_input_files("#veld-bestand", file("x.xml", b"<x/>"))
            await page.click("text=Bekijken wat het verandert")
            await page.wait_for_selector("text=cpa.root")
            found += await judged(page, "refused")
            await page.set_input_files("#veld-bestand", file("x.xml", cpa()))
            await page.click("text=Bekijken wat het verandert")
            await page.wait_for_selector("text=In gebruik nemen")
            found += await judged(page, "to confirm")
            await picture(page, f"afspraak-controle-{number}")
            assert not await wide(page)
            await page.click("text=English")
            await page.wait_for_selector("text=Put into use")
            found += await judged(page, "in English")
            await picture(page, f"afspraak-controle-en-{number}")
            await page.click("text=Nederlands")
    assert found == []
