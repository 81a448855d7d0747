"""Mail in quarantine in the console: seen without its content, read with a purpose, closed."""

from contextlib import asynccontextmanager

import pytest

from gateway.credentials import UserRole
from gateway.directory import OwnMailbox
from gateway.ports.incoming import Arrived
from gateway.wire.mail_make import entity
from tests.consoles import console
from tests.flow import mailbox
from tests.flow.letters import POLITIE_MAIL
from tests.flow.mailbox import give, held, multipart, plain_mail, signed_mail
from tests.flow.town import HUB, VT

PURPOSE = "Nagaan of er een bericht in zit"
READ = {"doel": PURPOSE}
EVIL = "<script>alert(1)</script>"
HTML = entity({}, b"<img src=https://eve.example/x>", kind="text/html")
PDF = entity({}, b"%PDF-1.7", kind="application/pdf", name="../../geheim.pdf")
CLOSING = {"grond": "afgehandeld", "toelichting": "teruggebeld"}


@pytest.fixture
async def vt(tmp_path):
    town, _ = await mailbox.build(tmp_path)
    async with console(tmp_path, VT, town=town) as made:
        yield made
    await town.close()


@asynccontextmanager
async def visiting(made, login, role):
    user = await made.user(login, role)
    async with made.browser() as browser:
        await browser.sign_in(user)
        yield browser


@pytest.fixture
async def otto(vt):
    async with visiting(vt, "otto", UserRole.OPERATOR) as browser:
        yield browser


async def one(vt, octets=None):
    """Let a mail come in; return the address of its page."""
    await give(vt.town, octets or plain_mail(vt.town, f"Wilt u mij bellen? {EVIL}"))
    return f"/quarantaine/{(await held(vt.town))[0].id}"


async def events(vt, name):
    rows = await vt.town[vt.oin].store.reader.audit(after=0, limit=500)
    return [row.event for row in rows if row.event.event == name]


async def test_the_list_says_when_of_whom_and_why_and_nothing_of_what_it_says(vt, otto):
    assert "Er staat geen e-mail open." in (await otto.get("/quarantaine")).words
    await one(vt)
    await one(vt, signed_mail(vt.town, b"Content-Type: text/plain\r\n\r\nhallo"))
    await one(vt, plain_mail(vt.town, "x", From=POLITIE_MAIL))

    page = await otto.get("/quarantaine")

    for text in ("incoming.plain", "incoming.person", "zegt politie te zijn", "onbekend"):
        assert text in page.words
    for text in ("bellen", "Vraag", "iemand@elders.example"):
        assert text not in page.text
    assert await events(vt, "incoming.read") == []


async def test_the_list_is_paged_newest_first(vt, otto):
    for n in range(51):
        await give(vt.town, plain_mail(vt.town, f"nummer {n}"))

    first = await otto.get("/quarantaine")
    (onward,) = first.tree.xpath("//a[@rel='next']/@href")
    second = await otto.get(onward)

    assert len(first.tree.xpath("//tbody/tr")) == 50
    assert len(second.tree.xpath("//tbody/tr")) == 1
    assert (await otto.get(onward + "x")).status == 422


async def test_reading_asks_for_a_purpose_and_is_written_down_first(vt, otto):
    path = await one(vt)
    page = await otto.get(path)
    assert "bellen" not in page.text
    assert (await otto.get(f"{path}/lezen")).path == path
    assert (await otto.get(f"{path}/bestand")).path == path
    assert (await otto.post(f"{path}/inzage", {})).status == 422
    assert await events(vt, "incoming.read") == []

    read = await otto.post(f"{path}/inzage", READ)

    assert read.path == f"{path}/lezen"
    for text in ("Wilt u mij bellen?", "iemand@elders.example", "Vraag", PURPOSE):
        assert text in read.words
    (event,) = await events(vt, "incoming.read")
    assert (event.actor, event.data["purpose"]) == ("otto", PURPOSE)
    assert path.endswith(event.message)


async def test_what_somebody_wrote_is_text_and_acts_on_nothing(vt, otto):
    path = await one(vt, plain_mail(vt.town, EVIL, Subject=EVIL, From=f"{EVIL} <a@b.example>"))

    await otto.get(path)
    read = await otto.post(f"{path}/inzage", READ)

    assert read.text.count("&lt;script&gt;") == 3
    assert EVIL not in read.text
    assert not [link for link in read.links() if link and link.startswith("http")]


