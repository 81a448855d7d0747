"""A certificate is renewed while connections are open and requests are under way."""

import asyncio
import os
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from io import StringIO

import pytest
from rich.console import Console

from gateway.cli.certs_import import Request, import_
from gateway.cli.look import look
from gateway.errors import CertificateRejected
from gateway.keys.offered import Target
from gateway.keys.test_pki import LeafUsage
from tests.spawning import program
from tests.stops.conftest import on_postgresql
from tests.stops.running import ROOT, eventually

BODY = b"--x\r\nContent-Type: text/xml\r\n\r\n<geen-soap/>\r\n--x--\r\n"
HEAD = (
    b'POST /ebms HTTP/1.1\r\nHost: localhost\r\nSOAPAction: "ebXML"\r\n'
    b"Content-Type: multipart/related; boundary=x\r\nContent-Length: %d\r\n\r\n" % len(BODY)
)


@pytest.fixture(autouse=True)
def as_they_were(made):
    """The installations are shared by a module: put keys and trust back."""
    folders = [
        site.folder / name for site in made.by_place.values() for name in ("keys", "trust/crls")
    ]
    files = {path: path.read_bytes() for folder in folders for path in folder.iterdir()}
    yield
    for folder in folders:
        for path in folder.iterdir():
            if path not in files:
                path.unlink()
    for path, octets in files.items():
        path.write_bytes(octets)


async def cli(site, *arguments) -> tuple[int, str, str]:
    """Run a command as somebody types it: in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *program("-m", "gateway", *map(str, arguments), "-c", str(site.folder)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def imported(site, file, key=None, target=None) -> str:
    """Do what the command does, without the start of Python; return what it prints."""
    console = Console(record=True, width=200, file=StringIO(), markup=False)
    request = Request(
        config=site.folder,
        file=file,
        key=key,
        target=target,
        fingerprint="",
        only_check=False,
        who="proef",
    )
    await asyncio.to_thread(import_, request, console)
    return console.export_text()


def fresh(sites, place, folder, usage=LeafUsage.TLS, **given):
    """Issue another certificate for the party; return it and the files that offer it."""
    party = sites.by_place[place].party
    leaf = sites.pki.issue(oin=party.oin, name=party.name, usage=usage, **given)
    leaf.write(folder, "fresh")
    return leaf, (folder / "fresh.pem", folder / "fresh.key")


@asynccontextmanager
async def connection(sites, port, *, client=True):
    """A TLS connection of a partner, or of a back-end system without a certificate."""
    context = ssl.create_default_context(cafile=sites.anchors)
    if client:
        keys = sites.by_place["politie"].folder / "keys"
        context.load_cert_chain(keys / "tls.pem", keys / "tls.key")
    reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
    try:
        yield reader, writer
    finally:
        writer.close()
        try:
            await asyncio.wait_for(writer.wait_closed(), 5)
        except (OSError, TimeoutError):
            writer.transport.abort()
            await asyncio.sleep(0)  # the socket is closed by the loop


def shown(writer) -> str:
    return sha256(writer.get_extra_info("ssl_object").getpeercert(True)).hexdigest()


async def shown_now(sites, port) -> str:
    async with connection(sites, port) as (_, writer):
        return shown(writer)


async def answer(reader) -> int:
    """Read one answer whole; return its status."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    lines = head.decode().lower().split("\r\n")
    length = next((int(li.split(":")[1]) for li in lines if li.startswith("content-length")), 0)
    await reader.readexactly(length)
    return int(lines[0].split()[1])


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_a_renewed_tls_certificate_drops_no_connection_and_no_request(
    database, sites, starter, tmp_path, request
):
    site = sites.by_place["knooppunt"]
    running = []
    if database == "postgresql":
        on_postgresql(site, request.getfixturevalue("server"))
        running.append(await starter.start(site, "--beheer-port", str(site.ports[1])))
    running.append(await starter.start(site))
    before = await shown_now(sites, site.ports[0])
    leaf, offer = fresh(sites, "knooppunt", tmp_path)
    after = sha256(leaf.certificate).hexdigest()

    async with (
        connection(sites, site.ports[0]) as (kept, kept_writer),
        connection(sites, site.ports[0]) as (half, half_writer),
    ):
        kept_writer.write(HEAD + BODY)
        first = await answer(kept)
        half_writer.write(HEAD + BODY[:10])
        await half_writer.drain()

        if database == "sqlite":
            given = (offer[0], "--key", offer[1], "--voor", "tls")
            status, out, err = await cli(site, "certs", "import", *given)
            assert (status, err) == (0, "")
        else:
            out = await imported(site, *offer, Target.TLS)

        half_writer.write(BODY[10:])
        kept_writer.write(HEAD + BODY)
        answers = (first, await answer(kept), await answer(half))
        old = {shown(kept_writer), shown(half_writer)}
    new = {await shown_now(sites, site.ports[0]) for _ in range(12)}

    assert "toont het nieuwe certificaat" in out
    assert answers == (500, 500, 500)
    assert old == {before}
    assert new == {after}
    for process in running:
        assert process.said("directory.reloaded")
    kept_files = sorted(path.name for path in (site.folder / "keys").glob("*.oud"))
    assert [name.split(".")[:2] for name in kept_files] == [["tls", "key"], ["tls", "pem"]]
    rows = await asyncio.to_thread(_audit, site)
    assert [r.event.data["sha256"] for r in rows if r.event.event == "certificate.imported"] == [
        after
    ]
    for process in running:
        assert await process.stop() == 0


