"""One list of all certificates, and from when on somebody must know."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.cli.doctor_agreed import certificates
from gateway.config import AlarmSettings
from gateway.directory import OwnMailbox
from gateway.installation import load_directory, load_installation
from gateway.inventory import certificate_figures, expiring, list_figures, survey
from gateway.keys.expiry import Use, stage
from gateway.keys.keystore import FileKeyring
from gateway.security.certificates import TrustStore
from tests import pki
from tests.installations import installed

BOUNDS = AlarmSettings()
OF_MAIL = {Use.MAIL_SIGN, Use.MAIL_ENCRYPT}
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    return load_installation(installed(tmp_path_factory.mktemp("expiry") / "politie"))


def look(installation, at=pki.AT, holds=None, **changes):
    directory = replace(load_directory(installation, epoch=0), **changes)
    return survey(
        installation,
        directory,
        TrustStore(directory.trust),
        holds=holds or FileKeyring(installation.path(installation.settings.paths.keys)).holds,
        now=at,
    )


def test_everything_is_listed_once_what_ends_first_in_front(installation):
    items = look(installation)

    assert {i.use for i in items} == set(Use) - {Use.CONSOLE, Use.PORTAL, *OF_MAIL}
    assert [i.until for i in items] == sorted(i.until for i in items)
    assert len({(i.use, i.sha256) for i in items}) == len(items)
    assert [i for i in items if i.code] == []
    places = {(i.use, i.where) for i in items}
    assert (Use.CRL, "trust/crls/issuing.crl") in places
    assert (Use.ANCHOR, "trust/anchors/root.pem") in places
    assert {i.oin for i in items if i.use is Use.SIGN} == {pki.POLITIE, pki.KNOOPPUNT}


def test_the_certificate_of_the_console_is_watched_as_well(tmp_path):
    folder = installed(tmp_path / "politie")
    files = 'certificate = "keys/tls.pem"\nkey = "keys/tls.key"\n'
    with (folder / "gateway.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[listen.console]\nport = 0\n{files}")
    items = look(load_installation(folder))

    (mine,) = (i for i in items if i.use is Use.CONSOLE)
    at = mine.until - timedelta(days=6)
    alarms = expiring(look(load_installation(folder), at=at), BOUNDS, at)
    assert (mine.where, mine.code) == ("keys/tls.pem", "")
    assert "console" in {alarm.subject.split()[0] for alarm in alarms}


def test_what_can_not_be_used_says_why(installation):
    without_key = look(installation, holds=lambda _der: False)
    stale = look(installation, at=pki.AT + timedelta(days=366))

    assert {i.code for i in without_key if i.ours and i.use is Use.SIGN} == {"keys.missing"}
    assert {i.code for i in without_key if not i.ours} == {""}
    assert {i.code for i in stale if i.use is Use.CRL} == {"crl.stale"}


def test_a_file_that_is_gone_is_on_the_list_and_raises_no_alarm_of_its_own(installation, tmp_path):
    gone = load_installation(installed(tmp_path / "politie"))
    (gone.folder / "keys" / "tls.pem").unlink()
    items = look(gone)

    broken = [i for i in items if i.code == "tls.certificate"]
    assert {i.use for i in broken} == {Use.TLS, Use.API}
    assert list(expiring(items, BOUNDS, pki.AT)) == []


@pytest.mark.parametrize(
    ("left", "begun"),
    [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (0, 0), (-5, 0)],
)
def test_a_certificate_passes_its_stages(left, begun):
    assert stage(left * DAY, (60, 30, 7)) == begun


def test_each_certificate_is_one_alarm_that_comes_again_at_the_next_stage(installation):
    end = min(i.until for i in look(installation) if i.use is Use.TLS)
    subjects = {}
    for days in (61, 59, 29, 6, -1):
        at = end - days * DAY
        # The lists and the agreement of the test end long before: they are another matter.
        subjects[days] = {
            alarm.subject
            for alarm in expiring(look(installation, at=at), BOUNDS, at)
            if alarm.code == "certificate.expiring"
        }

    assert subjects[61] == set()
    for days, mark in ((59, "/60"), (29, "/30"), (6, "/7"), (-1, "/0")):
        assert {s.split()[0] for s in subjects[days]} == {"tls", "api"}
        assert {s[s.index("/") :] for s in subjects[days]} == {mark}


def test_a_list_is_an_alarm_some_hours_before_it_is_stale(installation):
    end = min(i.until for i in look(installation) if i.use is Use.CRL)

    def stale(at):
        return {a.subject for a in expiring(look(installation, at=at), BOUNDS, at)}

    assert stale(end - timedelta(hours=13)) == set()
    assert stale(end - timedelta(hours=11)) == {
        "TEST Private Services CA",
        "TEST Staat der Nederlanden Private Root CA",
    }


def test_a_newer_list_takes_the_place_of_an_older(installation):
    trust = pki.trust()
    newer = pki.pki().crls(at=pki.AT + timedelta(days=3))
    items = look(installation, trust=replace(trust, crls=(*trust.crls, *newer)))

    assert len([i for i in items if i.use is Use.CRL]) == 2
    assert min(list_figures(items, pki.AT).values()) > 366 * 86_400


def test_figures_name_use_organisation_and_thumbprint(installation):
    figures = certificate_figures(look(installation), pki.AT)

    labels = {(use, oin) for use, oin, _ in figures}
    assert ("tls", pki.POLITIE) in labels
    assert ("crl", "") not in labels
    assert all(len(sha) == 16 for *_, sha in figures)
    assert all(seconds > 0 for seconds in figures.values())


# --- secure e-mail ----------------------------------------------------------------------

SIGNS, READS = "keys/mail.pem", "mail/veilig-thuis.pem"


@pytest.fixture(scope="module")
def mailing(tmp_path_factory):
    """An installation with secure e-mail, of which both certificates end in six days."""
    folder = installed(tmp_path_factory.mktemp("mailing") / "politie")
    ends = {"curve": ec.SECP256R1(), "not_after": pki.AT + 6 * DAY}
    for path, oin, usage in ((SIGNS, pki.POLITIE, "sign"), (READS, pki.VEILIG_THUIS, "encrypt")):
        place = folder / path
        pki.pki().issue(oin=oin, name="TEST E-mail", usage=usage, **ends).write(
            place.parent, place.stem
        )
    settings = folder / "gateway.toml"
    before, name, after = settings.read_text(encoding="utf-8").partition(
        f'oin = "{pki.VEILIG_THUIS}"'
    )
    party, table, rest = after.partition("\n[[")
    to_party = f'\n[partijen.email]\nadres = "in@vt.example"\ncertificaten = ["{READS}"]\n'
    own = (
        '\n[email]\ndomein = "politie.example"\nafzender = "uit@politie.example"\n'
        f'ehlo = "uit.politie.example"\n\n[email.smime]\ncertificaat = "{SIGNS}"\n'
    )
    settings.write_text(f"{before}{name}{party}{to_party}{table}{rest}{own}", encoding="utf-8")
    return load_installation(folder)


def of_mail(items):
    """Return what signs our mail, and what it is encrypted for."""
    found = {i.use: i for i in items if i.use in OF_MAIL}
    return found[Use.MAIL_SIGN], found[Use.MAIL_ENCRYPT]


def test_what_signs_and_what_encrypts_our_mail_is_on_the_list(mailing):
    signs, reads = of_mail(look(mailing))

    assert (signs.where, signs.ours, signs.oin, signs.code) == (SIGNS, True, pki.POLITIE, "")
    assert (reads.where, reads.ours, reads.oin, reads.code) == (
        READS,
        False,
        pki.VEILIG_THUIS,
        "",
    )


def test_a_certificate_of_mail_that_ends_is_a_figure_and_an_alarm(mailing):
    items = look(mailing)
    figures = {use: left for (use, *_), left in certificate_figures(items, pki.AT).items()}
    alarms = {a.subject.split()[0]: a.code for a in expiring(items, BOUNDS, pki.AT)}

    for use in OF_MAIL:
        assert figures[use] == (6 * DAY).total_seconds()
        assert alarms[use] == "certificate.expiring"


def test_a_certificate_of_mail_that_can_not_be_used_says_why(mailing):
    keyless = of_mail(look(mailing, holds=lambda _der: False))

    assert [i.code for i in keyless] == ["keys.missing", ""]


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        (lambda: pki.leaf(pki.VEILIG_THUIS).certificate, "certificate.usage"),
        (lambda: b"der", "certificate.malformed"),
    ],
    ids=["of TLS", "unreadable"],
)
def test_a_mailbox_whose_certificate_is_not_for_mail_stands_there_by_its_party(
    mailing, certificate, code
):
    parties = load_directory(mailing, epoch=0).parties
    party = parties[pki.VEILIG_THUIS]
    wrong = replace(party, mail=replace(party.mail, certificates=(certificate(),)))

    _, reads = of_mail(look(mailing, parties={**parties, party.oin: wrong}))

    assert (reads.code, reads.ours) == (code, False)
    assert reads.where == f"partijen.{party.oin}.email"


def test_what_our_own_mail_is_encrypted_for_stands_there_with_its_key(mailing):
    ours = pki.leaf(pki.POLITIE, "encrypt").certificate
    box = OwnMailbox(address="uit@politie.example", certificates=(ours,))

    for holds, code in ((True, ""), (False, "keys.missing")):
        items = look(mailing, mailbox=box, holds=lambda _der, holds=holds: holds)
        (item,) = (i for i in items if i.where == "email.lmtp")
        assert (item.use, item.ours, item.code) == (Use.MAIL_ENCRYPT, True, code)


def test_what_a_party_signs_its_mail_with_is_watched_where_it_is_another(mailing):
    signs = pki.leaf(pki.VEILIG_THUIS, "sign").certificate
    parties = load_directory(mailing, epoch=0).parties
    party = parties[pki.VEILIG_THUIS]
    two = replace(party, mail=replace(party.mail, signs=(signs,)))

    items = look(mailing, parties={**parties, party.oin: two})

    theirs = {i.use: (i.oin, i.code) for i in items if i.use in OF_MAIL and not i.ours}
    assert theirs == dict.fromkeys(OF_MAIL, (pki.VEILIG_THUIS, ""))


def test_doctor_says_which_certificate_of_mail_ends_and_where_the_next_one_goes(mailing):
    findings = certificates(mailing, load_directory(mailing, epoch=0), pki.AT)
    told = {f.text.split()[0]: f for f in findings if f.code == "certificate.expiring"}

    assert set(told) == OF_MAIL
    assert "email.smime.certificaat" in told[Use.MAIL_SIGN].remedy
    assert "partijen.email.certificaten" in told[Use.MAIL_ENCRYPT].remedy
