"""What a beheerder puts in place through the console: seen first, then confirmed, and recorded."""

import asyncio
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import aiohttp
import pytest

from gateway.credentials import UserRole
from gateway.errors import GatewayError, StoreUnavailable, Unavailable
from gateway.importing import turn as turns
from gateway.importing.importer import Asked, Importer
from gateway.installation import load_directory, load_installation
from gateway.keys.keystore import FileKeyring
from gateway.keys.offered import Target
from gateway.keys.test_pki import pem
from gateway.web.console.pages.beheerder.importing import MOST_FILE
from gateway.wire.ebms2.cpa_make import make_cpa
from tests import pki
from tests.consoles import console
from tests.cpas import party, spec
from tests.flow.test_gate import hand_in, melding
from tests.flow.town import HUB, POLITIE
from tests.installations import installed

NEW, CHECK = "/certificaten/nieuw", "/certificaten/nieuw/controle"
CPA = "/afspraken/nieuw"


@pytest.fixture
def files(tmp_path):
    return installed(tmp_path / "files")


@pytest.fixture
async def police(tmp_path, files):
    async with console(tmp_path / "town", POLITIE, files=files) as made:
        yield made


@pytest.fixture
async def bea(police):
    user = await police.user("bea", UserRole.BEHEERDER)
    async with police.browser() as browser:
        await browser.sign_in(user)
        yield browser


