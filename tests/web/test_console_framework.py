"""An officer confirms what the gate of the police goes by, in the console of the OM."""

import json
import zipfile
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import aiohttp
import pytest

from gateway.credentials import UserRole
from gateway.installation import load_installation, program_table
from gateway.ports import FRAMEWORK, TOOK_BACK, AuditEvent
from gateway.toetsing.bundle import make_bundle, write_bundle
from gateway.toetsing.kept import kept
from gateway.wire.confirmation import read_confirmation
from tests import pki
from tests.consoles import console
from tests.flow.town import OM, POLITIE
from tests.installations import installed
from tests.pure.test_gate_confirmation import TABLE, TODAY, bundle
from tests.pure.test_gate_confirmation import om as om_folder
from tests.web.test_console import audited

HERE, NEW, CHECK = "/toetsingskader", "/toetsingskader/nieuw", "/toetsingskader/controle"
UNTIL = f"{TODAY + timedelta(days=60):%Y-%m-%d}"
APPROVALS = """
[[toestemmingen]]
id = "DT-7"
overeenkomst = "convenant"
gegeven_door = "mr. A. Anders"
grond = "Bpg 4:3"
berichten = ["vtMeldingDi01"]
ontvangers = ["{vt}"]
wpg_artikelen = ["8"]
categorieen = []
geldig_van = 2026-01-01T00:00:00Z
geldig_tot = 2027-01-01T00:00:00Z
"""


@pytest.fixture
def police(tmp_path):
    folder = installed(tmp_path / "politie", paths={"classification": TABLE})
    (folder / TABLE).write_bytes(program_table().read_bytes())
    return folder


@pytest.fixture
def files(tmp_path):
    return om_folder(tmp_path / "files")


@pytest.fixture
def propose(tmp_path, police):
    """Make the zip of a police, with another version of the table or with approvals."""
    numbers = iter(range(100))

    def made(version="", approvals=""):
        was = bundle(police)
        table = was.files["classificatie"]
        octets = {"classificatie": table.replace(b'versie = "', f'versie = "{version}'.encode(), 1)}
        if approvals:
            octets["toestemmingen"] = approvals.encode()
        target = tmp_path / f"voorstel-{next(numbers)}.zip"
        write_bundle(target, make_bundle(pki.POLITIE, octets))
        return target.read_bytes()

    return made


@pytest.fixture
async def om(tmp_path, files):
    async with console(tmp_path / "town", OM, files=files) as made:
        made.town.clock.at = TODAY  # the agreement of the OM holds
        yield made


@pytest.fixture
async def anna(om):
    user = await om.user("anna", UserRole.OFFICIER, officer="anders")
    async with om.browser() as browser:
        await browser.sign_in(user, to="/postvak")
        yield browser


async def offer(browser, octets):
    await browser.get(NEW)
    form = aiohttp.FormData({"_blijk": browser.last.proof()})
    form.add_field("bestand", BytesIO(octets), filename="x.zip", content_type="application/zip")
    headers = {"Origin": "https://console.example", "Sec-Fetch-Site": "same-origin"}
    return await browser._call("POST", NEW, data=form, headers=headers)


def took_back(approval) -> AuditEvent:
    """Return what is written down of an officer who takes one back, in whichever way."""
    return AuditEvent(
        event=TOOK_BACK,
        at=TODAY,
        message=FRAMEWORK,
        party=pki.POLITIE,
        actor="mr. Bos, officier van justitie",
        data={"approval": approval, "reason": "opgezegd"},
    )


def opened(octets) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(octets)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(entries) -> bytes:
    """Make a proposal of these files, whose manifest is right."""
    manifest = json.loads(entries["manifest.json"])
    names = {"classificatie": "classificatie.toml", "toestemmingen": "toestemmingen.toml"}
    for file in manifest["bestanden"]:
        file["sha256"] = sha256(entries[names[file["naam"]]]).hexdigest()
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, octets in {**entries, "manifest.json": json.dumps(manifest).encode()}.items():
            archive.writestr(name, octets)
    return target.getvalue()


async def sign(browser, until=UNTIL, **fields):
    (seen,) = browser.last.tree.xpath("//input[@name='gezien']/@value")
    given = {"gezien": seen, "tot": until, "grond": "convenant 2026", **fields}
    return await browser.post(CHECK, given)


async def test_what_differs_is_seen_then_signed_recorded_and_kept(om, anna, files, propose):
    assert "Hier is nog niets bevestigd." in (await anna.get(HERE)).words
    first = await offer(anna, propose())
    assert "alles is nieuw" in first.words
    await sign(anna)

    second = await offer(anna, propose("twee-", APPROVALS.format(vt=pki.VEILIG_THUIS)))
    assert "De tabel krijgt versie twee-" in second.words
    assert "Toestemming DT-7 is nieuw" in second.words
    assert "Regel" not in second.words.partition("Wat er anders is")[2].partition("Toestemming")[0]
    done = await sign(anna)

    assert "Ondertekend." in done.words
    assert "DT-7" in done.words
    newest, before = kept(load_installation(files))
    assert newest.said.tabelversie.startswith("twee-")
    assert newest.said.officier.identificatie == "anders"
    rows = await audited(om, "gate.signed")
    assert [row.actor for row in rows] == ["anna", "anna"]
    reason = f"convenant 2026 (politie {pki.POLITIE}, officier anders)"
    assert {row.data["reason"] for row in rows} == {reason}
    assert {row.data["sha256"] for row in rows} == {newest.sha256, before.sha256}


