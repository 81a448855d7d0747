"""The commands as somebody types them: what they print, where, and with which exit status."""

import json
import os
import re
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway import cli
from gateway.app import SystemClock, SystemDice
from gateway.cli import commands
from gateway.cli.demo.sites import Sites, make_sites
from gateway.credentials import Scope
from gateway.installation import load_directory, load_installation
from gateway.keys.ended import EndedMarks
from gateway.keys.epochs import EpochKeys
from gateway.ports import AuditEvent
from gateway.store.store import Store
from gateway.wire import toets
from gateway.wire.ebms2.cpa import read_cpa
from tests.installations import installed
from tests.spawning import program

ROOT = Path(__file__).parent.parent.parent
PURPOSES = {
    (): "knooppunt and aansluitpunt",
    ("serve",): "Serve an installation until SIGTERM",
    ("demo",): "four processes on loopback",
    ("init",): "Make a working configuration",
    ("token",): "stored only as SHA-256",
    ("send",): "Hand a document in",
    ("openapi",): "Print the OpenAPI 3.1 document",
    ("backup",): "Copy the SQLite database while the gateway runs",
    ("docs",): "Write a page per message, of error codes, and of settings",
    ("doctor",): "Check everything that messages depend on",
    ("berichten",): "Messages and their trace",
    ("berichten", "list"): "List messages, newest first",
    ("berichten", "show"): "every step with its time",
    ("berichten", "status"): "Ask the receiver what became of a message",
    ("berichten", "hervat"): "Send again what may or may not have arrived",
    ("berichten", "staak"): "Give a message up",
    ("berichten", "opnieuw"): "Hand in again what was refused with a Fo01",
    ("berichten", "email"): "Let a message that can not wait go on by secure e-mail",
    ("alarmen",): "what a person must know of",
    ("alarmen", "list"): "List open alarms, newest first",
    ("alarmen", "af"): "Close an alarm that was dealt with",
    ("alarmen", "kijk"): "It stays open",
    ("alarmen", "los"): "nobody looks at an alarm any more",
    ("quarantaine",): "Mail that no system took in",
    ("quarantaine", "list"): "without content",
    ("partners",): "hold what is sent to one",
    ("partners", "list"): "for whom a person holds",
    ("partners", "ping"): "Ask the gateway of a partner whether it is there",
    ("partners", "stil"): "Terms run on",
    ("partners", "verder"): "go on",
    ("audit",): "The audit log",
    ("audit", "list"): "List audit rows, oldest first",
    ("audit", "verify"): "Recompute every chain",
    ("cpa",): "Agreements (CPAs)",
    ("cpa", "show"): "what the gateway takes from a CPA",
    ("cpa", "lint"): "one line per finding",
    ("cpa", "diff"): "what changes when one CPA takes the place of another",
    ("cpa", "import"): "Put an agreement in place, after checking it",
    ("cpa", "make"): "Make the CPA of two parties",
    ("toets",): "Requests to the OM: list, read, decide",
    ("toets", "lijst"): "Never what the messages say",
    ("toets", "toon"): "why it is held",
    ("toets", "lees"): "exactly those on which is decided",
    ("toets", "neem"): "another officer can not decide",
    ("toets", "laat"): "Let others take it",
    ("toets", "besluit"): "It is signed and carried out at once",
    ("toets", "bevestig"): "as the second officer",
    ("toets", "wijs-af"): "the request is open again",
    ("toets", "trek-in"): "whether that is in time",
    ("toets", "trek-toestemming-in"): "it ends at the police at once",
    ("toetsing",): "proposed by the police, confirmed by the OM",
    ("toetsing", "voorstel"): "for an officer to confirm",
    ("toetsing", "verschil"): "Say in words what differs",
    ("toetsing", "bevestig"): "Confirm a proposal as an officer of the OM",
    ("toetsing", "plaats"): "have the gate go by it",
    ("toetsing", "toon"): "Say by what the gate goes",
    ("toetsing", "rapport"): "how much the gate holds",
    ("schemas",): "XSDs of other versions",
    ("schemas", "add"): "It judges nothing until it is activated",
    ("schemas", "list"): "which one judges what",
    ("schemas", "activate"): "from a moment on",
    ("schemas", "deactivate"): "End what a pack judges",
    ("schemas", "remove"): "Take a pack away",
    ("webhooks",): "where back-ends are told of changes",
    ("webhooks", "list"): "List all webhooks with how they do",
    ("webhooks", "test"): "tell what came of it; nothing is kept",
    ("webhooks", "enable"): "Switch a webhook on again",
    ("simulator",): "A partner or a back-end to test against",
    ("simulator", "init"): "Make a test set-up",
    ("simulator", "partner"): "Play the partner over ebMS2",
    ("simulator", "backend"): "Play a back-end system over REST",
    ("certs",): "Certificates",
    ("certs", "make-test-pki"): "Make a hierarchy like PKIoverheid's",
    ("certs", "list"): "List every certificate and revocation list in use",
    ("certs", "import"): "Put a renewed certificate, authority or revocation list in place",
    ("certs", "show"): "OIN, subject, validity and thumbprint",
    ("users",): "Users of the console",
    ("users", "list"): "List all accounts",
    ("users", "add"): "its activation code is shown once",
    ("users", "change"): "its sessions end",
    ("users", "recover"): "give a new activation code",
    ("users", "link"): "by no other way",
    ("users", "unlock"): "not count any more",
    ("users", "close"): "its login stays taken",
}
POLITIE, KNOOPPUNT = "00000099000000000001", "00000099000000000009"


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


