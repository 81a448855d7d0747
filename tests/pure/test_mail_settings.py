"""What must fit together in the settings of secure e-mail: the start says so, not every letter."""

from pathlib import Path

import pytest

from gateway.config import Settings
from gateway.config_mail import PartyMailSettings
from gateway.installation import load_catalogue, share
from gateway.installation_mail import mail_faults, party_mail
from gateway.keys.test_pki import pem
from gateway.toml import parse_toml
from tests import pki
from tests.installations import installed

CATALOGUE = load_catalogue(share("config") / "catalogue.toml")
OWN = """
[email]
domein = "politie.example"
afzender = "{sender}"
ehlo = "uit.politie.example"
"""
SMIME = '\n[email.smime]\ncertificaat = "mail/sign.pem"\n'
TO_PARTY = '\n[partijen.email]\nadres = "{address}"\ncertificaten = ["mail/vt.pem"]\n'
SPOED = """
[[partijen.email.spoed]]
id = "S-1"
berichten = ["{message}"]
grond = "het kan niet wachten"
door = "A. Ander, hoofd"
van = 2026-11-01
tot = {until}
"""
WITH_PORTAL = '\n[partijen.email]\nadres = "{address}"\nportaal = true\n'
PARTY, MINE = (f"partijen.{oin}.email" for oin in (pki.VEILIG_THUIS, pki.POLITIE))


LISTEN = """
[listen.portal]
host = "127.0.0.1"
port = 8447
certificate = "keys/portal.pem"
key = "keys/portal.key"
"""
PORTAL = '\n[portaal]\nurl = "https://{host}:8447"\n'


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    folder = installed(tmp_path_factory.mktemp("settings") / "politie")
    return (folder / "gateway.toml").read_text(encoding="utf-8")


def faults(
    text,
    *lines,
    to=pki.VEILIG_THUIS,
    mail=TO_PARTY,
    address="in@vt.example",
    sender="uit@politie.example",
    own=OWN + SMIME,
):
    before, name, after = text.partition(f'oin = "{to}"')
    party, table, rest = after.partition("\n[[")
    mail = mail.format(address=address) + "".join(f"{line}\n" for line in lines)
    whole = f"{before}{name}{party}{mail}{table}{rest}{own.format(sender=sender)}"
    settings = parse_toml(whole.encode(), Settings, where="gateway.toml")
    return [where for where, _text in mail_faults(settings, CATALOGUE)]


def test_what_fits_has_no_fault(text):
    header = ('nta7516_naam = "NTA7516-Message-Id"', 'nta7516_waarde = "1.0"')

    assert faults(text) == []
    assert faults(text, *header) == []
    assert faults(text, SPOED.format(message="vtMeldingDi01", until="2026-12-31")) == []


@pytest.mark.parametrize("own", ["", OWN])
def test_mail_to_a_party_needs_what_signs_it(text, own):
    assert faults(text, own=own) == [PARTY]


def test_nobody_mails_himself(text):
    assert faults(text, to=pki.POLITIE) == [MINE]


@pytest.mark.parametrize("address", ["a..b@vt.example", ".in@vt.example", "in.@vt.example"])
def test_an_address_is_one_that_a_letter_can_have(text, address):
    assert faults(text, address=address) == [f"{PARTY}.adres"]
    assert faults(text, sender=address) == ["email.afzender"]


@pytest.mark.parametrize(
    "lines",
    [
        ('nta7516_naam = "Subject"', 'nta7516_waarde = "1.0"'),
        ('nta7516_naam = "reply-to"', 'nta7516_waarde = "1.0"'),
        ('nta7516_naam = "NTA7516-Message-Id"',),
    ],
)
def test_a_field_of_its_own_is_new_and_has_a_value(text, lines):
    assert faults(text, *lines) == [f"{PARTY}.nta7516_naam"]


def test_recorded_servers_are_known_by_something(text):
    assert faults(text, '[partijen.email.vast]\nservers = ["mx.vt.example"]') == [f"{PARTY}.vast"]