async def test_the_signed_word_is_a_file(anna, files, propose):
    await offer(anna, propose())
    await sign(anna)
    (word,) = kept(load_installation(files))

    found = await anna.get(f"{HERE}/bevestigingen/{word.sha256}")

    assert read_confirmation(found.text.encode()).politie == pki.POLITIE
    assert f"bevestiging-{pki.POLITIE}-" in found.headers["Content-Disposition"]
    assert (await anna.get(f"{HERE}/bevestigingen/{'0' * 64}")).status == 404


async def test_nothing_is_signed_without_a_day_or_unseen(anna, files, propose):
    await offer(anna, propose())

    assert "Vul in tot en met welke dag" in (await sign(anna, until="")).words
    assert "toetsing.tot" in (await sign(anna, until="2020-01-01")).words
    assert "Bekijk het eerst" in (await sign(anna, gezien="0" * 64)).words
    assert kept(load_installation(files)) == ()


async def test_what_is_no_proposal_is_refused(anna, propose):
    assert "toetsing.bundle" in (await offer(anna, b"PK niets")).words
    assert "Kies het bestand" in (await offer(anna, b"")).words
    assert "verwerkt of te oud" in (await anna.get(CHECK)).words


async def test_who_has_no_mandate_signs_nothing(om, files, propose):
    user = await om.user("piet", UserRole.OFFICIER, officer="past")
    async with om.browser() as browser:
        await browser.sign_in(user, to="/postvak")
        await offer(browser, propose())

        found = await sign(browser)

    assert "toets.officier.mandaat" in found.words
    assert kept(load_installation(files)) == ()


async def test_an_approval_is_revoked_with_a_reason(om, anna, files, propose):
    await offer(anna, propose("een-", APPROVALS.format(vt=pki.VEILIG_THUIS)))
    await sign(anna)
    fields = {"politie": POLITIE, "toestemming": "DT-7"}

    wrong = await anna.post(f"{HERE}/intrekken", {**fields, "reden": ""})
    done = await anna.post(f"{HERE}/intrekken", {**fields, "reden": "convenant opgezegd"})

    assert wrong.status == 422
    assert "De toestemming is ingetrokken." in done.words
    await om.town.settle()
    assert "DT-7" in await om.town[POLITIE].store.holds.revoked()
    (told,) = await om.town[OM].store.confirmations.revoked()
    assert (told.police, told.approval, told.reason) == (POLITIE, "DT-7", "convenant opgezegd")
    assert told.officer.startswith("mr. Anders, ")


async def test_what_was_revoked_in_another_way_stands_no_more_and_says_by_whom(
    om, anna, files, propose
):
    await offer(anna, propose("een-", APPROVALS.format(vt=pki.VEILIG_THUIS)))
    await sign(anna)
    assert (await anna.get(HERE)).tree.xpath("//form[@action='/toetsingskader/intrekken']")
    await om.town[OM].store.inbox.note(took_back("DT-7"))

    found = await anna.get(HERE)

    by = found.words.partition("Ingetrokken door")[2]
    assert "mr. Bos" in by.partition("Reden")[0]
    assert "opgezegd" in by
    assert not found.tree.xpath("//form[@action='/toetsingskader/intrekken']")


async def test_what_becomes_of_messages_stands_apart_from_what_differs(anna, propose):
    await offer(anna, propose())
    await sign(anna)

    page = await offer(anna, propose("twee-", APPROVALS.format(vt=pki.VEILIG_THUIS)))

    passing, _, rest = page.words.partition("Wordt straks vastgehouden en ging door")
    assert "gaat onder toestemming DT-7, zonder apart besluit" in passing
    assert rest.startswith(" Niets.")
    assert "De tabel krijgt versie twee-" in rest.partition("Wat er anders is")[2]


async def test_without_a_ground_nothing_is_signed(anna, files, propose):
    await offer(anna, propose())

    page = await sign(anna, grond="")

    assert "Geef in 3 tot 120 tekens een grond." in page.words
    assert kept(load_installation(files)) == ()


async def test_all_that_is_wrong_with_both_files_is_told_at_once(anna, propose):
    octets = propose("", APPROVALS.format(vt=pki.VEILIG_THUIS))
    entries = opened(octets)
    entries["classificatie.toml"] = entries["classificatie.toml"].replace(b"berichten", b"berigten")
    entries["toestemmingen.toml"] = b"[[toestemmingen]]\nid = 'DT-7'\n"

    page = await offer(anna, zipped(entries))

    assert page.status == 422
    for text in ("classificatie.toml", "berigten: onbekende instelling", "toestemmingen.toml"):
        assert text in page.words
    assert "/tmp" not in page.words


async def test_what_takes_a_second_officer_each_time_gets_no_standing_approval(
    anna, files, propose
):
    file = files / "gateway.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[toets]", '[toets]\ntweede_officier = ["verdachte"]', 1), "utf-8")
    given = APPROVALS.format(vt=pki.VEILIG_THUIS).replace(
        "categorieen = []", 'categorieen = ["verdachte"]'
    )

    page = await offer(anna, propose("", given))

    assert "toetsing.tweede_officier" in page.words
