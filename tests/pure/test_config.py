"""Settings and installations. Files are read and written, so these are not pure in all."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.catalogue import Catalogue, Role
from gateway.config import Canonical, LimitSettings, Settings
from gateway.config_gate import ApprovalsFile
from gateway.config_page import describe
from gateway.errors import Misconfigured
from gateway.installation import (
    load_approvals,
    load_catalogue,
    load_directory,
    load_installation,
    load_settings,
    load_table,
    share,
)
from gateway.installation_new import NewParty, to_toml, write_installation
from gateway.keys.keystore import FileKeyring
from gateway.message import Aanlevering, Oin
from gateway.rules.classification import classify
from gateway.security.certificates import TrustStore, Usage
from gateway.toml import parse_toml
from gateway.wire import toets
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import JZ, STUF, TOETS, read_document
from tests import pki
from tests.cpas import SERVICE
from tests.installations import ACCESS_POINT, EXAMPLES, HUB, installed

ROOT = Path(__file__).parent.parent.parent


def edited(folder: Path, old: str, new: str) -> Path:
    """Change gateway.toml by regular expression, and be sure that something was there."""
    file = folder / "gateway.toml"
    text, count = re.subn(old, new, file.read_text(), count=1, flags=re.MULTILINE)
    assert count
    file.write_text(text)
    return folder


def refusal(folder: Path) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        load_directory(load_installation(folder), epoch=1)
    return caught.value


# --- settings -------------------------------------------------------------------------


def test_page_of_the_settings_is_up_to_date():
    assert (ROOT / "docs" / "configuration.md").read_text() == describe()


def test_every_setting_is_described():
    rows = [line for line in describe().splitlines() if line.startswith("| `")]

    assert len(rows) > 50
    assert not [row for row in rows if row.endswith(("|  |", "| None |"))]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_what_init_writes(name):
    assert (ROOT / "config" / name / "gateway.toml").read_text() == to_toml(EXAMPLES[name])


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_load(name):
    settings = load_settings(ROOT / "config" / name)

    assert settings.rol == name
    assert settings.listen.ebms.path == "/ebms"
    assert (settings.listen.api is None) is (name == "knooppunt")


def test_commented_settings_are_the_defaults():
    """Taking the comment signs away changes nothing."""
    text = to_toml(ACCESS_POINT)
    bare = re.sub(r'^# (\w+ = (?!"\.\.\.").*)$', r"\1", text, flags=re.MULTILINE)

    assert bare != text
    assert parse_toml(bare.encode(), Settings, where="") == parse_toml(
        text.encode(), Settings, where=""
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('^naam = "politie"', 'naam = "politie"\nnaaam = "x"', "naaam: onbekende instelling"),
        (r"^\[log\]", "[log]\nkleur = true", "log.kleur: onbekende instelling"),
        ("^port = 8443", "prot = 8443", "listen.ebms.prot: onbekende instelling"),
        ("^port = 8443", "port = 70000", "listen.ebms.port: is te groot"),
        ("^port = 8443", 'port = "x"', "listen.ebms.port: is niet van de juiste soort"),
        ('^rol = "aansluitpunt"', 'rol = "baas"', "rol: is geen bekende keuze"),
        ('^omgeving = "test"', 'omgeving = "thuis"', "omgeving: is geen bekende keuze"),
        ("^partij = .*", "", "partij: ontbreekt"),
        ("^partij = .*", 'partij = "123"', "partij: heeft niet de juiste vorm"),
        ("^sha256 = .*", 'sha256 = "geheim"', "backends.0.tokens.0.sha256: heeft"),
        ("^sha256 = ", "token = ", "backends.0.tokens.0.token: onbekende instelling"),
        ('"berichten:lezen"', '"geheim"', "backends.0.tokens.0.scopes.1: is geen bekende keuze"),
        ("^aanmelding = .*", 'aanmelding = ["geheim"]', "aanmelding.0: is geen bekende keuze"),
        ("^aanmelding = .*", "", "backends.0.aanmelding: ontbreekt"),
        (r"^\[\[backends.tokens\]\]", "\\g<0>\ngeldig_tot = 2030-01-01T00:00:00", "geen tijdzone"),
        (r"^\[oauth\]", "[oauth]\ntoken_seconds = 901", "oauth.token_seconds: is te groot"),
    ],
)
def test_fault_stops_the_start_and_names_file_and_key(tmp_path, old, new, told):
    found = refusal(edited(installed(tmp_path), old, new))

    assert found.code == "config.invalid"
    assert told in found.text
    assert found.where == str(tmp_path / "gateway.toml")
    assert "geheim" not in str(found)


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"naam = \nrol = 1", "regel 1"),
        (b'a = 1\nnaam = "geheim\nrol = 1\n', "regel 2"),
        (b"a = 1\nb = [1,\n", "einde"),
        (b"naam = '\xff'", "UTF-8"),
    ],
)
def test_what_is_no_toml_is_refused_without_its_content(octets, told):
    with pytest.raises(Misconfigured) as caught:
        parse_toml(octets, Settings, where="f")

    assert caught.value.code == "config.syntax"
    assert told in caught.value.text
    assert "geheim" not in str(caught.value)


@given(st.binary(max_size=60))
def test_any_octets_are_settings_or_misconfigured(octets):
    with pytest.raises(Misconfigured):
        parse_toml(octets, Settings, where="")


def test_missing_file_is_told(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        load_installation(tmp_path)

    assert caught.value.code == "config.missing"


# --- the directory --------------------------------------------------------------------


def test_only_what_is_signed_for_a_partner_has_the_form_that_it_reads(tmp_path):
    folder = installed(tmp_path)
    file = folder / "gateway.toml"
    line = f'oin = "{pki.KNOOPPUNT}"'
    text = file.read_text(encoding="utf-8")
    assert line in text
    file.write_text(text.replace(line, f'{line}\ncanonicalisatie = "inclusief"'), encoding="utf-8")
    directory = load_directory(load_installation(folder), epoch=0, at=pki.AT)
    agreement = directory.agreement("jeugdzorg_politie_knooppunt_1", at=pki.AT)

    for one in agreement.bindings:
        ours = one.sender.id == pki.POLITIE
        assert one.channel.signing.canonical == ("inclusief" if ours else "exclusief")
    assert agreement.signals[pki.POLITIE].signing.canonical is Canonical.INCLUSIVE
    assert agreement.signals[pki.KNOOPPUNT].signing.canonical is Canonical.EXCLUSIVE


def test_installation_loads_into_a_directory(tmp_path):
    directory = load_directory(load_installation(installed(tmp_path)), epoch=7, at=pki.AT)
    agreement = directory.agreement("jeugdzorg_politie_knooppunt_1", at=pki.AT)

    assert (directory.epoch, directory.me) == (7, pki.POLITIE)
    assert directory.party(pki.POLITIE).local
    assert not directory.party(pki.KNOOPPUNT).local
    assert directory.party(pki.VEILIG_THUIS).role is Role.VEILIG_THUIS
    assert agreement.binding(pki.POLITIE, SERVICE, "vtMeldingDi01").channel.profile == "osb-rm-e"
    assert agreement.remarks == ()
    assert directory.services == {SERVICE: "1.0.9", toets.SERVICE: toets.VERSION}
    assert [b.name for b in directory.backends] == ["bvh"]
    assert directory.gate.approvals == ()


def test_keys_and_trust_of_an_installation_fit_its_agreement(tmp_path):
    installation = load_installation(installed(tmp_path))
    directory = load_directory(installation, epoch=1)
    keyring = FileKeyring(installation.path(installation.settings.paths.keys))
    channel = (
        next(iter(directory.agreements.values())).find(pki.POLITIE, "vtMeldingDi01")[0].channel
    )
    trust = TrustStore(directory.trust)

    assert keyring.signer(channel.signing.certificate)
    assert trust.judge(channel.signing.certificate, Usage.SIGN, pki.AT).oin == pki.POLITIE
    assert trust.judge(channel.encryption.certificate, Usage.ENCRYPT, pki.AT).oin == pki.KNOOPPUNT


def test_directory_is_the_same_each_time_and_changes_with_any_file(tmp_path):
    installation = load_installation(installed(tmp_path))
    first = load_directory(installation, epoch=1).fingerprint
    again = load_directory(installation, epoch=2).fingerprint
    crl = tmp_path / "trust" / "crls" / "issuing.crl"
    crl.write_bytes(pki.pki().crls(at=pki.AT + timedelta(days=1))[1])

    assert first == again
    assert load_directory(installation, epoch=1).fingerprint != first


def test_der_and_pem_are_both_read(tmp_path):
    folder = installed(tmp_path)
    before = load_directory(load_installation(folder), epoch=1).trust
    root = folder / "trust" / "anchors" / "root.pem"
    (folder / "trust" / "anchors" / "root.der").write_bytes(pki.pki().root)
    root.unlink()
    crl = folder / "trust" / "crls" / "root.crl"
    crl.write_bytes(x509.load_der_x509_crl(crl.read_bytes()).public_bytes(Encoding.PEM))

    assert load_directory(load_installation(folder), epoch=1).trust == before


def test_suspension_mandate_and_limits_come_from_the_settings(tmp_path):
    folder = edited(
        installed(tmp_path),
        'naam = "Voorbeeld OM"',
        f'naam = "Voorbeeld OM"\nopgeschort = true\nmandaten = ["{pki.KNOOPPUNT}"]',
    )
    edited(folder, "^# parts = 10 .*", "parts = 3")
    edited(folder, "^# clock_skew_seconds = 300 .*", "clock_skew_seconds = 30")
    directory = load_directory(load_installation(folder), epoch=1)

    assert directory.suspended == {pki.OM}
    assert directory.party(pki.OM).mandates == (pki.KNOOPPUNT,)
    assert directory.limits.parts == 3
    assert directory.limits.clock_skew == timedelta(seconds=30)


def test_test_environment_may_have_a_suffix_on_the_party_id(tmp_path):
    folder = edited(installed(tmp_path), f'oin = "{pki.OM}"', f'oin = "{pki.OM}_T"')

    assert load_directory(load_installation(folder), epoch=1).party(f"{pki.OM}_T")


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (f'^oin = "{pki.OM}"', f'oin = "{pki.VEILIG_THUIS}"', f"partijen.{pki.VEILIG_THUIS}"),
        ('^rol = "om"', 'rol = "rechter"', f"partijen.{pki.OM}.rol"),
        ('^rol = "politie"', 'rol = "knooppunt"', "rol"),
        ("^partij = .*", 'partij = "00000099000000000077"', "partij"),
        ('= "1.0.9"', '= "0.9"', f"diensten.{SERVICE}"),
        ("^# memory_bytes = .*", "memory_bytes = 71_999_999", "limits.memory_bytes"),
        (
            "^# partner_memory_bytes = .*",
            "partner_memory_bytes = 71_999_999",
            "limits.partner_memory_bytes",
        ),
    ],
)
def test_what_does_not_fit_together_stops_the_start(tmp_path, old, new, where):
    found = refusal(edited(installed(tmp_path), old, new))

    assert (found.code, found.where) == ("config.invalid", where)


def test_backend_of_another_party_stops_the_start(tmp_path):
    text = to_toml(ACCESS_POINT)
    start = text.index("[[backends]]")
    wrong = text[:start] + text[start:].replace(pki.POLITIE, pki.OM)
    folder = installed(tmp_path)
    (folder / "gateway.toml").write_text(wrong.replace("approvals =", "# approvals ="))

    assert refusal(folder).where == "backends.bvh.partij"


def test_backend_with_an_unknown_applicatie_stops_the_start(tmp_path):
    folder = installed(tmp_path, backends=(replace(ACCESS_POINT.backends[0], applicaties=("X",)),))

    assert refusal(folder).where == "backends.bvh.applicaties"


@pytest.mark.parametrize("field", ["naam", "tokens.sha256"])
def test_backends_differ_in_name_and_token(tmp_path, field):
    one = ACCESS_POINT.backends[0]
    other = (
        replace(one, name="bvh2")
        if field == "tokens.sha256"
        else replace(one, token_sha256="0" * 64)
    )

    assert refusal(installed(tmp_path, backends=(one, other))).where == f"backends.{field}"


@pytest.mark.parametrize(
    ("file", "octets", "code"),
    [
        ("agreements/knooppunt.xml", b"<cpa/>", "agreement.invalid"),
        ("agreements/knooppunt.xml", b"\x00", "agreement.invalid"),
        ("trust/anchors/root.pem", b"-----BEGIN x", "trust.invalid"),
        ("trust/anchors/root.der", b"x", "trust.invalid"),
        ("trust/intermediates/issuing.pem", b"", "trust.invalid"),
        ("trust/crls/root.crl", b"x", "trust.invalid"),
        ("trust/crls/root.crl", b"-----BEGIN x", "trust.invalid"),
    ],
)
def test_broken_file_stops_the_start_and_is_named(tmp_path, file, octets, code):
    folder = installed(tmp_path)
    (folder / file).write_bytes(octets)
    found = refusal(folder)

    assert (found.code, found.where) == (code, str(folder / file))


def test_one_agreement_in_two_files_stops_the_start(tmp_path):
    folder = installed(tmp_path)
    octets = (folder / "agreements" / "knooppunt.xml").read_bytes()
    (folder / "agreements" / "copy.xml").write_bytes(octets)

    assert refusal(folder).code == "agreement.invalid"


def test_missing_folder_stops_the_start(tmp_path):
    folder = edited(installed(tmp_path), '^# crls = "[^"]*".*', 'crls = "elders"')

    assert refusal(folder).code == "config.missing"


# --- what is built in -----------------------------------------------------------------


def built_in() -> Catalogue:
    return load_catalogue(share("config") / "catalogue.toml")


def test_catalogue_fits_the_schemas():
    catalogue = built_in()
    schemas = SchemaSet.load(share("schemas"), catalogue)
    for (name, version), kind in catalogue.kinds.items():
        schema = etree.parse(schemas.entry(name, version)).getroot()

        assert schema.get("targetNamespace") == kind.namespace
        own = TOETS if version == "toets-1" else JZ
        assert kind.namespace == (STUF if kind.answer else own)


def test_catalogue_says_who_may_send_what():
    melding = built_in().find("vtMeldingDi01", "1.0.9")
    terugkoppeling = built_in().find("vtTerugkoppelingDi01", "1.0.9")

    for role in (Role.POLITIE, Role.HALT):
        assert melding.permits(role, Role.VEILIG_THUIS)
        assert terugkoppeling.permits(Role.VEILIG_THUIS, role)
        assert not melding.permits(Role.VEILIG_THUIS, role)
    assert built_in().find("Bv01Bericht", "1.0.9").permits(Role.OM, Role.RVDK)


@pytest.mark.parametrize(
    ("asked", "answered", "version"),
    [
        ("vcobDi01", "ucobDi01", "1.0.9"),
        ("vciDi01", "uciDi01", "1.0.9"),
        ("meldingGeneriekDi01", "uitkomstMeldingGeneriekDi01", "1.0.9"),
        ("vtoDi01", "notificatieDi01", "1.0.9"),
    ],
)
def test_whoever_may_ask_may_be_answered(asked, answered, version):
    there = built_in().find(asked, version).directions
    back = built_in().find(answered, version).directions

    assert there
    assert {(d.sender, d.receiver) for d in there} == {(d.receiver, d.sender) for d in back}


def test_police_may_not_ask_and_nobody_may_answer_what_was_not_asked():
    asked, answered = (built_in().find(name, "1.0.9") for name in ("vcobDi01", "ucobDi01"))

    assert not any(asked.permits(Role.POLITIE, role) for role in Role)
    assert answered.permits(Role.POLITIE, Role.VEILIG_THUIS)
    assert not answered.permits(Role.VEILIG_THUIS, Role.POLITIE)
    assert not any(answered.permits(Role.POLITIE, role) for role in (Role.RVDK, Role.GEMEENTE))


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("vtMeldingDi01", 0),
        ("vtMeldingDi01-aanhouding", 1),
        ("vtTerugkoppelingDi01", 0),
        ("Bv01Bericht", 0),
        ("Fo01Bericht", 0),
    ],
)
def test_table_judges_the_examples(name, rules):
    table = load_table(share("config") / "classification.toml")
    document = read_document((ROOT / "tests" / "examples" / f"{name}.xml").read_bytes())
    verdict = classify(document, Aanlevering(), version="1.0.9", table=table)

    assert verdict.classified
    assert verdict.exempt is name.endswith("Bericht")
    assert len({reason.rule for reason in verdict.reasons}) == rules


def test_table_with_a_condition_that_means_nothing_is_refused(tmp_path):
    text = (share("config") / "classification.toml").read_text()
    (tmp_path / "t.toml").write_text(text.replace('= "not:', '= "niet:', 1))
    with pytest.raises(Misconfigured) as caught:
        load_table(tmp_path / "t.toml")

    assert caught.value.code == "gate.condition"


def test_catalogue_with_one_message_twice_is_refused(tmp_path):
    text = (share("config") / "catalogue.toml").read_text()
    (tmp_path / "c.toml").write_text(text + text[text.index("[[") :])
    with pytest.raises(Misconfigured) as caught:
        load_catalogue(tmp_path / "c.toml")

    assert caught.value.code == "config.invalid"


# --- standing approvals ---------------------------------------------------------------

EXAMPLE = ROOT / "config" / "aansluitpunt" / "approvals.toml"


def with_approvals(folder: Path, text: str) -> Path:
    (installed(folder) / "approvals.toml").write_text(text)
    return edited(folder, "^# approvals = .*", 'approvals = "approvals.toml"')


def test_standing_approvals_are_loaded(tmp_path):
    folder = with_approvals(tmp_path, EXAMPLE.read_text())
    (approval,) = load_approvals(folder / "approvals.toml").approvals
    gate = load_directory(load_installation(folder), epoch=1).gate

    # Nobody confirmed it: it lets nothing by.
    assert (gate.approvals, gate.fault) == ((), "gate.unconfirmed")
    assert approval.messages == {"vtMeldingDi01"}
    assert approval.receivers == {Oin(pki.VEILIG_THUIS)}
    assert approval.wpg_artikelen == {"8", "13"}
    assert approval.valid_from == datetime(2025, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("geldig_tot = 2027-01-01T00:00:00+01:00", "geldig_tot = 2025-01-01T00:00:00+01:00"),
        ("geldig_tot = 2027-01-01T00:00:00+01:00", "geldig_tot = 2027-01-01T00:00:00"),
        ('wpg_artikelen = ["8", "13"]', "wpg_artikelen = []"),
        ('ontvangers = ["00000099000000000002"]', "ontvangers = []"),
        ("grond", "gronden"),
    ],
)
def test_approval_that_is_not_clear_stops_the_start(tmp_path, old, new):
    text = EXAMPLE.read_text()
    assert old in text

    assert refusal(with_approvals(tmp_path, text.replace(old, new))).code == "config.invalid"


def test_two_approvals_with_one_id_stop_the_start(tmp_path):
    text = EXAMPLE.read_text()
    twice = text + text[text.index("[[") :]

    assert parse_toml(twice.encode(), ApprovalsFile, where="")
    assert refusal(with_approvals(tmp_path, twice)).code == "config.invalid"


# --- a new installation ---------------------------------------------------------------


@pytest.mark.parametrize("new", [HUB, replace(ACCESS_POINT, approvals=False)])
def test_new_installation_loads_and_is_the_owners_alone(tmp_path, new):
    file = write_installation(tmp_path / "new", new)
    directory = load_directory(load_installation(file), epoch=1)

    assert directory.me == new.party.oin
    assert directory.agreements == {}
    for folder in (tmp_path / "new", *(p for p in (tmp_path / "new").rglob("*") if p.is_dir())):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert "gateway doctor" in (tmp_path / "new" / "LEESMIJ.md").read_text()


def test_new_installation_overwrites_nothing(tmp_path):
    file = write_installation(tmp_path, ACCESS_POINT)
    file.write_text("mine")
    with pytest.raises(Misconfigured) as caught:
        write_installation(tmp_path, HUB)

    assert caught.value.code == "init.exists"
    assert file.read_text() == "mine"


@given(st.text(min_size=1, max_size=30).filter(lambda t: t.isprintable()))
def test_any_name_can_stand_in_a_new_configuration(name):
    party = NewParty(oin=pki.OM, name=name, role="om", applicaties=(name,))
    new = replace(ACCESS_POINT, party=party, name=name, services={name: "1.0.9"})
    settings = parse_toml(to_toml(new).encode(), Settings, where="")

    assert settings.naam == name
    assert settings.partijen[0].naam == name
    assert settings.partijen[0].applicaties == (name,)
    assert settings.diensten == {name: "1.0.9"}


def test_some_partners_that_stall_leave_places_for_the_others():
    limits = LimitSettings()

    assert limits.requests >= 16 * limits.partner_requests
