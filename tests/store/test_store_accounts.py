"""Accounts, the door and sessions, on each database: what an attacker and two at once may not."""

import asyncio
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from gateway.credentials import UserRole
from gateway.errors import GatewayError, Limited, PolicyViolation, Untrusted
from gateway.keys.console_key import ConsoleKey
from gateway.pipeline.accounts import Rules, open_people
from gateway.pipeline.accounts.passwords import Passwords
from gateway.pipeline.accounts.people import Ground
from gateway.ports.accounts import SecondFactor, Whence
from gateway.security import totp
from tests.authenticator import USED, Authenticator

ORIGIN = "https://console.example"
HOME, ELSEWHERE = Whence(address="192.0.2.1"), Whence(address="198.51.100.9")
PASSWORD = "een zin die niemand raadt"
WRONG = "een zin die niet klopt"
BEHEERDER = frozenset({UserRole.BEHEERDER})


class Desk:
    """Accounts on a stage, and how people go through the door."""

    def __init__(self, stage):
        self.stage, self.clock = stage, stage.clock
        ground = Ground(
            people=stage.store.people,
            key=ConsoleKey(b"k" * 32),
            clock=stage.clock,
            dice=stage.dice,
            rules=Rules(origin=ORIGIN, issuer="test"),
        )
        cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        people = open_people(ground, cheap)
        self.door, self.accounts, self.drafts = people.door, people.accounts, people.drafts
        self.portal = open_people(replace(ground, rules=replace(ground.rules, portal=True)), cheap)
        self.secrets = {}
        self.recovery = {}

    async def add(self, login, roles=BEHEERDER, officer="", by="cli"):
        _, code = await self.accounts.add(
            login=login, name=login.title(), roles=frozenset(roles), officer=officer, by=by
        )
        return await self.activate(login, code)

    async def activate(self, login, code):
        offered = await self.door.offer_totp(code)
        self.secrets[login] = _octets(offered.secret)
        welcome, codes = await self.door.activate(
            code, password=PASSWORD, totp=self.code(login), whence=HOME
        )
        self.recovery[login] = codes
        self.clock.forward(seconds=60)
        return welcome.session

    def code(self, login):
        return totp.code(self.secrets[login], totp.step_of(self.clock.now()))

    async def sign_in(self, login, whence=HOME):
        half = await self.door.password(login, PASSWORD, whence)
        return await self.door.totp(half.token, self.code(login), whence)

    async def audited(self, event):
        rows = await self.stage.store.reader.audit(after=0, limit=500)
        return [row.event for row in rows if row.event.event == event]


def _octets(shown):
    from base64 import b32decode

    return b32decode(shown.replace(" ", ""))


async def _code_of(done):
    try:
        await done
    except GatewayError as error:
        return error.code
    return ""


@pytest.fixture
def desk(stage):
    return Desk(stage)


# --- the door -------------------------------------------------------------------------


async def test_an_activation_code_counts_once_also_for_two_at_once(desk):
    _, code = await desk.accounts.add(
        login="anna", name="Anna", roles=BEHEERDER, officer="", by="cli"
    )
    desk.secrets["anna"] = _octets((await desk.door.offer_totp(code)).secret)

    done = [
        _code_of(desk.door.activate(code, password=PASSWORD, totp=desk.code("anna"), whence=HOME))
        for _ in range(3)
    ]

    assert sorted(await asyncio.gather(*done)) == ["", "console.activatie", "console.activatie"]


async def test_an_activation_code_is_over_after_a_day(desk):
    _, code = await desk.accounts.add(
        login="anna", name="Anna", roles=BEHEERDER, officer="", by="cli"
    )
    desk.clock.forward(hours=24, seconds=1)

    with pytest.raises(Untrusted) as refused:
        await desk.door.activation(code, HOME)
    assert refused.value.code == "console.activatie"


async def test_a_code_of_the_app_lets_one_of_many_in(desk):
    await desk.add("anna")
    halves = [await desk.door.password("anna", PASSWORD, HOME) for _ in range(4)]
    code = desk.code("anna")

    done = await asyncio.gather(*(_code_of(desk.door.totp(h.token, code, HOME)) for h in halves))

    assert sorted(done) == ["", *["console.aanmelding"] * 3]


async def test_a_recovery_code_lets_one_of_many_in(desk):
    await desk.add("anna")
    halves = [await desk.door.password("anna", PASSWORD, HOME) for _ in range(4)]
    code = desk.recovery["anna"][0]

    done = await asyncio.gather(
        *(_code_of(desk.door.recovery(h.token, code, HOME)) for h in halves)
    )

    assert sorted(done) == ["", *["console.aanmelding"] * 3]


