import shutil
from contextlib import suppress

import pytest

from gateway.cli.demo.postgres import Postgres
from gateway.cli.demo.sites import make_sites
from tests.conftest import QUICK
from tests.stops.running import Starter

SETTINGS = {
    "worker": "grace_seconds = 2.0\ntrouble_wait_seconds = 0.2\nlongest_wait_seconds = 1.0",
}


def settings(site, **sections):
    """Put lines at the start of sections of its gateway.toml."""
    text = site.config.read_text(encoding="utf-8")
    for section, lines in sections.items():
        assert f"[{section}]\n" in text
        text = text.replace(f"[{section}]\n", f"[{section}]\n{lines}\n")
    site.config.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four installations; keys take a while to make, so a module shares them."""
    return make_sites(tmp_path_factory.mktemp("sites"))


@pytest.fixture
def sites(made):
    """The four, without data."""
    kept = {site: site.config.read_text(encoding="utf-8") for site in made.by_place.values()}
    for site in kept:
        with suppress(FileNotFoundError):
            shutil.rmtree(site.folder / "data")
        settings(site, **SETTINGS)
    yield made
    for site, text in kept.items():
        site.config.write_text(text, encoding="utf-8")


@pytest.fixture
async def starter(tmp_path):
    made = Starter(tmp_path)
    yield made
    await made.close()


@pytest.fixture
def server():
    """A PostgreSQL of the test's own, to be maltreated."""
    made = Postgres.make(settings=QUICK)
    yield made
    made.remove()


def on_postgresql(site, server, name="stops"):
    """Make a database for the installation; return its URL."""
    url = server.create(name)
    settings(site, database=f'url = "{url}"')
    return url
