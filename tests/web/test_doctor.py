"""What `gateway doctor` finds when something is broken on purpose, and that it says what to do."""

import asyncio
import gc
import json
import os
import re
import shutil
import socket
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from rich.console import Console

from gateway.app import SystemClock, SystemDice, open_store
from gateway.cli import doctor_database, doctor_files
from gateway.cli.demo.sites import make_sites
from gateway.cli.doctor import examine
from gateway.cli.doctor_agreed import agreements, gate
from gateway.cli.doctor_console import provider as asks
from gateway.cli.doctor_findings import Severity, shape, show, summary
from gateway.cli.doctor_signin import sign_in
from gateway.consoles import people_of
from gateway.credentials import Scope, UserRole
from gateway.installation import load_directory, load_installation
from gateway.keys.console_key import load_console_key
from gateway.keys.ended import EndedMarks
from gateway.keys.test_pki import pem
from gateway.message import Oin
from gateway.outbound.tls import KeyPair, server_context
from gateway.pipeline.systems import Systems
from gateway.ports import Ends
from gateway.store.durability import Durability
from gateway.store.engine import open_engine
from gateway.store.people_changes import change_account, link_account
from gateway.store.tables import revocations
from tests.flow import town as towns
from tests.jwts import ec_key, private_pem
from tests.openid import provider as openid
from tests.pki import live
from tests.web.test_cli import together

IN_A_YEAR = (datetime.now(UTC) + timedelta(days=365)).isoformat(timespec="seconds")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_sites(tmp_path_factory.mktemp("sites"))


@pytest.fixture
def folder(made, tmp_path):
    """A whole installation of its own, to be broken."""
    target = tmp_path / "politie"
    shutil.copytree(made.by_place["politie"].folder, target)
    toml(target, "[[backends.tokens]]\n", f"[[backends.tokens]]\ngeldig_tot = {IN_A_YEAR}\n")
    return target


def found(folder, **options):
    return tuple(examine(load_installation(folder), **options))


def codes(folder, severity=Severity.BAD, **options) -> set[str]:
    return {f.code for f in found(folder, **options) if f.severity is severity}


def toml(folder, old, new):
    file = folder / "gateway.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_whole_installation_has_nothing_to_mend(folder):
    assert codes(folder) == codes(folder, Severity.WARN) == set()


def signing_by(directory, certificate):
    """The same, where every agreement names this certificate to sign with."""

    def channel(old):
        return replace(old, signing=replace(old.signing, certificate=certificate))

    return replace(
        directory,
        agreements={
            id_: replace(
                one, bindings=tuple(replace(b, channel=channel(b.channel)) for b in one.bindings)
            )
            for id_, one in directory.agreements.items()
        },
    )


@pytest.mark.parametrize(("usage", "bad"), [("sign", False), ("tls", True)])
def test_the_om_signs_with_a_certificate_that_is_for_documents(usage, bad):
    mine = signing_by(towns.directory(towns.OM), towns.leaf(towns.OM, usage).certificate)
    found = {one.code for one in gate(mine, towns.NOW)}

    assert ("gate.signing" in found) is bad


# --- broken on purpose ------------------------------------------------------------------


def open_key(folder):
    (folder / "keys" / "sign.key").chmod(0o644)


def open_data(folder):
    (folder / "data").chmod(0o755)


def no_keys(folder):
    for path in (folder / "keys").iterdir():
        path.unlink()
    (folder / "keys").rmdir()


def no_sign_key(folder):
    (folder / "keys" / "sign.key").unlink()


def no_anchor(folder):
    (folder / "trust" / "anchors" / "root.pem").unlink()


def no_list(folder):
    (folder / "trust" / "crls" / "issuing.crl").unlink()


def weak_algorithm(folder):
    for path in (folder / "agreements").iterdir():
        text = path.read_text(encoding="utf-8").replace("#rsa-sha256", "#rsa-md5")
        path.write_text(text, encoding="utf-8")


def no_agreement(folder):
    for path in (folder / "agreements").iterdir():
        path.unlink()


def unknown_service(folder):
    toml(folder, '"jz:corv:1.0.9" = "1.0.9"', '"jz:anders" = "1.0.9"')


def no_back_end(folder):
    file = folder / "gateway.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: text.index("[[backends]]")], encoding="utf-8")


def token_for_ever(folder):
    toml(folder, f"geldig_tot = {IN_A_YEAR}\n", "")