async def test_guesses_at_once_are_not_more_than_guesses_in_a_row(desk):
    await desk.add("anna")

    tries = (_code_of(desk.door.password("anna", f"{WRONG} {n}", ELSEWHERE)) for n in range(40))
    done = await asyncio.gather(*tries)

    assert done.count("console.aanmelding") <= 7
    assert done.count("console.vergrendeld") >= 33


async def test_a_stranger_locks_nobody_out_of_where_he_always_comes_from(desk):
    await desk.add("anna")
    for n in range(100):
        await _code_of(desk.door.password("anna", WRONG, Whence(address=f"198.51.100.{n}")))

    assert await _code_of(desk.door.password("anna", PASSWORD, ELSEWHERE)) == "console.vergrendeld"
    welcome = await desk.sign_in("anna", HOME)

    assert welcome.session.account.login == "anna"


async def test_a_beheerder_sees_a_lock_and_ends_it(desk):
    await desk.add("anna")
    session = await desk.add("bea")
    for _ in range(5):
        await _code_of(desk.door.password("anna", WRONG, HOME))
    anna = next(one for one in await desk.accounts.all() if one.login == "anna")
    assert anna.locked_until is not None
    assert anna.locked_until > desk.clock.now()
    assert session.account.locked_until is None
    with pytest.raises(Limited):
        await desk.door.password("anna", PASSWORD, HOME)

    await desk.accounts.unlock(anna.id, by="bea")

    assert await desk.sign_in("anna", HOME)
    assert (await desk.accounts.find(anna.id)).locked_until is None


async def test_who_guesses_at_the_portal_locks_nobody_out_of_the_console(desk):
    """More people can reach the one than the other."""
    await desk.add("anna")
    for n in range(100):
        await _code_of(desk.portal.door.password("anna", WRONG, Whence(address=f"198.51.100.{n}")))

    assert (await desk.sign_in("anna", ELSEWHERE)).session.account.login == "anna"


async def test_a_beheerder_sees_a_lock_of_the_portal_and_ends_it(desk):
    rie, _ = await desk.accounts.add(
        login="rie",
        name="Rie",
        roles=frozenset({UserRole.ONTVANGER}),
        officer="",
        party="00000001821002193000",
        by="cli",
    )
    for _ in range(5):
        await _code_of(desk.portal.door.password("rie", WRONG, HOME))
    assert (await desk.accounts.find(rie.id)).locked_until is not None

    await desk.accounts.unlock(rie.id, by="bea")

    assert (await desk.accounts.find(rie.id)).locked_until is None
    assert await _code_of(desk.portal.door.password("rie", WRONG, HOME)) == "console.aanmelding"


async def test_one_who_mistypes_in_his_session_hinders_nobody_else(desk):
    cor = await desk.add("cor", {UserRole.COMPLIANCE})
    anna = await desk.add("anna")
    for _ in range(60):
        await _code_of(desk.door.step_up(cor, "000000"))

    assert await _code_of(desk.door.step_up(cor, desk.code("cor"))) == "console.vergrendeld"
    assert (await desk.door.step_up(anna, desk.code("anna"))).proven_at == desk.clock.now()


async def test_a_failure_is_audited_with_whose_account_it_was_and_never_what_was_typed(desk):
    await desk.add("anna")
    await _code_of(desk.door.password("anna", WRONG, HOME))
    await _code_of(desk.door.password("mijn wachtwoord", WRONG, HOME))

    known, unknown = await desk.audited("console.sign_in_failed")
    assert (known.data["account"], known.actor) == ("anna", "")
    assert "account" not in unknown.data
    assert "wachtwoord" not in str(dict(unknown.data) | {"what": ""})


# --- passkeys -------------------------------------------------------------------------


async def _with_passkey(desk, **changes):
    session = await desk.add("anna")
    device = Authenticator(ORIGIN, **changes)
    options = await desk.accounts.passkey_options(session)
    await desk.accounts.add_passkey(session, device.make(options), name="laptop")
    return session, device


async def test_a_passkey_lets_in_by_itself(desk):
    _, device = await _with_passkey(desk)

    answer = device.show(await desk.door.passkey_challenge(None))
    welcome = await desk.door.passkey(None, answer, HOME)

    assert welcome.session.factor is SecondFactor.PASSKEY
    assert welcome.session.account.passkeys == 1