def gateway(*arguments: str | Path, **environment: str) -> Ran:
    """Run `python -m gateway` with a wide terminal and nothing of our environment but PATH."""
    done = subprocess.run(
        program("-m", "gateway", *map(str, arguments)),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "COLUMNS": "240", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def together(*commands: tuple[str | Path, ...]) -> list[Ran]:
    """Run commands side by side: most of the time of each is its start."""
    with ThreadPoolExecutor(max_workers=3) as pool:
        return list(pool.map(lambda command: gateway(*command), commands))


def refused(ran: Ran, status: int, code: str) -> None:
    """One line on stderr that starts with the code, and no traceback."""
    assert (ran.status, ran.out) == (status, "")
    assert ran.err.startswith(f"gateway: {code}")
    assert ran.err.count("\n") == 1


@pytest.fixture(scope="module")
def whole_app() -> typer.Typer:
    app = typer.Typer(help=cli.app.info.help, cls=commands.Commands)
    commands.register(app)
    return app


@pytest.fixture(scope="module")
def sites(tmp_path_factory) -> Sites:
    return make_sites(tmp_path_factory.mktemp("sites"))


@pytest.mark.parametrize("command", PURPOSES, ids=" ".join)
def test_help_of_every_command_says_what_it_is_for(command, whole_app):
    """Without a start of Python for each: that takes a second."""
    done = CliRunner().invoke(whole_app, [*command, "--help"], env={"COLUMNS": "240"})

    assert done.exit_code == 0
    assert PURPOSES[command] in " ".join(done.stdout.split())
    assert done.stderr == ""


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_the_list_says_of_a_command_what_it_says_of_itself(name):
    own = typer.main.get_group(commands.COMMANDS[name].load(name)).commands[name]

    assert commands.COMMANDS[name].help == " ".join(own.help.split("\n\n")[0].split())


def test_every_command_and_no_other_is_tested_for_its_help(whole_app):
    commands = {
        (*above, name)
        for above in {command[:-1] for command in PURPOSES if command}
        for name in listed(CliRunner().invoke(whole_app, [*above, "--help"]).stdout)
    }
    ran = gateway("--help")

    assert commands == {command for command in PURPOSES if command}
    assert (ran.status, ran.err) == (0, "")
    assert listed(ran.out) == {command[0] for command in PURPOSES if command}


def listed(text: str) -> set[str]:
    return set(re.findall(r"^│ ([a-z][a-z-]+) ", text, re.MULTILINE))


def test_init_writes_what_loads_but_is_not_whole_and_leaves_it_alone_after(tmp_path):
    roles = ("knooppunt", "aansluitpunt")
    init = [("init", "--role", role, tmp_path / role) for role in roles]

    made, again = together(*init), together(*init)
    doctor = gateway("doctor", "-c", tmp_path / "knooppunt")

    for role, first, second in zip(roles, made, again, strict=True):
        file = tmp_path / role / "gateway.toml"
        assert (first.status, first.err) == (0, "")
        assert str(file) in first.out
        assert "gateway doctor" in first.out
        assert load_directory(load_installation(file), epoch=0).me == "00000099000000000000"
        refused(second, 2, "init.exists")
        assert str(file) in second.err
    assert (doctor.status, doctor.err) == (1, "")
    assert "✗ TLS-certificaat" in doctor.out


def test_init_puts_the_data_where_it_is_told(tmp_path):
    data = tmp_path / "var"
    made = gateway("init", "--role", "knooppunt", "--data", data, tmp_path / "etc")
    installation = load_installation(tmp_path / "etc")

    assert (made.status, made.err) == (0, "")
    assert installation.database == data / "gateway.db"
    assert installation.path(installation.settings.paths.epoch_keys) == data / "epochs"
    assert data.stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "etc" / "data").exists()