def no_approval(folder):
    toml(folder, "approvals = ", "# approvals = ")


def not_confirmed(folder):
    (folder / "bevestiging.xml").unlink()


def no_schemas(folder):
    (folder / "schemas").mkdir()
    toml(folder, "[paths]\n", '[paths]\nschemas = "schemas"\n')


def full_disk(folder):
    toml(folder, "[alarms]\n", "[alarms]\ndisk_free_mb = 1000000000\n")


def epochs_that_are_a_file(folder):
    (folder / "data" / "epochs").write_bytes(b"")


def epochs_in_memory(folder):
    toml(folder, "[paths]\n", '[paths]\nepoch_keys = "/dev/shm"\n')


def broken_pair(folder):
    (folder / "keys" / "tls.pem").write_text("geen certificaat", encoding="utf-8")


def half_an_import(folder):
    """The key of another certificate: what a crash between the two leaves."""
    shutil.copy(folder / "keys" / "sign.key", folder / "keys" / "tls.key")


def wrong_toml(folder):
    (folder / "agreements" / "stuk.xml").write_bytes(b"<cpa")


BROKEN = {
    open_key: "keys.permissions",
    no_keys: "keys.folder",
    no_sign_key: "keys.missing",
    no_anchor: "trust.empty",
    no_list: "certificate.revocation_unknown",
    weak_algorithm: "agreement.unusable",
    no_agreement: "agreement.none",
    unknown_service: "agreement.service",
    no_schemas: "schema.pack",
    full_disk: "disk.low",
    epochs_that_are_a_file: "epoch_keys.unwritable",
    epochs_in_memory: "epoch_keys.volatile",
    broken_pair: "tls.certificate",
    half_an_import: "tls.certificate",
    wrong_toml: "agreement.invalid",
    no_approval: "gate.confirmation.files",
}
WEAK = {
    not_confirmed: "gate.unconfirmed",
    open_data: "files.permissions",
    no_back_end: "backends.none",
    token_for_ever: "backends.sign_in",
}


@pytest.mark.parametrize("breakage", BROKEN, ids=lambda b: b.__name__)
def test_what_stops_messages_is_found_with_what_to_do(folder, breakage):
    breakage(folder)
    findings = [f for f in found(folder) if f.code == BROKEN[breakage]]

    assert findings
    for finding in findings:
        assert finding.severity is Severity.BAD
        assert finding.remedy


@pytest.mark.parametrize("breakage", WEAK, ids=lambda b: b.__name__)
def test_what_works_for_now_is_a_warning(folder, breakage):
    breakage(folder)

    assert WEAK[breakage] in codes(folder, Severity.WARN)
    assert codes(folder) == set()


def test_a_key_of_another_user_is_found(tmp_path):
    """Root can make one; anybody else has those of root."""
    other = Path("/etc/passwd")
    if os.geteuid() == 0:
        other = tmp_path / "sign.key"
        other.write_bytes(b"")
        os.chown(other, 65534, 65534)

    (finding,) = doctor_files.other_owner(tmp_path, [other])

    assert finding.code == "keys.owner"
    assert finding.remedy.startswith("chown ")


def test_agreements_that_end_or_ended_or_are_with_nobody(folder):
    later = {
        "agreement.ends_soon": timedelta(days=80),
        "agreement.not_in_force": timedelta(days=91),
        "agreement.counterpart": timedelta(days=91),
    }
    directory = load_directory(load_installation(folder), epoch=0)
    now = SystemClock().now()
    for code, ahead in later.items():
        assert code in {f.code for f in agreements(directory, now + ahead)}


def beside_its_successor(folder):
    """Put an agreement that ended beside the one of the same parties that counts."""
    present = next((folder / "agreements").iterdir())
    old, ids = re.subn('cpaid="[^"]*"', 'cpaid="vroeger"', present.read_text(encoding="utf-8"))
    old, ends = re.subn(r":End>\d[^<]*<", ":End>2001-01-01T00:00:00Z<", old)
    old, starts = re.subn(r":Start>\d[^<]*<", ":Start>2000-01-01T00:00:00Z<", old)
    assert ids == ends == starts == 1
    present.with_name("vroeger.xml").write_text(old, encoding="utf-8")


def test_an_agreement_that_ended_beside_its_successor_stops_nothing(folder):
    beside_its_successor(folder)

    assert codes(folder) == set()
    assert "agreement.not_in_force" in codes(folder, Severity.WARN)


