"""Chromium of the system, and the console over TLS; without Chromium nothing here can pass."""

import shutil
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import async_playwright

from gateway.outbound.tls import server_context
from tests.consoles import PASSWORD, console
from tests.flow.town import OM, POLITIE
from tests.outbound.tls_files import pair
from tests.pki import live_leaf

SLOWEST = 15_000
"""Milliseconds that a step may take."""


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "install Debian's package chromium"
    return found


@pytest.fixture(scope="session")
async def engine(chromium):
    """One Chromium for all: each visit has a context of its own, that shares nothing."""
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield made
        await made.close()


@pytest.fixture
async def om(tmp_path):
    tls = server_context(pair(tmp_path, live_leaf(), "tls"))
    async with console(tmp_path / "town", OM, tls=tls) as made:
        yield made


@pytest.fixture
async def police(tmp_path):
    tls = server_context(pair(tmp_path, live_leaf(), "tls"))
    async with console(tmp_path / "town", POLITIE, tls=tls) as made:
        yield made


@pytest.fixture
def visiting(engine):
    """Open a browser of its own: its pages complain of nothing."""

    @asynccontextmanager
    async def visit(made, **given):
        context = await engine.new_context(
            ignore_https_errors=True, base_url=made.url, locale="nl-NL", **given
        )
        context.set_default_timeout(SLOWEST)
        page = await context.new_page()
        complaints = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
        )
        yield page
        assert complaints == []
        await context.close()

    return visit


async def sign_in(page, made, user):
    await page.goto("/aanmelden")
    await page.fill("#veld-login", user.login)
    await page.fill("#veld-wachtwoord", PASSWORD)
    await page.click("form[action='/aanmelden'] button")
    await page.fill("#veld-code", made.code(user))
    await page.click("form[action='/aanmelden/code'] button")
    await page.wait_for_selector("text=Afmelden")