def test_init_refuses_what_would_not_load(tmp_path):
    folder = tmp_path / "new"
    short, nameless = together(
        ("init", "--role", "knooppunt", "--oin", "123", folder),
        ("init", "--role", "knooppunt", "--naam", "", folder),
    )

    for ran in (short, nameless):
        assert ran.status == 2
        assert "Traceback" not in ran.err
    assert not folder.exists()


def test_token_is_shown_once_with_what_goes_into_the_settings():
    first, second, narrow = together(
        ("token", "bvh"),
        ("token", "bvh"),
        ("token", "bvh", "--scopes", "postvak:lezen", "--geldig-dagen", "30"),
    )
    shown = r"token voor bvh \(wordt niet bewaard\): (\S+)\n\n(.*)"
    token, lines = re.fullmatch(shown, first.out, re.DOTALL).groups()
    (made,) = tomllib.loads(lines)["backends"]["tokens"]
    (less,) = tomllib.loads(narrow.out.split("\n\n")[1])["backends"]["tokens"]

    assert made["sha256"] == sha256(token.encode()).hexdigest()
    assert made["scopes"] == list(Scope)
    assert made["geldig_tot"] - datetime.now(UTC) > timedelta(days=364)
    assert first.out != second.out
    assert less["scopes"] == ["postvak:lezen"]
    assert less["geldig_tot"] - datetime.now(UTC) < timedelta(days=31)


@pytest.mark.parametrize("option", [("--scopes", "alles"), ("--geldig-dagen", "0")])
def test_no_token_is_made_with_a_scope_or_end_that_can_not_be(option):
    ran = gateway("token", "bvh", *option)

    assert ran.status == 2
    assert ran.out == ""


def test_no_token_is_made_for_a_system_that_is_not_there(tmp_path):
    folder = installed(tmp_path / "politie")
    unknown, known = together(
        ("token", "bhv", "-c", folder),
        ("token", "bvh", "-c", folder),
    )

    assert (unknown.status, unknown.out) == (1, "")
    assert "systeem.weg: Dit systeem staat niet in gateway.toml. Wel: bvh." in unknown.err
    assert "token voor bvh" in known.out