def test_a_knooppunt_names_the_party_without_an_agreement(made, tmp_path):
    target = tmp_path / "knooppunt"
    shutil.copytree(made.by_place["knooppunt"].folder, target)
    oin = made.by_place["om"].party.oin
    next(f for f in (target / "agreements").iterdir() if oin in f.name).unlink()

    (finding,) = (f for f in found(target) if f.code == "agreement.counterpart")
    assert oin in finding.text
    assert finding.severity is Severity.WARN


def test_a_certificate_that_ends_soon_is_told_with_its_days(made, folder):
    party = made.by_place["politie"].party
    soon = SystemClock().now() + timedelta(days=20)
    leaf = made.pki.issue(oin=party.oin, name=party.name, usage="tls", not_after=soon)
    (folder / "keys" / "tls.pem").write_bytes(leaf.pem)
    (folder / "keys" / "tls.key").write_bytes(leaf.key)

    findings = {f.code: f for f in found(folder) if f.severity is Severity.WARN}

    assert "nog 19 dagen" in findings["certificate.expiring"].text
    assert "is een ander dan in CPA" in findings["certificate.not_named"].text
    assert codes(folder) == set()


# --- ports and partners -----------------------------------------------------------------


def test_a_port_of_somebody_else_is_found(made, folder):
    port = made.by_place["politie"].ports[0]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        taken = codes(folder)

    assert taken == {"port.taken"}
    assert codes(folder) == set()


def serving(made, leaf, folder):
    """A partner's listener with this certificate, on the address of the agreement."""
    leaf.write(folder, "partner")
    pair = KeyPair(certificate=folder / "partner.pem", key=folder / "partner.key")
    return server_context(pair, clients=made.pki.trust())


async def partners(made, folder, context):
    """Look at the partner while it listens."""
    port = made.by_place["knooppunt"].ports[0]

    async def quiet(reader, writer):
        await reader.read()
        writer.close()

    async with await asyncio.start_server(quiet, "127.0.0.1", port, ssl=context):
        return await asyncio.to_thread(found, folder, partners=True)


async def test_partners_are_greeted_and_judged(made, folder, tmp_path):
    hub = made.by_place["knooppunt"].party
    right = made.pki.issue(oin=hub.oin, name=hub.name, usage="tls")
    other = made.pki.issue(oin=made.by_place["om"].party.oin, name="OM", usage="tls")
    stranger = made.pki.issue(oin=hub.oin, name="x", usage="tls", unknown_issuer=True)

    good = await partners(made, folder, serving(made, right, tmp_path / "a"))
    wrong = await partners(made, folder, serving(made, other, tmp_path / "b"))
    strange = await partners(made, folder, serving(made, stranger, tmp_path / "c"))
    nobody = await asyncio.to_thread(found, folder, partners=True)

    def told(findings):
        return [(f.severity, f.code) for f in findings if f.area == "Partners"]

    assert told(good) == [(Severity.GOOD, "")]
    assert told(wrong) == [(Severity.BAD, "peer.certificate")]
    assert told(strange) == [(Severity.BAD, "peer.chain")]
    assert told(nobody) == [(Severity.BAD, "peer.unreachable")]


# --- database and clock -----------------------------------------------------------------


async def test_a_database_tells_how_it_keeps_what_was_committed(folder):
    store = open_store(load_installation(folder), SystemClock(), SystemDice())
    try:
        texts = await asyncio.to_thread(lambda: [f.text for f in found(folder)])
    finally:
        await store.close()

    assert any(text.startswith("SQLite, journal_mode WAL") for text in texts)
    assert any(re.fullmatch(r"fsync op \S+: [0-9.]+ ms", text) for text in texts)


async def test_what_was_withdrawn_and_has_no_mark_is_found(folder):
    installation = load_installation(folder)
    await open_store(installation, SystemClock(), SystemDice()).close()
    with closing(open_engine(installation.database).writer()) as connection:
        row = {"approval": "DT-1", "at": SystemClock().now(), "actor": "", "reason": ""}
        connection.execute(sa.insert(revocations).values(**row, document=b""))

    findings = await asyncio.to_thread(found, folder)
    (finding,) = [f for f in findings if f.code == "gate.marks_lost"]
    assert finding.severity is Severity.WARN
    assert finding.text.startswith("1 ")

    epochs = installation.path(installation.settings.paths.epoch_keys)
    EndedMarks(epochs).end(Ends.APPROVAL, "DT-1")
    assert "gate.marks_lost" not in await asyncio.to_thread(codes, folder, Severity.WARN)