async def test_attachments_come_as_files_that_no_browser_opens(vt, otto):
    text = b"Content-Type: text/plain\r\n\r\nzie bijlage"
    path = await one(vt, signed_mail(vt.town, multipart(text, HTML, PDF)))
    await otto.get(path)
    read = await otto.post(f"{path}/inzage", READ)
    assert "eve.example" not in read.text
    assert "geheim.pdf" in read.words

    for n, name, begin in ((2, "bijlage-2.bin", "<img"), (3, "bijlage-3.pdf", "%PDF")):
        answer = await otto.get(f"{path}/bijlagen/{n}")
        assert answer.text.startswith(begin)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["Content-Type"].startswith("application/octet-stream")
        assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert (await otto.get(f"{path}/bijlagen/9")).status in (400, 422)
    whole = await otto.get(f"{path}/bestand")
    assert whole.text.startswith("Content-Type: multipart/mixed")
    assert len(await events(vt, "incoming.read")) == 5


async def test_a_mail_is_taken_and_closed_with_a_ground(vt, otto):
    path = await one(vt)
    await otto.get(path)

    assert "otto" in (await otto.post(f"{path}/neem")).words
    async with visiting(vt, "olga", UserRole.OPERATOR) as olga:
        await olga.get(path)
        assert "quarantaine.genomen" in (await olga.post(f"{path}/sluit", CLOSING)).words
    assert (await otto.post(f"{path}/sluit", {"grond": "x"})).status == 422
    closed = await otto.post(f"{path}/sluit", CLOSING)

    assert "Afgesloten" in closed.words
    (event,) = await events(vt, "incoming.closed")
    assert (event.actor, event.data["ground"], event.data["reason"]) == (
        "otto",
        "afgehandeld",
        "teruggebeld",
    )
    assert "Er staat geen e-mail open." in (await otto.get("/quarantaine")).words
    assert "afgehandeld" in (await otto.get("/quarantaine?wat=alles")).words
    await otto.get(path)
    assert "quarantaine.gesloten" in (await otto.post(f"{path}/neem")).words


async def test_what_was_destroyed_is_not_read_any_more(vt, otto):
    path = await one(vt)
    await otto.get(path)
    await otto.post(f"{path}/inzage", READ)
    await otto.get(path)
    await otto.post(f"{path}/sluit", CLOSING)
    store = vt.town[VT].store
    vt.town.clock.forward(hours=25)
    assert await store.retention.dispose_mail() == 1

    async with visiting(vt, "olga", UserRole.OPERATOR) as olga:
        page = await olga.get(path)
        assert "de inhoud is vernietigd" in page.words
        gone = await olga.post(f"{path}/inzage", READ)
        assert "vernietigd" in gone.words
        assert "bellen" not in gone.text
        assert (await olga.get(f"{path}/bestand")).status == 410


async def test_who_looks_after_certificates_sees_that_it_is_there_and_reads_nothing(vt):
    path = await one(vt)
    async with visiting(vt, "bea", UserRole.BEHEERDER) as bea:
        page = await bea.get(path)
        assert "incoming.plain" in page.words
        for action in ("inzage", "neem", "sluit"):
            assert (await bea.post(f"{path}/{action}", READ)).status == 403
        for action in ("lezen", "bestand", "bijlagen/1"):
            assert (await bea.get(f"{path}/{action}")).status == 403


async def test_what_is_not_there_is_not_found(otto):
    assert (await otto.get("/quarantaine/anders")).status == 404


async def test_people_of_a_knooppunt_read_nothing(vt, tmp_path):
    hub = vt.town[HUB]
    box = OwnMailbox(address="gateway@hub.example", certificates=())
    await hub.change(mailbox=box)
    mail = Arrived(octets=plain_mail(vt.town), sender="", at=vt.town.clock.now())
    await hub.gateway.take_mail(mail)
    (item,) = await hub.store.quarantine.items(limit=9, open_only=True)
    path = f"/quarantaine/{item.id}"

    async with (
        console(tmp_path, HUB, town=vt.town) as made,
        visiting(made, "otto", UserRole.OPERATOR) as otto,
    ):
        page = await otto.get(path)
        await otto.post(f"{path}/inzage", READ)
        tried = await otto.get(f"{path}/lezen")

    assert "lezen geen inhoud" in page.words
    assert "quarantaine.knooppunt" in tried.words
    assert "bellen" not in tried.text
