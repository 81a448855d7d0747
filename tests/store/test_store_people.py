"""Accounts, sessions, locks and drafts on every database."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.credentials import UserRole
from gateway.errors import Limited, Misconfigured, NoRoute, PolicyViolation, Untrusted
from gateway.keys.console_key import ConsoleKey, load_console_key
from gateway.ports.accounts import AccountState, AccountsWanted, SecondFactor, Whence
from gateway.security import totp
from gateway.store.people_units import lock_for
from tests.consoles import PASSWORD, ground_of, people_of, secret_of
from tests.store.stage import VT

HERE = Whence(address="192.0.2.1", agent="Firefox, Linux")
OPERATOR = frozenset({UserRole.OPERATOR})
BEHEERDER = frozenset({UserRole.BEHEERDER})
RECIPIENT = frozenset({UserRole.ONTVANGER})


@pytest.fixture
def people(stage):
    return people_of(ground_of(stage.store, stage.clock, stage.dice))


@pytest.fixture
def portal(stage):
    """The same accounts, where persons of partners come in."""
    ground = ground_of(stage.store, stage.clock, stage.dice)
    return people_of(replace(ground, rules=replace(ground.rules, portal=True)))


async def activated(stage, people, login="anna", roles=OPERATOR, party=""):
    account, code = await people.accounts.add(
        login=login, name=login.title(), roles=roles, officer="", party=party, by="cli"
    )
    secret = secret_of((await people.door.offer_totp(code)).secret)
    digits = totp.code(secret, totp.step_of(stage.clock.now()))
    welcome, codes = await people.door.activate(code, password=PASSWORD, totp=digits, whence=HERE)
    return account, secret, welcome, codes


async def test_an_account_is_added_activated_and_signed_in(stage, people):
    account, secret, welcome, codes = await activated(stage, people)

    assert len(set(codes)) == 10
    session = await people.door.session(welcome.token)
    assert session.account.login == "anna"
    assert session.account.active
    assert session.account.has_totp
    await people.door.sign_out(session)
    assert await people.door.session(welcome.token) is None
    stage.clock.forward(seconds=30)
    half = await people.door.password("ANNA ", PASSWORD, HERE)
    digits = totp.code(secret, totp.step_of(stage.clock.now()))
    again = await people.door.totp(half.token, digits, HERE)
    assert again.session.account.id == account.id
    with pytest.raises(Untrusted, match="half"):
        await people.door.totp(half.token, digits, HERE)


async def test_an_activation_code_counts_once_and_for_a_day(stage, people):
    _, code = await people.accounts.add(
        login="bas", name="Bas", roles=OPERATOR, officer="", by="cli"
    )
    assert (await people.door.activation(code, HERE)).account.login == "bas"
    first = await people.door.offer_totp(code)
    assert await people.door.offer_totp(code.lower()) == first
    stage.clock.forward(hours=25)

    with pytest.raises(Untrusted, match="activatie"):
        await people.door.activation(code, HERE)


async def test_a_login_is_of_one_account(stage, people):
    await activated(stage, people)

    with pytest.raises(PolicyViolation, match="bestaat"):
        await people.accounts.add(login="Anna", name="A", roles=OPERATOR, officer="", by="cli")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"login": "a"}, "login"),
        ({"login": "met spatie"}, "login"),
        ({"name": " "}, "naam"),
        ({"roles": frozenset()}, "rollen"),
        ({"roles": frozenset({UserRole.COMPLIANCE, UserRole.OPERATOR})}, "rollen"),
        ({"roles": frozenset({UserRole.OFFICIER})}, "officier"),
        ({"officer": "bos"}, "officier"),
        ({"roles": RECIPIENT}, "partij"),
        ({"party": VT}, "partij"),
        ({"roles": RECIPIENT | OPERATOR, "party": VT}, "rollen"),
    ],
)
async def test_an_account_that_can_not_be_is_refused(people, given, code):
    fields = {"login": "anna", "name": "Anna", "roles": OPERATOR, "officer": ""} | given

    with pytest.raises(PolicyViolation, match=rf"console\.gebruiker\.{code}"):
        await people.accounts.add(**fields, by="cli")


async def test_failures_lock_the_pair_and_leave_another_address_alone(stage, people):
    _, _, welcome, _ = await activated(stage, people)
    for _ in range(5):
        with pytest.raises(Untrusted):
            await people.door.password("anna", "x" * 20, HERE)

    with pytest.raises(Limited) as locked:
        await people.door.password("anna", PASSWORD, HERE)

    assert 0 < locked.value.seconds <= 61
    assert await people.door.password("anna", PASSWORD, Whence(address="192.0.2.2"))
    assert await people.door.session(welcome.token)
    stage.clock.forward(seconds=62)
    assert await people.door.password("anna", PASSWORD, HERE)


def test_locks_grow_to_a_quarter_of_an_hour_and_no_further():
    minutes = [lock_for(n, 5) / timedelta(minutes=1) for n in (5, 9, 10, 15, 20, 25, 500)]

    assert minutes == [1, 1, 2, 4, 8, 15, 15]


async def test_a_recovery_code_is_used_up(stage, people):
    _, _, _, codes = await activated(stage, people)
    half = await people.door.password("anna", PASSWORD, HERE)
    assert await people.door.recovery(half.token, codes[0], HERE)
    half = await people.door.password("anna", PASSWORD, HERE)

    with pytest.raises(Untrusted):
        await people.door.recovery(half.token, codes[0], HERE)


async def test_who_is_changed_recovered_or_closed_is_out(stage, people):
    account, _, welcome, _ = await activated(stage, people)
    await people.accounts.change(account.id, name="Anna", roles=BEHEERDER, officer="", by="bea")
    assert await people.door.session(welcome.token) is None
    code = await people.accounts.recover(account.id, by="bea", why="kwijt")
    with pytest.raises(Untrusted):
        await people.door.password("anna", PASSWORD, HERE)
    assert (await people.door.activation(code, HERE)).account.id == account.id
    await people.accounts.close(account.id, by="bea", why="weg")
    with pytest.raises(Untrusted):
        await people.door.activation(code, HERE)
    with pytest.raises(PolicyViolation, match="gesloten"):
        await people.accounts.recover(account.id, by="bea", why="toch niet")


async def test_the_last_beheerder_stays(stage, people):
    account, *_ = await activated(stage, people, "bea", BEHEERDER)
    for change in (
        people.accounts.close(account.id, by="cli", why="weg"),
        people.accounts.change(account.id, name="Bea", roles=OPERATOR, officer="", by="cli"),
    ):
        with pytest.raises(PolicyViolation, match="laatste"):
            await change
    await activated(stage, people, "ben", BEHEERDER)

    await people.accounts.close(account.id, by="ben", why="weg")


async def test_accounts_are_paged_by_login(stage, people):
    for login in ("cc", "aa", "bb"):
        await people.accounts.add(login=login, name=login, roles=OPERATOR, officer="", by="cli")

    first = await people.accounts.all(limit=2)
    second = await people.accounts.all(after=first[-1].login, limit=2)

    assert [a.login for a in (*first, *second)] == ["aa", "bb", "cc"]
    with pytest.raises(NoRoute):
        await people.accounts.unlock("nergens", by="bea")


async def test_a_draft_is_kept_for_a_day_for_one_account(stage, people):
    await people.drafts.keep("a", "x", {"veld": "één"})
    await people.drafts.keep("a", "x", {"veld": "twee"})

    assert await people.drafts.find("a", "x") == {"veld": "twee"}
    assert await people.drafts.find("b", "x") is None
    stage.clock.forward(days=1, seconds=1)
    assert await people.drafts.find("a", "x") is None
    await people.drafts.keep("a", "y", {})
    await people.drafts.drop("a", "y")
    assert await people.drafts.find("a", "y") is None


# --- the key --------------------------------------------------------------------------


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "secrets" / "console.key"
    with pytest.raises(Misconfigured, match=r"keys\.missing"):
        load_console_key(path, make=False)

    first = load_console_key(path, make=True)

    assert path.stat().st_mode & 0o777 == 0o600
    assert load_console_key(path, make=True).mark("a", "b") == first.mark("a", "b")
    assert first.mark("a", "b") != first.mark("b", "b")
    path.chmod(0o640)
    with pytest.raises(Misconfigured, match=r"keys\.permissions"):
        load_console_key(path, make=True)


def test_a_seal_opens_as_what_it_was_and_under_its_key_only():
    key, other = ConsoleKey(b"a" * 32), ConsoleKey(b"b" * 32)
    sealed = key.seal("totp 1", b"geheim")

    assert key.open("totp 1", sealed) == b"geheim"
    for opener, what, octets in (
        (other, "totp 1", sealed),
        (key, "totp 2", sealed),
        (key, "totp 1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (key, "totp 1", b""),
    ):
        with pytest.raises(Misconfigured, match=r"console\.key"):
            opener.open(what, octets)
    assert "a" * 8 not in repr(key)


def test_a_file_that_is_no_key_is_refused(tmp_path):
    path = tmp_path / "console.key"
    path.write_text("geen sleutel")
    path.chmod(0o600)

    with pytest.raises(Misconfigured, match=r"console\.key"):
        load_console_key(path, make=True)


# --- people of a provider -------------------------------------------------------------

ISSUER = "https://aanmelden.example"
ELSEWHERE = replace(HERE, address="192.0.2.7")


@pytest.fixture
def linking(stage):
    ground = ground_of(stage.store, stage.clock, stage.dice)
    return people_of(replace(ground, rules=replace(ground.rules, provider=ISSUER)))


async def test_a_link_takes_every_other_way_in_and_is_of_one_account(stage, linking):
    account, _, welcome, _ = await activated(stage, linking)

    await linking.accounts.link(account.id, subject="persoon-1", by="bea")

    assert await linking.door.session(welcome.token) is None
    with pytest.raises(Untrusted, match="aanmelding"):
        await linking.door.password("anna", PASSWORD, HERE)
    person = await stage.store.people.by_subject(ISSUER, "persoon-1")
    assert (person.login, person.password, person.totp, person.active) == ("anna", "", None, True)
    assert await stage.store.people.by_subject("https://ander.example", "persoon-1") is None
    other, _ = await linking.accounts.add(
        login="bas", name="B", roles=OPERATOR, officer="", by="bea"
    )
    with pytest.raises(PolicyViolation, match="identiteit"):
        await linking.accounts.link(other.id, subject="persoon-1", by="bea")
    with pytest.raises(PolicyViolation, match="zelf"):
        await linking.accounts.link(other.id, subject="persoon-2", by="bas")
    await linking.accounts.close(account.id, by="bea", why="weg")
    await linking.accounts.link(other.id, subject="persoon-1", by="bea")
    assert (await stage.store.people.by_subject(ISSUER, "persoon-1")).login == "bas"


async def test_a_linked_account_has_no_session_by_another_factor(stage, linking):
    account, *_ = await activated(stage, linking)
    await linking.accounts.link(account.id, subject="persoon-1", by="bea")
    person = await stage.store.people.by_id(account.id)

    with pytest.raises(Untrusted, match="aanmelding"):
        await linking.door.welcome(person, SecondFactor.TOTP, ELSEWHERE)
    welcome = await linking.door.welcome(person, SecondFactor.OIDC, ELSEWHERE)

    assert (await linking.door.session(welcome.token)).factor is SecondFactor.OIDC
    without = people_of(ground_of(stage.store, stage.clock, stage.dice))
    assert await without.door.session(welcome.token) is None


async def test_where_nobody_has_a_password_no_way_but_the_provider_is_open(stage, linking):
    _, _, welcome, _ = await activated(stage, linking)
    ground = ground_of(stage.store, stage.clock, stage.dice)
    only = people_of(replace(ground, rules=replace(ground.rules, provider=ISSUER, own=False)))

    assert await only.door.session(welcome.token) is None
    for attempt in (
        only.door.password("anna", PASSWORD, HERE),
        only.door.passkey(None, {}, HERE),
        only.door.activation("AAAA", HERE),
        only.door.activate("AAAA", password=PASSWORD, totp="000000", whence=HERE),
    ):
        with pytest.raises(PolicyViolation, match="lokaal"):
            await attempt


async def test_recovering_ends_a_link(stage, linking):
    account, *_ = await activated(stage, linking)
    await linking.accounts.link(account.id, subject="persoon-1", by="bea")

    code = await linking.accounts.recover(account.id, by="bea", why="voorziening weg")

    assert await stage.store.people.by_subject(ISSUER, "persoon-1") is None
    assert (await linking.door.activation(code, HERE)).account.login == "anna"


async def test_accounts_are_found_by_role_state_and_a_part_of_the_name(stage, people):
    await activated(stage, people, "anna")
    await activated(stage, people, "bea_x", roles=BEHEERDER)
    cas, *_ = await activated(stage, people, "cas")
    await people.accounts.add(login="daan", name="Daan Visser", roles=OPERATOR, officer="", by="c")
    await people.accounts.close(cas.id, by="bea_x", why="vertrokken")

    async def logins(**wanted) -> list[str]:
        return [one.login for one in await people.accounts.all(AccountsWanted(**wanted))]

    assert await logins(role=UserRole.BEHEERDER) == ["bea_x"]
    assert await logins(state=AccountState.WAITING) == ["daan"]
    assert [one[:3] for one in await logins(state=AccountState.CLOSED)] == ["cas"]
    assert await logins(role=UserRole.OPERATOR, state=AccountState.ACTIVE) == ["anna"]
    assert await logins(text="VISS") == ["daan"]
    assert await logins(text="a_x") == ["bea_x"]
    assert await logins(text="%") == []
    first = await people.accounts.all(AccountsWanted(text="a"), limit=1)
    rest = await people.accounts.all(AccountsWanted(text="a"), after=first[0].login, limit=9)
    assert [one.login for one in (*first, *rest)] == await logins(text="a")


# --- console and portal ---------------------------------------------------------------


async def test_a_person_of_a_partner_comes_in_at_the_portal_only(stage, people, portal):
    account, secret, welcome, _ = await activated(stage, portal, "rie", RECIPIENT, VT)
    assert account.party == welcome.session.account.party == VT
    stage.clock.forward(seconds=30)

    assert await portal.door.session(welcome.token) is not None
    assert await people.door.session(welcome.token) is None
    half = await portal.door.password("rie", PASSWORD, HERE)
    with pytest.raises(Untrusted, match="half"):
        await people.door.totp(half.token, totp.code(secret, totp.step_of(stage.clock.now())), HERE)
    with pytest.raises(Untrusted, match="aanmelding"):
        await people.door.password("rie", PASSWORD, HERE)


async def test_a_person_of_the_console_does_not_come_in_at_the_portal(stage, people, portal):
    _, _, welcome, _ = await activated(stage, people)

    assert await portal.door.session(welcome.token) is None
    with pytest.raises(Untrusted, match="aanmelding"):
        await portal.door.password("anna", PASSWORD, HERE)


async def test_an_account_is_activated_where_it_will_come_in(stage, people, portal):
    _, code = await people.accounts.add(
        login="rie", name="Rie", roles=RECIPIENT, officer="", party=VT, by="bea"
    )

    with pytest.raises(Untrusted, match="activatie"):
        await people.door.activation(code, HERE)

    assert (await portal.door.activation(code, HERE)).account.login == "rie"


async def test_who_becomes_somebody_of_the_console_loses_session_and_party(stage, people, portal):
    account, _, welcome, _ = await activated(stage, portal, "rie", RECIPIENT, VT)

    changed = await people.accounts.change(
        account.id, name="Rie", roles=OPERATOR, officer="", by="bea"
    )

    assert changed.party == ""
    assert await portal.door.session(welcome.token) is None
    assert await people.door.session(welcome.token) is None
    assert await people.door.password("rie", PASSWORD, HERE)


async def test_a_person_of_a_partner_is_never_linked_to_the_provider(stage):
    ground = ground_of(stage.store, stage.clock, stage.dice)
    rules = replace(ground.rules, provider="https://aanmelden.example")
    linking = people_of(replace(ground, rules=rules))
    account, _ = await linking.accounts.add(
        login="rie", name="Rie", roles=RECIPIENT, officer="", party=VT, by="bea"
    )

    with pytest.raises(PolicyViolation, match="ontvanger"):
        await linking.accounts.link(account.id, subject="s-1", by="bea")