async def test_a_partner_to_whom_a_person_holds_what_is_sent_is_told(folder):
    installation = load_installation(folder)
    settings = installation.settings
    partner = next(one for one in settings.partijen if one.oin != settings.partij)
    store = open_store(installation, SystemClock(), SystemDice())
    try:
        await store.pauses.hold(Oin(partner.oin), who="a.bakker", why="onderhoud bij de partij")
        findings = await asyncio.to_thread(found, folder)
    finally:
        await store.close()

    (finding,) = [f for f in findings if f.code == "partner.paused"]
    assert finding.severity is Severity.WARN
    assert f"{partner.naam} ({partner.oin}) staat stil sinds 20" in finding.text
    assert finding.text.endswith("door a.bakker: onderhoud bij de partij")
    assert partner.oin in finding.remedy


async def test_tokens_of_the_console_are_looked_at_as_those_of_the_file(folder):
    installation = load_installation(folder)
    (backend,) = installation.settings.backends
    (in_file,) = backend.tokens
    clock, dice = SystemClock(), SystemDice()
    key = load_console_key(installation.path(installation.settings.console.key), make=True)
    store = open_store(installation, clock, dice)
    directory = load_directory(installation, epoch=0, tolerant=True)
    systems = Systems(
        tokens=store.tokens, seals=key, clock=clock, dice=dice, current=lambda: directory
    )
    try:
        await systems.make(backend.naam, scopes=frozenset({Scope.READ}), days=30, by="bea")
        await systems.end(backend.naam, in_file.sha256, by="bea", why="gelekt")
        (kept,) = await store.tokens.kept()
        clock_ahead = kept.valid_until - timedelta(days=3)
        lines = await asyncio.to_thread(lambda: list(sign_in(installation, directory, clock_ahead)))
    finally:
        await store.close()

    told = [text for mark, text in lines if mark == "!"]
    assert any(f"token {kept.sha256[:12]}: eindigt op" in text for text in told)
    assert any(f"token {in_file.sha256[:12]}: in de console beëindigd" in text for text in told)
    assert not any(in_file.sha256[:12] in text and "geldig_tot" in text for text in told)


def test_a_server_that_does_not_wait_for_its_disk_is_found(folder, postgres):
    """The server of the tests has fsync off: nothing of it outlives the run."""
    toml(folder, "[database]\n", f'[database]\nurl = "{postgres.create("doctor")}"\n')
    installation = load_installation(folder)
    store = open_store(installation, SystemClock(), SystemDice())
    try:
        findings = {f.code: f for f in found(folder) if f.code}
    finally:
        asyncio.run(store.close())

    for code in ("database.fsync", "database.full_page_writes"):
        assert findings[code].severity is Severity.BAD
        assert "ALTER SYSTEM SET" in findings[code].remedy
    assert findings["epoch_keys.local"].severity is Severity.WARN
    assert "database.tls" not in findings  # it is on this machine


def test_a_server_that_does_not_answer_is_one_finding_among_others(folder):
    toml(folder, "[database]\n", '[database]\nurl = "postgresql://gateway@127.0.0.1:1/gateway"\n')

    assert "store.gone" in codes(folder)


def test_clocks_that_differ_or_went_back_are_found():
    now = SystemClock().now()

    def told(**moments):
        seen = Durability(settings={}, **({"now": now, "high_water": None} | moments))
        return {f.code: f.severity for f in doctor_database.clock(seen, now, now) if f.code}

    late, hour = timedelta(seconds=3), timedelta(hours=1)
    assert told().keys() <= {"clock.unsynchronised"}
    assert told(now=now + late)["clock.skew"] is Severity.WARN
    assert told(now=now - late)["clock.skew"] is Severity.WARN
    assert told(high_water=now + hour)["clock.stepped_back"] is Severity.BAD


# --- the screen and the exit status -----------------------------------------------------