async def test_an_answer_of_a_passkey_counts_once(desk):
    _, device = await _with_passkey(desk)
    answer = device.show(await desk.door.passkey_challenge(None))

    done = await asyncio.gather(
        *(_code_of(desk.door.passkey(None, answer, HOME)) for _ in range(3))
    )

    assert sorted(done) == ["", "console.aanmelding", "console.aanmelding"]


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://console.example.evil.example"},
        {"host": "evil.example"},
        {"flags": USED},
        {"flags": 0},
        {"id": b"x" * 32},
        {"uses": -1},
    ],
)
async def test_a_passkey_that_is_not_what_it_should_be_is_refused(desk, lie):
    _, device = await _with_passkey(desk)
    await desk.door.passkey(None, device.show(await desk.door.passkey_challenge(None)), HOME)
    for name, value in lie.items():
        setattr(device, name, value)

    answer = device.show(await desk.door.passkey_challenge(None))

    assert await _code_of(desk.door.passkey(None, answer, HOME)) == "console.aanmelding"


async def test_a_passkey_of_another_proves_nothing_in_a_session(desk):
    _, device = await _with_passkey(desk)
    bea = await desk.add("bea")

    answer = device.show(await desk.door.challenge(bea))

    with pytest.raises(Untrusted):
        await desk.door.step_up_passkey(bea, answer)


# --- keeping accounts -----------------------------------------------------------------


async def test_two_beheerders_who_take_each_others_role_leave_one(desk):
    anna, bea = await desk.add("anna"), await desk.add("bea")
    operator = frozenset({UserRole.OPERATOR})

    done = await asyncio.gather(
        *(
            _code_of(desk.accounts.change(of, name="X", roles=operator, officer="", by=by))
            for of, by in ((anna.account.id, "bea"), (bea.account.id, "anna"))
        )
    )

    assert sorted(done) == ["", "console.gebruiker.laatste"]


async def test_two_beheerders_who_close_each_other_leave_one(desk):
    anna, bea = await desk.add("anna"), await desk.add("bea")

    done = await asyncio.gather(
        _code_of(desk.accounts.close(anna.account.id, by="bea", why="weg")),
        _code_of(desk.accounts.close(bea.account.id, by="anna", why="weg")),
    )

    assert sorted(done) == ["", "console.gebruiker.laatste"]


async def test_one_officer_is_one_account(desk):
    officer = {UserRole.OFFICIER}
    await desk.add("anna", officer, officer="off-1")
    bea = await desk.add("bea", officer, officer="off-2")

    with pytest.raises(PolicyViolation) as added:
        await desk.add("cor", officer, officer="off-1")
    with pytest.raises(PolicyViolation) as changed:
        await desk.accounts.change(
            bea.account.id, name="Bea", roles=frozenset(officer), officer="off-1", by="cli"
        )

    assert added.value.code == changed.value.code == "console.gebruiker.officier"


async def test_the_officer_of_an_account_that_was_closed_is_free(desk):
    officer = {UserRole.OFFICIER}
    anna = await desk.add("anna", officer, officer="off-1")
    await desk.accounts.close(anna.account.id, by="cli", why="weg")

    bea = await desk.add("bea", officer, officer="off-1")

    assert bea.account.officer == "off-1"


async def test_recovery_takes_everything_away_and_begins_anew(desk):
    session, device = await _with_passkey(desk)
    challenge = await desk.door.passkey_challenge(None)
    half = await desk.door.password("anna", PASSWORD, HOME)

    code = await desk.accounts.recover(session.account.id, by="bea", why="telefoon kwijt")

    account = await desk.accounts.find(session.account.id)
    assert (account.active, account.has_totp, account.passkeys) == (False, False, 0)
    assert not await desk.accounts.sessions()
    for refused in (
        desk.door.passkey(None, device.show(challenge), HOME),
        desk.door.recovery(half.token, desk.recovery["anna"][0], HOME),
        desk.door.password("anna", PASSWORD, HOME),
    ):
        assert await _code_of(refused)
    assert (await desk.activate("anna", code)).account.active


@pytest.mark.parametrize("roles", [{UserRole.OFFICIER, UserRole.OPERATOR}, {*UserRole}, set()])
async def test_nobody_asks_and_decides(desk, roles):
    with pytest.raises(PolicyViolation) as refused:
        await desk.add("anna", roles, officer="off-1")

    assert refused.value.code == "console.gebruiker.rollen"


# --- drafts ---------------------------------------------------------------------------


async def test_a_draft_is_of_one_user_and_gone_after_a_day(desk):
    fields = {"grond": "artikel 39e", "toelichting": "nog niet klaar"}
    await desk.drafts.keep("a-1", "verzoek r-1", fields)

    assert await desk.drafts.find("a-1", "verzoek r-1") == fields
    assert await desk.drafts.find("a-2", "verzoek r-1") is None
    desk.clock.forward(days=1, seconds=1)
    assert await desk.drafts.find("a-1", "verzoek r-1") is None