def test_test_pki_and_the_agreement_that_is_made_with_it(tmp_path):
    made = gateway(
        "certs", "make-test-pki", tmp_path,
        "--party", f"{POLITIE},TEST Politie,politie",
        "--party", f"{KNOOPPUNT},TEST Knooppunt,knooppunt",
    )  # fmt: skip
    cpa = tmp_path / "politie-knooppunt.xml"
    sides = [
        f"{oin},TEST {name},{name.upper()},https://{name}.example/ebms,{tmp_path / name}"
        for oin, name in ((POLITIE, "politie"), (KNOOPPUNT, "knooppunt"))
    ]
    both = ("--party", sides[0], "--party", sides[1])
    agreed = gateway("cpa", "make", cpa, *both)
    gated = gateway("cpa", "make", tmp_path / "gated.xml", *both, "--also", "toets")
    older = gateway("cpa", "make", tmp_path / "older.xml", *both, "--also", "jz:oud=1.0.6")
    wrong = gateway("cpa", "make", tmp_path / "wrong.xml", *both, "--also", "1.0.6")
    weak = tmp_path / "weak.xml"
    weak.write_bytes(cpa.read_bytes().replace(b"https://politie", b"http://politie"))
    shown, certificate, linted, weakened = together(
        ("cpa", "show", cpa),
        ("certs", "show", tmp_path / "politie" / "sign.pem"),
        ("cpa", "lint", cpa),
        ("cpa", "lint", weak, "--json"),
    )

    assert (made.status, made.err) == (0, "")
    for usage in ("tls", "sign", "encrypt"):
        key = tmp_path / "politie" / f"{usage}.key"
        assert key.stat().st_mode & 0o777 == 0o600
    assert (agreed.status, agreed.err) == (0, "")
    assert {b.channel.profile for b in read_cpa(cpa.read_bytes()).bindings} == {"osb-rm-e"}
    actions = {b.action for b in read_cpa(cpa.read_bytes()).bindings}
    assert {"vtMeldingDi01", "vcobDi01", "Bv01Bericht"} <= actions
    assert "zorgmeldingDi01" not in actions  # of another version
    assert (gated.status, older.status, wrong.status) == (0, 0, 2)
    of_gate = read_cpa((tmp_path / "gated.xml").read_bytes()).bindings
    assert {b.action for b in of_gate if b.service == toets.SERVICE} == toets.KINDS
    assert {b.action for b in of_gate} == actions | toets.KINDS
    of_older = read_cpa((tmp_path / "older.xml").read_bytes()).bindings
    assert "zorgmeldingDi01" in {b.action for b in of_older if b.service == "jz:oud"}
    assert "SERVICE=VERSION" in wrong.err
    assert shown.status == 0
    for told in ("CPAId    politie-knooppunt", "osb-rm-e", "rsa-sha256", "aes256-gcm", POLITIE):
        assert told in shown.out
    assert (linted.status, linted.err) == (0, "")
    assert linted.out.splitlines()[-1] == "Mag in gebruik."
    found = json.loads(weakened.out)
    assert (weakened.status, found["activeerbaar"]) == (1, False)
    assert ("CPA-020", "fout") in {(one["regel"], one["ernst"]) for one in found["bevindingen"]}
    assert certificate.status == 0
    assert f"OIN        {POLITIE}" in certificate.out
    assert re.search(r"^SHA-256 +[0-9a-f]{64}$", certificate.out, re.MULTILINE)


def test_certificates_are_listed_and_one_that_does_not_work_is_the_exit_status(sites, tmp_path):
    folder = tmp_path / "politie"
    subprocess.run(["cp", "-rp", sites.by_place["politie"].folder, folder], check=True)
    good = gateway("certs", "list", "-c", folder)
    (folder / "keys" / "sign.key").unlink()
    bad = gateway("certs", "list", "--json", "-c", folder)

    assert (good.status, good.err) == (0, "")
    assert "trust/crls/issuing.crl" in good.out
    assert bad.status == 1
    wrong = [item for item in json.loads(bad.out) if item["code"]]
    assert [(item["gebruik"], item["eigen"], item["code"]) for item in wrong] == [
        ("ondertekening", True, "keys.missing")
    ]


def test_an_import_that_is_only_tried_writes_nothing(sites, tmp_path):
    """The name in the certificate looks like markup: it is shown as it is."""
    site = sites.by_place["politie"]
    before = sorted((site.folder / "keys").iterdir())
    leaf = sites.pki.issue(oin=site.party.oin, name="[red]Politie[/red]", usage="tls")
    leaf.write(tmp_path, "tls")
    given = ("--key", tmp_path / "tls.key", "--proef", "-c", site.folder)
    tried = gateway("certs", "import", tmp_path / "tls.pem", *given)
    (tmp_path / "tls.key").chmod(0o644)
    open_key = gateway("certs", "import", tmp_path / "tls.pem", *given)

    assert (tried.status, tried.err) == (0, "")
    assert "[red]Politie[/red]" in tried.out
    assert "Er is niets geschreven" in tried.out
    refused(open_key, 1, "certs.key_open")
    assert sorted((site.folder / "keys").iterdir()) == before