def test_the_screen_is_readable_at_80_columns(folder):
    open_key(folder)
    no_back_end(folder)
    console = Console(width=80, record=True, file=StringIO())
    findings = found(folder)
    show(console, findings)
    lines = console.export_text().splitlines()

    assert [line for line in lines if line != line.rstrip()] == []
    # A path is not broken, so that it can be copied.
    assert all(len(line) <= 80 or " " not in line.strip() for line in lines)
    assert "Sleutels en rechten" in lines
    at = lines.index("  ✗ sign.key is leesbaar voor anderen")
    assert lines[at + 1].startswith("      waarom: ")
    assert any(line.startswith("      doe: chmod 600") for line in lines[at:])
    assert summary(findings) == "3 × fout, 1 × let op."  # one open key stops the use of all


def test_exit_status_and_json_say_the_same(folder, tmp_path):
    whole, broken, unreadable = (tmp_path / name for name in ("a", "b", "c"))
    for target in (whole, broken, unreadable):
        shutil.copytree(folder, target)
    no_anchor(broken)
    wrong_toml(unreadable)

    good, bad, none = together(
        *(("doctor", "--json", "-c", target) for target in (whole, broken, unreadable))
    )

    assert [ran.status for ran in (good, bad, none)] == [0, 1, 2]
    assert {f["ernst"] for f in json.loads(good.out)} == {"goed"}
    told = [f for f in json.loads(bad.out) if f["ernst"] == "fout"]
    assert "trust.empty" in {f["code"] for f in told}
    assert all(f["doe"] for f in told)
    assert [f["code"] for f in json.loads(none.out) if f["ernst"] == "fout"] == [
        "agreement.invalid"
    ]


def test_nothing_that_is_found_holds_a_key_or_a_token(made, folder):
    open_key(folder)
    said = json.dumps([shape(f) for f in found(folder)])

    assert made.by_place["politie"].token not in said
    assert "PRIVATE KEY" not in said


# --- the console ----------------------------------------------------------------------

OFFICER = (
    '\n[[officieren]]\nid = "off-1"\nnaam = "A"\nfunctie = "officier van justitie"\n'
    'mandaat = "Sv"\nparket = "Oost"\nvan = 2026-01-01\n'
)


@pytest.fixture
def with_console(folder):
    with (folder / "gateway.toml").open("a", encoding="utf-8") as file:
        file.write(OFFICER)
    return folder


async def _account(folder, login, *, roles, officer="", active=True, linked=""):
    installation = load_installation(folder)
    clock, dice = SystemClock(), SystemDice()
    store = open_store(installation, clock, dice)
    try:
        accounts = people_of(installation, store, clock, dice).accounts
        made, _ = await accounts.add(
            login=login, name=login, roles=frozenset(roles), officer=officer, by="cli"
        )
        if active:
            await store.people.apply(change_account(made.id, active=True))
        if linked:
            await store.people.apply(*link_account(made.id, linked, "persoon-1"))
    finally:
        await store.close()


def test_a_console_for_which_nobody_was_activated_is_told(with_console):
    asyncio.run(_account(with_console, "bea", roles={UserRole.BEHEERDER}, active=False))
    warned = codes(with_console, Severity.WARN)

    assert {"console.no_beheerder", "console.officer_without_account"} <= warned
    assert "console.key" not in codes(with_console)


def test_accounts_and_officers_that_fit_are_good(with_console):
    for login in ("anna", "bea"):
        asyncio.run(_account(with_console, login, roles={UserRole.BEHEERDER}))
    asyncio.run(_account(with_console, "otto", roles={UserRole.OFFICIER}, officer="off-1"))

    told = codes(with_console, Severity.WARN) | codes(with_console)
    assert not {code for code in told if code.startswith("console.")}


def test_one_beheerder_and_an_officer_of_before_are_told(with_console):
    asyncio.run(_account(with_console, "anna", roles={UserRole.BEHEERDER}))
    asyncio.run(_account(with_console, "bea", roles={UserRole.BEHEERDER}, active=False))
    asyncio.run(_account(with_console, "otto", roles={UserRole.OFFICIER}, officer="off-2"))

    warned = codes(with_console, Severity.WARN)
    assert {"console.one_beheerder", "console.officer_unknown"} <= warned


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda path: path.chmod(0o644), "keys.permissions"),
        (lambda path: path.write_text("kapot"), "console.key"),
        (lambda path: path.unlink(), "keys.missing"),
    ],
)
def test_a_key_that_is_not_what_it_should_be_is_told(with_console, harm, code):
    asyncio.run(_account(with_console, "anna", roles={UserRole.BEHEERDER}))
    installation = load_installation(with_console)

    harm(installation.path(installation.settings.console.key))

    assert code in codes(with_console)


