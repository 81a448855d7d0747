"""A beheerder makes, replaces and ends the tokens of back-end systems."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from gateway.credentials import BearerToken, Credentials, Scope, SignIn, UserRole
from gateway.ports.tokens import Use
from gateway.web.console.times import iso
from tests.consoles import console
from tests.flow.town import POLITIE

IN_FILE = sha256(b"of gateway.toml").hexdigest()
TO_DECIDE = sha256(b"decides").hexdigest()
NEW, END = "/systemen/nieuw-token", "/systemen/token-beeindigen"


def with_tokens(installation):
    """Let the system of the town sign in with tokens of gateway.toml."""
    backend = replace(
        installation.backend,
        credentials=Credentials(
            ways=frozenset({SignIn.BEARER}),
            tokens=(
                BearerToken(sha256=IN_FILE, scopes=frozenset({Scope.READ})),
                BearerToken(sha256=TO_DECIDE, scopes=frozenset({Scope.DECIDE})),
            ),
        ),
    )
    snapshots = installation.snapshots
    snapshots.swap(replace(snapshots.current(), backends=(backend,)))
    return backend


@pytest.fixture
async def police(tmp_path):
    async with console(tmp_path, POLITIE) as made:
        made.system = with_tokens(made.town[POLITIE])
        made.tokens = made.town[POLITIE].store.tokens
        yield made


@pytest.fixture
async def bea(police):
    user = await police.user("bea", UserRole.BEHEERDER)
    async with police.browser() as browser:
        await browser.sign_in(user)
        yield browser


async def make(bea, police, *rights, days="90", token=""):
    await bea.get(f"{NEW}?systeem={police.system.name}")
    fields = {"systeem": police.system.name, "dagen": days, "token": token}
    return await bea.post(NEW, {**fields, "recht": list(rights)})


async def test_a_token_is_shown_once_and_only_its_digest_is_kept(police, bea):
    made = await make(bea, police, "berichten:aanleveren", "postvak:lezen")

    (token,) = made.tree.xpath("//p[@class='bgw-code']/text()")
    (kept,) = await police.tokens.kept()
    assert f"In de lijst herkent u het aan {kept.sha256[:12]}" in made.words
    assert kept.sha256 == sha256(token.encode()).hexdigest()
    assert kept.scopes == {Scope.HAND_IN, Scope.POSTVAK_LOOK}
    assert kept.valid_until - kept.made_at <= timedelta(days=90)
    assert kept.made_by == "bea"
    listed = await bea.get("/systemen")
    assert token not in listed.text
    assert kept.sha256[:12] in listed.words
    assert "nog niet" in listed.words


async def test_one_in_the_place_of_another_gets_the_same_rights_offered(police, bea):
    asked = await bea.get(f"{NEW}?systeem={police.system.name}&token={IN_FILE}")
    assert asked.tree.xpath("//input[@name='recht'][@checked]/@value") == ["berichten:lezen"]

    made = await make(bea, police, "berichten:lezen", token=IN_FILE)

    (kept,) = await police.tokens.kept()
    assert kept.replaces == IN_FILE
    assert f"{END}?systeem={police.system.name}&token={IN_FILE}" in made.links()
    listed = await bea.get("/systemen")
    assert f"vervangen door {kept.sha256[:12]}" in listed.words
    assert f"{NEW}?systeem={police.system.name}&token={IN_FILE}" not in listed.links()


async def test_one_of_the_file_is_ended_with_a_reason_and_stays_in_the_list(police, bea):
    at = police.town.clock.now() - timedelta(hours=1)
    await police.tokens.used([Use(IN_FILE, at)])
    asked = await bea.get(f"{END}?systeem={police.system.name}&token={IN_FILE}")
    assert "staat in gateway.toml" in asked.words
    for page in (asked, await bea.get("/systemen")):
        assert iso(at) in page.tree.xpath("//time/@datetime")
    assert "eigen berichten volgen" in asked.words
    fields = {"systeem": police.system.name, "token": IN_FILE}

    silent = await bea.post(END, fields)
    assert "Geef in 3 tot 200 tekens een reden." in silent.words
    assert await police.tokens.ends() == ()
    done = await bea.post(END, {**fields, "reden": "leverancier vertrokken"})

    assert "Het token is beëindigd." in done.words
    assert "bea: leverancier vertrokken" in done.words
    assert await police.tokens.ended({IN_FILE, TO_DECIDE}) == {IN_FILE}
    assert (await bea.post(END, {**fields, "reden": "nog eens"})).status == 404


async def test_what_is_not_offered_is_not_made(police, bea):
    for rights, days, told in (
        ((), "90", "Kies ten minste één recht."),
        (("toets:besluiten",), "90", "Kies ten minste één recht."),
        (("berichten:lezen",), "3650", "Kies hoe lang het token geldt."),
        (("berichten:lezen",), "x", "Kies hoe lang het token geldt."),
    ):
        page = await make(bea, police, *rights, days=days)

        assert page.title.startswith("Fout")
        assert told in page.words
    assert await police.tokens.kept() == ()


async def test_one_that_decides_for_the_om_is_not_replaced_but_can_be_ended(police, bea):
    links = (await bea.get("/systemen")).links()

    assert f"{NEW}?systeem={police.system.name}&token={TO_DECIDE}" not in links
    assert f"{END}?systeem={police.system.name}&token={TO_DECIDE}" in links


async def test_a_system_that_signs_in_otherwise_gets_no_token(police, bea):
    snapshots = police.town[POLITIE].snapshots
    certified = replace(
        police.system, credentials=Credentials(ways=frozenset({SignIn.CERTIFICATE}))
    )
    snapshots.swap(replace(snapshots.current(), backends=(certified,)))

    assert NEW not in (await bea.get("/systemen")).text
    page = await make(bea, police, "berichten:lezen")

    assert "meldt zich niet met een token aan" in page.words
    assert await police.tokens.kept() == ()


async def test_what_is_not_there_is_told_so(police, bea):
    for path in (
        f"{NEW}?systeem=anders",
        f"{NEW}?systeem={police.system.name}&token={'0' * 64}",
        f"{END}?systeem={police.system.name}&token={'0' * 64}",
        f"{END}?systeem={police.system.name}",
    ):
        assert (await bea.get(path)).status == 404, path


async def test_a_row_that_the_console_did_not_write_is_not_shown_as_a_token(police, bea):
    await make(bea, police, "berichten:lezen")
    (kept,) = await police.tokens.kept()
    forged = replace(kept, sha256="f" * 64)
    await police.tokens.make(forged, most=8)

    assert "f" * 12 not in (await bea.get("/systemen")).words