def test_file_that_is_not_there_or_is_something_else_is_told_in_one_line(tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("geheim")
    gone = tmp_path / "gone"
    side = f"{POLITIE},x,X,https://x.example/ebms,{gone}"
    ran = together(
        ("certs", "show", gone),
        ("certs", "show", other),
        ("cpa", "show", other),
        ("cpa", "make", tmp_path / "c.xml", "--party", side, "--party", side),
        ("certs", "make-test-pki", tmp_path / "pki", "--party", "politie"),
        ("doctor", "--config", gone),
        ("cpa", "make", tmp_path / "c.xml", *("--party", side) * 2, "--version", "0.1"),
    )

    for one in ran:
        assert one.status in {1, 2}
        assert "Traceback" not in one.err
        assert "geheim" not in one.err
    refused(ran[2], 1, "xml.malformed")
    refused(ran[5], 2, "config.missing")
    assert "no messages of this version" in ran[6].err
    assert not (tmp_path / "pki").exists()


def test_doctor_finds_nothing_wrong_with_whole_installations(sites):
    places = ("knooppunt", "politie")
    ran = together(*(("doctor", "-c", sites.by_place[place].config) for place in places))

    for one in ran:
        assert (one.status, one.err) == (0, "")
        assert "✗" not in one.out
        assert "✓ TLS-certificaat geldig tot" in one.out


def test_doctor_says_which_keys_are_missing_and_that_nothing_runs(sites, tmp_path):
    site = sites.by_place["politie"]
    folder = tmp_path / "politie"
    subprocess.run(["cp", "-rp", site.folder, folder], check=True)
    for key in ("sign", "encrypt"):
        (folder / "keys" / f"{key}.key").unlink()

    without, health = together(("doctor", "-c", folder), ("doctor", "--health", "-c", folder))

    assert (without.status, without.err) == (1, "")
    assert "sleutel voor ondertekening ontbreekt" in without.out
    assert "sleutel voor ontsleuteling ontbreekt" in without.out
    assert (health.status, health.err) == (1, "")
    assert health.out.startswith("niet gereed")
    assert health.out.count("\n") == 1


def test_doctor_names_the_rules_that_count_otherwise_for_somebody(sites, tmp_path):
    folder = tmp_path / "knooppunt"
    subprocess.run(["cp", "-rp", sites.by_place["knooppunt"].folder, folder], check=True)
    file = folder / "gateway.toml"
    head, _, tail = file.read_text().partition("[[partijen]]")
    first, _, rest = tail.partition("[[partijen]]")
    settings = """
[[partijen.regels]]
regel = "JZ-004"
tot = 2020-01-31

[[partijen.regels]]
regel = "JZ-006"
ernst = "weigering"

"""
    file.write_text(f"{head}[[partijen]]{first}{settings}[[partijen]]{rest}")

    ran = gateway("doctor", "-c", folder)

    assert (ran.status, ran.err) == (0, "")
    told = " ".join(ran.out.split())
    assert re.search(r"! regel JZ-004 is voor \S.* een waarschuwing tot en met 2020-01-31", told)
    assert "Verlopen: haal de regel weg" in told
    assert re.search(r"! regel JZ-006 is voor \S.* een weigering", told)


def test_docs_are_written_for_the_messages_of_an_installation(sites, tmp_path):
    ran = gateway("docs", tmp_path / "docs", "--config", sites.by_place["knooppunt"].config)

    assert (ran.status, ran.err) == (0, "")
    page = (tmp_path / "docs" / "berichten" / "vtMeldingDi01.md").read_text()
    assert "/schemas/1.0.9/vtMeldingDi01.xsd" in page
    assert (tmp_path / "docs" / "foutcodes.md").exists()


async def test_database_is_read_and_its_chain_verified(sites):
    site = sites.by_place["veilig-thuis"]
    commands = (
        ("berichten", "list", "--antwoord", "Fo01Bericht", "-c", site.config),
        ("audit", "list", "-c", site.config),
        ("audit", "verify", "-c", site.config),
        ("berichten", "show", "bestaat-niet", "-c", site.config),
    )
    refused(gateway(*commands[0]), 2, "store.path")
    await _database(site.config)

    messages, rows, verified, unknown = together(*commands)

    assert (messages.status, messages.err) == (0, "")
    assert "referentienummer" in messages.out
    assert (rows.status, rows.err) == (0, "")
    assert "proef.geslaagd" in rows.out
    assert (verified.status, verified.out) == (0, "Alle ketens kloppen.\n")
    refused(unknown, 1, "bericht.unknown")


async def test_doctor_shows_what_is_due_and_backup_copies_beside_the_open_database(sites, tmp_path):
    site = sites.by_place["knooppunt"]
    copy = tmp_path / "kopie.db"
    commands = (("doctor", "-c", site.config), ("backup", copy, "-c", site.config))
    before = gateway(*commands[0])
    store = _opened(site.config)
    await store.payloads.put(b"x" * 300_000)

    doctor, backup = together(*commands)
    again = gateway(*commands[1])

    await store.close()
    assert "✓ nog geen database: niets te vernietigen" in before.out
    assert (doctor.status, doctor.err) == (0, "")
    assert "✓ inhoud: 1 aanwezig (oudste 0 uur), 0 te beoordelen, 1 zonder bericht" in doctor.out
    assert re.search(r"✓ epoch-sleutel \S+: 0 uur oud, 1 inhoud", doctor.out)
    assert (backup.status, backup.err) == (0, "")
    assert "gecontroleerd, keten klopt" in backup.out
    assert copy.stat().st_size > 10_000
    refused(again, 2, "backup.exists")

    for key in installation_keys(site.config):
        key.unlink()
    without = gateway(*commands[0])

    assert without.status == 1
    assert re.search(r"✗ epoch-sleutel \S+ ontbreekt: 1 inhoud is onleesbaar", without.out)


def test_users_are_added_changed_recovered_and_closed(sites, tmp_path):
    folder = tmp_path / "om"
    subprocess.run(["cp", "-rp", sites.by_place["om"].folder, folder], check=True)
    where = ("-c", folder)

    none = gateway("users", "list", *where)
    added = gateway(
        "users", "add", "vera", "--naam", "V. Vera", "--rol", "officier", "--officier",
        "voorbeeld", "--door", "beheer", *where,
    )  # fmt: skip
    unknown = gateway(
        "users", "add", "x1", "--naam", "X", "--rol", "officier", "--officier", "nergens", *where
    )
    wrong = gateway("users", "add", "x1", "--naam", "X", "--rol", "baas", *where)
    linked = gateway("users", "link", "vera", "--sub", "v-1", *where)
    recovered = gateway("users", "recover", "vera", "--reden", "kwijt", "--door", "beheer", *where)
    closed = gateway("users", "close", "vera", "--reden", "weg", "--door", "beheer", *where)
    listed = gateway("users", "list", *where)

    assert "geen accounts" in none.out
    assert re.search(r"vera: activatiecode ([A-Z2-9]{4}-){4}[A-Z2-9]{4}\n", added.out)
    refused(unknown, 1, "console.gebruiker.officier")
    refused(wrong, 1, "console.gebruiker.rollen")
    refused(linked, 1, "console.gebruiker.subject")
    assert "activatiecode" in recovered.out
    assert closed.status == 0
    assert "gesloten" in listed.out
    key = folder / "secrets" / "console.key"
    assert key.stat().st_mode & 0o777 == 0o600


def test_backup_of_postgresql_names_what_makes_one(sites, tmp_path):
    folder = tmp_path / "knooppunt"
    subprocess.run(["cp", "-rp", sites.by_place["knooppunt"].folder, folder], check=True)
    toml = folder / "gateway.toml"
    url = 'url = "postgresql://gateway@127.0.0.1:1/gateway"'
    toml.write_text(toml.read_text().replace("[database]\n", f"[database]\n{url}\n"))

    ran = gateway("backup", tmp_path / "kopie.db", "-c", folder)

    refused(ran, 2, "backup.postgresql")
    assert "pg_dump" in ran.err


def installation_keys(config: Path) -> list[Path]:
    installation = load_installation(config)
    return list(installation.path(installation.settings.paths.epoch_keys).glob("*.epoch"))


async def _database(config: Path) -> None:
    """Make the database with one row in its audit log."""
    store = _opened(config)
    await store.inbox.note(AuditEvent(event="proef.geslaagd", at=SystemClock().now()))
    await store.close()


def _opened(config: Path) -> Store:
    """Open or make the database as the service does."""
    installation = load_installation(config)
    paths, dice = installation.settings.paths, SystemDice()
    return Store.open(
        installation.path(paths.database),
        epochs=EpochKeys(installation.path(paths.epoch_keys), dice=dice),
        ended=EndedMarks(installation.path(paths.epoch_keys)),
        clock=SystemClock(),
        dice=dice,
        writer_id="proef",
        inline=True,
    )


def test_send_needs_a_token_a_document_and_an_access_point(tmp_path):
    document = tmp_path / "melding.xml"
    document.write_text("<melding/>")
    send = ("send", document, "--url", "https://127.0.0.1:1")

    with ThreadPoolExecutor() as pool:
        last = pool.submit(gateway, *send, GATEWAY_TOKEN="geheim")
        without, missing = together(send, ("send", tmp_path / "gone.xml"))
    with_token = last.result()

    assert without.status == 2
    assert "GATEWAY_TOKEN" in without.err
    refused(with_token, 75, "peer.unreachable")
    assert missing.status == 2
    assert "gone.xml" in missing.err
    for ran in (without, with_token, missing):
        assert "Traceback" not in ran.err
        assert "geheim" not in ran.out + ran.err