OIDC = """
[console.oidc]
issuer = "{issuer}"
client_id = "console"
client_key_file = "secrets/oidc.key"
ca = "{ca}"
amr = ["mfa"]
rollen = {{ bh = "beheerder" }}
"""


def with_provider(folder, text=OIDC, *, issuer="https://aanmelden.example", ca="trust/idp.pem"):
    key = folder / "secrets" / "oidc.key"
    key.parent.mkdir(mode=0o700, exist_ok=True)
    key.write_bytes(private_pem(ec_key("console")))
    key.chmod(0o600)
    (folder / "trust" / "idp.pem").write_bytes(pem(live().root))
    with (folder / "gateway.toml").open("a", encoding="utf-8") as file:
        file.write(text.format(issuer=issuer, ca=ca))
    return folder


def test_a_provider_that_fits_is_good(with_console):
    told = found(with_provider(with_console))

    assert any("1 waarden geven een rol" in one.text for one in told)
    assert not [one.code for one in told if "oidc" in one.code]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('rollen = {{ bh = "beheerder" }}', "", "console.oidc_gap"),
        ('bh = "beheerder"', 'om = "officier"', "console.oidc_gap"),
        ('rollen = {{ bh = "beheerder" }}', "lokaal = false", "console.oidc_gap"),
        ('amr = ["mfa"]', "", "console.oidc"),
        ('client_key_file = "secrets/oidc.key"', "", "console.oidc"),
        ('client_id = "console"', 'client_id = "c"\nclient_secret_file = "s"', "console.oidc"),
        ('client_id = "console"', 'client_id = "c"\nscopes = ["profile"]', "console.oidc"),
        ('client_id = "console"', 'client_id = "c"\naanmaken = true', "console.oidc"),
        ('client_id = "console"', 'client_id = "c"\nofficieren = {{ x = "y" }}', "console.oidc"),
        ('"{issuer}"', '"https://aanmelden.example/?x"', "console.oidc"),
        ('client_key_file = "secrets/oidc.key"', 'client_secret_file = "weg"', "keys.missing"),
        ('client_key_file = "secrets', 'client_key_file = "trust', "keys.missing"),
        ("trust/idp.pem", "trust/weg.pem", ""),
    ],
)
def test_settings_of_a_provider_that_let_nobody_in_are_told(with_console, old, new, code):
    assert old in OIDC or old == "trust/idp.pem"
    with_provider(with_console, OIDC.replace("{ca}", "trust/idp.pem").replace(old, new))

    told = codes(with_console) | codes(with_console, Severity.WARN)
    assert (code or "tls.anchors") in told


@pytest.mark.parametrize("octets", [b"", b"kapot", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_key_for_the_provider_that_is_none_is_told(with_console, octets):
    path = with_provider(with_console) / "secrets" / "oidc.key"
    path.write_bytes(octets)
    assert "console.oidc" in codes(with_console)
    path.chmod(0o640)
    assert "keys.permissions" in codes(with_console)


async def test_a_provider_is_asked_whether_it_is_there(with_console, tmp_path):
    async def told():
        found = await asyncio.to_thread(lambda: tuple(asks(load_installation(with_console))))
        gc.collect()  # a connection that was left open is a warning now, not in another test
        return {(one.severity, one.code) for one in found}

    async with openid(tmp_path / "idp") as idp:
        with_provider(with_console, issuer=idp.url)

        assert await told() == {(Severity.GOOD, "")}
        idp.keys = ()
        assert await told() == {(Severity.BAD, "console.oidc_keys")}
        idp.documents = {"/jwks": b"[]"}
        assert await told() == {(Severity.BAD, "oidc.metadata")}
    assert await told() == {(Severity.BAD, "oidc.unreachable")}


def test_accounts_of_another_provider_are_told(with_console):
    asyncio.run(_account(with_console, "anna", roles={UserRole.BEHEERDER}, linked="https://x"))

    assert "console.oidc_issuer" in codes(with_provider(with_console), Severity.WARN)


def test_a_console_without_an_address_is_told(with_console):
    file = with_console / "gateway.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"(\[console\]\n)url = .*\n", r"\1", text), encoding="utf-8")

    assert "console.url" in codes(with_console)