def test_a_standing_ground_is_for_known_messages_and_ends_after_it_begins(text):
    where = f"{PARTY}.spoed.S-1"

    assert faults(text, SPOED.format(message="vtMeldingDi01", until="2026-10-31")) == [where]
    assert faults(text, SPOED.format(message="onbekendDi01", until="2026-12-31")) == [where]


def test_a_portal_has_an_address_and_another_host_than_the_console(text):
    console = '\n[console]\nurl = "https://console.example:8446"\n'
    own = OWN + SMIME + LISTEN

    assert faults(text, own=own) == ["portaal.url"]
    assert faults(text, own=own + PORTAL.format(host="portaal.example") + console) == []
    assert faults(text, own=own + PORTAL.format(host="console.example") + console) == [
        "portaal.url"
    ]


LMTP = "\n[email.lmtp]\n"


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ('socket = "run/lmtp.sock"', []),
        ("port = 0", []),
        ('port = 2424\nhost = "::1"', []),
        ("", ["email.lmtp"]),
        ('socket = "run/lmtp.sock"\nport = 2424', ["email.lmtp"]),
        ('port = 2424\nhost = "0.0.0.0"', ["email.lmtp.host"]),
        ('port = 2424\nhost = "localhost"', ["email.lmtp.host"]),
    ],
)
def test_lmtp_is_for_this_machine_alone(text, lines, wrong):
    assert faults(text, own=OWN + SMIME + LMTP + lines) == wrong


def test_mail_that_comes_in_needs_a_certificate_to_be_encrypted_for(text):
    lmtp = LMTP + "port = 2424\n"

    assert "email.lmtp.certificaten" in faults(text, own=OWN + lmtp)
    certain = 'certificaten = ["mail/in.pem"]\n'
    assert "email.lmtp.certificaten" not in faults(text, own=OWN + lmtp + certain)


@pytest.mark.parametrize("other", ["in@vt.example", "IN@vt.example"])
def test_who_mails_is_known_by_an_address_of_his_own(text, other):
    """Of two with one address, the mail of the second would never be read."""
    before, name, after = text.partition(f'oin = "{pki.VEILIG_THUIS}"')
    party, table, rest = after.partition("\n[[")
    shared = f"{before}{name}{party}{TO_PARTY.format(address=other)}{table}{rest}"
    second = f"{PARTY}.adres"

    assert faults(shared, to=pki.KNOOPPUNT) == []
    assert faults(shared, to=pki.KNOOPPUNT, own=OWN + SMIME + LMTP + "port = 0\n") == [second]


def test_what_else_may_sign_and_whether_reports_count_is_said_per_party():
    files = {"b.pem": pki.leaf(pki.KNOOPPUNT, "encrypt"), "s.pem": pki.leaf(pki.KNOOPPUNT, "sign")}
    settings = PartyMailSettings(
        adres="in@vt.example",
        certificaten=(Path("b.pem"),),
        ondertekenaars=(Path("s.pem"),),
        meldingen_sluiten=False,
    )

    found = party_mail(settings, lambda path: pem(files[path.name].certificate))

    assert (found.certificates, found.signs) == (
        (files["b.pem"].certificate,),
        (files["s.pem"].certificate,),
    )
    assert not found.reports_close


def test_a_party_has_certificates_or_the_portal(text):
    with_portal = OWN + SMIME + LISTEN + PORTAL.format(host="portaal.example")
    nothing = '\n[partijen.email]\nadres = "{address}"\n'

    assert faults(text, mail=WITH_PORTAL, own=with_portal) == []
    assert faults(text, mail=nothing, own=with_portal) == [f"{PARTY}.portaal"]
    assert faults(text, "portaal = true", own=with_portal) == [f"{PARTY}.portaal"]
    assert faults(text, mail=WITH_PORTAL) == [f"{PARTY}.portaal"]


def test_the_provider_gives_nobody_the_role_of_a_person_of_a_partner(text):
    oidc = """
[console]
url = "https://console.example"

[console.oidc]
naam = "Politie"
issuer = "https://aanmelden.example"
client_id = "gateway"
client_secret_file = "secrets/oidc"
amr = ["mfa"]

[console.oidc.rollen]
extern = "ontvanger"
"""

    assert faults(text, own=OWN + SMIME + oidc) == ["console.oidc.rollen"]