def _audit(site):
    return look(site.folder, lambda view: view.reader.audit(after=0, limit=1000))


async def test_a_long_poll_of_a_back_end_goes_on_across_the_swap(sites, starter, tmp_path):
    site = sites.by_place["politie"]
    await starter.start(site)
    leaf, offer = fresh(sites, "politie", tmp_path)
    ask = (
        f"GET /api/v1/postvak?wacht=8 HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {site.token}\r\n\r\n"
    ).encode()

    async with connection(sites, site.ports[1], client=False) as (reader, writer):
        writer.write(ask)
        await writer.drain()
        out = await imported(site, *offer, Target.API)
        polled = await answer(reader)

    assert "die veranderen mee" in out
    assert polled == 200
    for port in site.ports[:2]:
        assert await shown_now(sites, port) == sha256(leaf.certificate).hexdigest()


async def test_a_signing_key_and_a_list_count_without_a_restart(sites, starter, tmp_path):
    site = sites.by_place["politie"]
    running = await starter.start(site)
    _, offer = fresh(sites, "politie", tmp_path, usage=LeafUsage.SIGN)
    (tmp_path / "issuing.crl").write_bytes(sites.pki.crls(at=datetime.now(UTC))[1])

    signing = await imported(site, *offer)
    with pytest.raises(CertificateRejected) as again:
        await imported(site, *offer)
    await imported(site, tmp_path / "issuing.crl")

    assert "nieuwe CPA" in signing
    assert again.value.code == "certs.same"
    assert len(list((site.folder / "keys").glob("ondertekening-*.key"))) == 1
    assert (site.folder / "keys" / "sign.key").exists()
    assert (site.folder / "trust" / "crls" / "issuing.crl.vorig").exists()
    await eventually(
        lambda: any(entry["changed"] for entry in running.said("directory.reloaded")),
        "the list in the directory",
    )
    assert await running.health() == (200, [])


async def test_a_refused_certificate_changes_nothing(sites, starter, tmp_path):
    site = sites.by_place["knooppunt"]
    await starter.start(site)
    _, offer = fresh(sites, "om", tmp_path)
    before = await shown_now(sites, site.ports[0])
    files = {path: path.read_bytes() for path in (site.folder / "keys").iterdir()}

    with pytest.raises(CertificateRejected) as refused:
        await imported(site, *offer, Target.TLS)

    assert refused.value.code == "certs.party"
    assert files == {path: path.read_bytes() for path in (site.folder / "keys").iterdir()}
    assert await shown_now(sites, site.ports[0]) == before