def tree(folder) -> dict[str, bytes]:
    """Everything on the disk of the installation, apart from copies of what was replaced."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".oud")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def renewed(usage="tls", **given):
    """Another certificate of the politie for the key that the installation has already."""
    return pki.pki().issue(
        oin=given.pop("oin", pki.POLITIE), name="TEST Vernieuwd", usage=usage, **given
    )


def with_key(files, leaf, name="nieuw.key"):
    """The key that it was applied for with stands on the machine."""
    path = files / "keys" / name
    path.write_bytes(leaf.key)
    path.chmod(0o600)
    return leaf


async def offer(browser, octets: bytes, to: str = NEW, **fields):
    await browser.get(to)
    form = aiohttp.FormData({"_blijk": browser.last.proof(), **fields})
    form.add_field(
        "bestand", BytesIO(octets), filename="../../etc/passwd", content_type="text/plain"
    )
    headers = {"Origin": "https://console.example", "Sec-Fetch-Site": "same-origin"}
    return await browser._call("POST", to, data=form, headers=headers)


async def confirm(browser, page):
    (mark,) = page.tree.xpath("//input[@name='stand']/@value")
    return await browser.post(page.path, {"stand": mark})


async def audited(police, event) -> list:
    rows = await police.town[POLITIE].store.reader.audit(after=0, limit=10_000)
    return [row.event for row in rows if row.event.event == event]


# --- what is seen, and what comes of it -----------------------------------------------


async def test_a_certificate_for_partners_is_seen_first_and_then_in_use(police, bea, files):
    leaf = with_key(files, renewed())
    before = tree(files)

    page = await offer(bea, pem(leaf.certificate))

    assert page.path == CHECK
    for text in ("TEST Vernieuwd", "Voorbeeld Politie", pki.POLITIE, "Nieuwe verbindingen zien"):
        assert text in page.words
    assert tree(files) == before
    done = await confirm(bea, page)
    assert done.path == "/certificaten?klaar=geplaatst"
    assert (files / "keys" / "tls.pem").read_bytes().startswith(pem(leaf.certificate))
    assert (files / "keys" / "tls.key").stat().st_mode & 0o777 == 0o600
    (event,) = await audited(police, "certificate.imported")
    assert event.actor == "bea"
    assert event.data["sha256"] == sha256(leaf.certificate).hexdigest()


async def test_one_for_signing_waits_for_an_agreement_that_is_named(bea, files):
    leaf = with_key(files, renewed("sign"))

    page = await offer(bea, pem(leaf.certificate))

    assert "moet ook worden vervangen" in page.words
    assert "Het telt pas met een nieuwe CPA" in page.words
    await confirm(bea, page)
    assert FileKeyring(files / "keys").holds(leaf.certificate)


async def test_a_partners_certificate_is_judged_and_nothing_is_written(bea, files):
    before = tree(files)

    page = await offer(bea, pki.pki().issue(oin=pki.KNOOPPUNT, name="TEST", usage="sign").pem)

    assert "Voorbeeld Knooppunt" in page.words
    assert "Er wordt niets geschreven" in page.words
    assert not page.tree.xpath("//input[@name='stand']")
    refused = await bea.post(CHECK, {"stand": "0" * 64})
    assert (refused.status, "certs.moved" in refused.words) == (422, True)
    assert tree(files) == before


async def test_a_fresh_list_takes_the_place_of_the_one_before(bea, files):
    later = pki.pki().crls(at=pki.AT + timedelta(hours=1))[1]

    page = await offer(bea, later)

    assert "Nieuw ingetrokken: 0." in page.words
    done = await confirm(bea, page)
    assert "Het staat er" in done.words
    assert (files / "trust" / "crls" / "issuing.crl").read_bytes() == later
    again = await offer(bea, later)
    assert "certs.same" in again.words


async def test_it_may_be_pasted_and_reads_in_english(bea, files):
    leaf = with_key(files, renewed())
    await bea.get("/taal/en?terug=/ik")
    await bea.get(NEW)

    page = await bea.post(NEW, {"tekst": pem(leaf.certificate).decode()})

    assert "Put into use" in page.words
    wrong = await bea.post(NEW, {"tekst": "geen certificaat"})
    assert "The file is no certificate" in wrong.words


# --- what is refused, and leaves everything as it was ---------------------------------


async def test_a_private_key_is_refused_and_not_kept(police, bea, files):
    leaf = renewed()

    page = await offer(bea, leaf.pem + leaf.key)

    assert (page.status, "certs.key_uploaded" in page.words) == (422, True)
    assert "PRIVATE KEY" not in page.text
    assert "te oud" in (await bea.get(CHECK)).words


REFUSED = {
    "certs.unreadable": lambda: b"geen certificaat",
    "certs.key_elsewhere": lambda: renewed().pem,
    "certs.untrusted": lambda: pem(pki.unknown_issuer("tls").certificate),
    "certs.same": lambda: pki.leaf(pki.POLITIE, "tls").pem,
}


@pytest.mark.parametrize("code", REFUSED)
async def test_what_would_not_work_is_refused_with_what_to_do(bea, files, code):
    if code == "certs.untrusted":
        with_key(files, pki.unknown_issuer("tls"))
    before = tree(files)

    page = await offer(bea, REFUSED[code]())

    assert page.status == 422
    assert code in page.words
    assert page.title.startswith("Fout:")
    assert tree(files) == before


async def test_of_a_stranger_it_is_refused_whatever_it_is_given_for(bea, files):
    strange = with_key(files, renewed(oin="00000099000000000077"))

    for voor in ("", "tls", "partner"):
        page = await offer(bea, strange.pem, voor=voor)
        assert page.status == 422
        assert "certs.part" in page.words


async def test_what_is_too_large_or_nothing_is_told(bea, files):
    assert (await offer(bea, b"x" * (MOST_FILE + 100_000))).status == 413
    await bea.get(NEW)
    assert "Kies een bestand" in (await bea.post(NEW, {})).words


async def test_an_anchor_needs_its_thumbprint_from_elsewhere(bea, files):
    page = await offer(bea, pem(pki.TestPki(pki.AT, authority_bits=2048).root))

    assert "certs.anchor_unconfirmed" in page.words


async def test_what_moved_meanwhile_is_not_confirmed(bea, files):
    first = with_key(files, renewed())
    page = await offer(bea, pem(first.certificate))
    other = with_key(files, renewed(), "ander.key")
    (files / "keys" / "tls.pem").write_bytes(other.pem)
    (files / "keys" / "tls.key").write_bytes(other.key)

    refused = await confirm(bea, page)

    assert (refused.status, "certs.moved" in refused.words) == (422, True)
    assert (files / "keys" / "tls.pem").read_bytes() == other.pem


async def test_two_clicks_are_one_import(police, bea, files):
    leaf = with_key(files, renewed())
    page = await offer(bea, pem(leaf.certificate))

    await asyncio.gather(confirm(bea, page), confirm(bea, page))

    assert len(await audited(police, "certificate.imported")) == 1
    assert len(list((files / "keys").glob("tls.pem.*.oud"))) == 1


async def test_a_folder_that_is_closed_is_said_before_and_shows_the_command(bea, files, police):
    police.office.importer.may_write = lambda _: False
    leaf = with_key(files, renewed())

    page = await offer(bea, pem(leaf.certificate))

    assert "De console mag hier niet schrijven" in page.words
    assert f"gateway certs import BESTAND --voor tls -c {files}" in page.words
    assert not page.tree.xpath("//input[@name='stand']")


async def test_what_can_not_be_recorded_is_put_back(files, police):
    leaf = with_key(files, renewed())
    before = tree(files)
    importer = Importer(folder=files, clock=police.town.clock)
    asked = Asked(octets=pem(leaf.certificate), target=Target.TLS)
    seen = await importer.look(asked)

    async def full(_):
        raise StoreUnavailable("store.full", "")

    with pytest.raises(StoreUnavailable):
        await importer.put(asked, mark=seen.mark, record=full)

    assert tree(files) == before


# --- agreements -----------------------------------------------------------------------


def cpa(**changes) -> bytes:
    sides = (
        party(pki.POLITIE, "politie", "vtMeldingDi01", "vcobDi01"),
        party(pki.KNOOPPUNT, "knooppunt", "vtTerugkoppelingDi01"),
    )
    given = {"cpa_id": "politie_knooppunt_2", "parties": sides, "start": pki.AT}
    return make_cpa(spec(**{**given, **changes}))


async def test_an_agreement_is_seen_beside_the_present_one_and_then_counts(police, bea, files):
    before = tree(files)

    page = await offer(bea, cpa(), CPA)

    assert page.path == f"{CPA}/controle"
    for text in ("Een afspraak met", "politie_knooppunt_2", "komt erbij", "vcobDi01", "blijft tot"):
        assert text in page.words
    assert tree(files) == before
    done = await confirm(bea, page)
    assert (done.status, done.path) == (200, "/partners?klaar=afgesproken")
    assert "De afspraak staat er." in done.words
    found = load_directory(load_installation(files), epoch=0).agreements
    assert set(found) == {"jeugdzorg_politie_knooppunt_1", "politie_knooppunt_2"}
    (event,) = await audited(police, "agreement.imported")
    assert (event.actor, event.data["cpa_id"]) == ("bea", "politie_knooppunt_2")
    again = await offer(bea, cpa(), CPA)
    assert (again.status, "cpas.same" in again.words) == (422, True)


async def test_what_is_under_way_by_the_present_agreement_is_counted(police):
    overview = police.town[POLITIE].store.overview
    await hand_in(police.town, melding())
    (cpa_id,) = [
        one.cpa_id
        for one in police.office.directory.agreements.values()
        if HUB in {side.id for side in one.parties}
    ]

    assert await overview.under(HUB, cpa_id) == 1
    assert await overview.under(HUB, "een andere") == 0
    await police.town.settle()
    assert await overview.under(HUB, cpa_id) == 0


EVIL = {
    "xml.": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "cpa.root": b"<x/>",
    "cpas.status": cpa(status="proposed"),
}


@pytest.mark.parametrize("code", EVIL)
async def test_an_agreement_that_would_not_work_is_refused_and_nothing_changes(bea, files, code):
    before = tree(files)

    page = await offer(bea, EVIL[code], CPA)

    assert page.status == 422
    assert f"({code}" in page.words
    assert "root:" not in page.text
    assert tree(files) == before


async def test_an_agreement_is_confirmed_as_it_was_seen_and_once(police, bea, files):
    page = await offer(bea, cpa(), CPA)
    wrong = await bea.post(f"{CPA}/controle", {"stand": "0" * 64})
    assert (wrong.status, "cpas.moved" in wrong.words) == (422, True)

    await asyncio.gather(confirm(bea, page), confirm(bea, page))

    assert len(await audited(police, "agreement.imported")) == 1
    assert "te oud" in (await bea.get(f"{CPA}/controle")).words


async def test_an_agreement_for_a_closed_folder_shows_the_command(police, bea, files):
    police.office.importer.may_write = lambda _: False

    page = await offer(bea, cpa(), CPA)

    assert f"gateway cpa import BESTAND -c {files}" in page.words
    assert not page.tree.xpath("//input[@name='stand']")


async def test_markup_in_an_agreement_is_text(bea):
    octets = cpa().replace(b"politie_knooppunt_2", b"&lt;script&gt;alert(1)&lt;/script&gt;")

    page = await offer(bea, octets, CPA)

    assert "<script>alert(1)" not in page.text
    assert "<script>alert(1)</script>" in page.words


async def test_an_agreement_that_is_not_recorded_is_taken_back(files, police):
    before = tree(files)
    importer = Importer(folder=files, clock=police.town.clock)
    seen = await importer.look_agreement(cpa())

    async def full(_):
        raise StoreUnavailable("store.full", "")

    with pytest.raises(StoreUnavailable):
        await importer.put_agreement(cpa(), mark=seen.mark, record=full)

    assert tree(files) == before


async def test_of_two_processes_that_place_at_the_same_moment_one_does(files, police):
    console, command = (Importer(folder=files, clock=police.town.clock) for _ in range(2))
    seen = await console.look_agreement(cpa())
    recorded = []

    async def record(proposal):
        await asyncio.sleep(0.05)  # the other one looks meanwhile
        recorded.append(proposal.mark)

    came = await asyncio.gather(
        *(each.put_agreement(cpa(), mark=seen.mark, record=record) for each in (console, command)),
        return_exceptions=True,
    )

    (refused,) = [one for one in came if isinstance(one, GatewayError)]
    assert refused.code == "cpas.same"
    assert recorded == [seen.mark]


async def test_who_does_not_get_the_turn_is_told_and_nothing_is_written(files, monkeypatch):
    before = tree(files)
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)

    with turns.turn(files):
        with pytest.raises(Unavailable) as waited:
            async with turns.turn_of(files):
                pass
        with pytest.raises(Unavailable), turns.turn(files):
            pass
    with turns.turn(files):  # given back
        pass

    assert waited.value.code == "import.bezig"
    assert tree(files) == before
