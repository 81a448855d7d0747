"""What the gate goes by counts only as an officer of the OM confirmed it."""

import shutil
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cli.doctor_agreed import newer_table
from gateway.cli.toetsing_placing import as_it_stands, judged, meant, place, to_propose
from gateway.config import InstallationRole, OfficerSettings
from gateway.directory import Signing
from gateway.errors import Misconfigured, PolicyViolation
from gateway.installation import (
    gate_files,
    kept_table,
    load_approvals,
    load_directory,
    load_installation,
    program_table,
    share,
)
from gateway.installation_gate import Word, confirm
from gateway.installation_new import NewInstallation, write_installation
from gateway.keys.keystore import SoftwareSigner
from gateway.keys.test_pki import TestPki
from gateway.security.algorithms import RSA_SHA256, SHA256
from gateway.toetsing.bundle import MOST_OCTETS, make_bundle, read_bundle, write_bundle
from gateway.toetsing.confirming import confirmed_by, end_of
from gateway.toetsing.difference import differences
from gateway.toetsing.kept import confirmed_before, kept, remember
from gateway.wire.ebms2.cpa_make import make_cpa
from tests import pki
from tests.cpas import party, spec
from tests.installations import KNOOPPUNT, OM, POLITIE, VEILIG_THUIS, installed
from tests.sealing import load_key

TODAY = datetime.now(UTC)
NEXT_YEAR = (TODAY + timedelta(days=300)).date()
OFFICER = OfficerSettings(
    id="anders",
    naam="mr. A. Anders",
    functie="officier van justitie",
    mandaat="Mandaatbesluit 2026",
    parket="Rotterdam",
    van=TODAY.date() - timedelta(days=30),
)
PAST = OFFICER.model_copy(update={"id": "past", "tot": TODAY.date() - timedelta(days=1)})
TABLE = "classification.toml"
_ROLE = {"knooppunt": InstallationRole.KNOOPPUNT}


@pytest.fixture
def police(tmp_path):
    folder = installed(tmp_path / "politie", paths={"classification": TABLE})
    shared = gate_files(load_installation(installed(tmp_path / "other")))["classificatie"]
    (folder / TABLE).write_bytes(shared.read_bytes())
    return folder


def om(folder: Path, *, oin=pki.OM, who=OM) -> Path:
    """The OM's installation, with its key and an agreement that names it."""
    write_installation(
        folder,
        NewInstallation(
            name="om",
            role=_ROLE.get(who.role, InstallationRole.AANSLUITPUNT),
            party=who,
            others=tuple(p for p in (KNOOPPUNT, POLITIE, VEILIG_THUIS, OM) if p is not who),
            services={},
            officers=(OFFICER, PAST),
        ),
    )
    pki.pki().write(folder / "trust")
    for usage in ("tls", "sign", "encrypt"):
        pki.leaf(oin, usage).write(folder / "keys", usage)
    other = pki.POLITIE if oin == pki.KNOOPPUNT else pki.KNOOPPUNT
    agreement = spec(
        parties=(
            party(oin, "om", "vtMeldingDi01", service="x"),
            party(other, "ander", "vtMeldingDi01", service="x"),
        ),
        end=pki.AT + timedelta(days=90),
    )
    (folder / "agreements" / "knooppunt.xml").write_bytes(make_cpa(agreement))
    return folder


def bundle(folder, **changes):
    files = {k: p.read_bytes() for k, p in gate_files(load_installation(folder)).items()}
    return replace(make_bundle(pki.POLITIE, files), **changes)


def word(police, tmp_path, **changes):
    folder = om(tmp_path / "om", **changes.pop("signer", {}))
    given = {"officier": "anders", "last_day": NEXT_YEAR, "at": datetime.now(UTC), "id_": "B-9"}
    given |= changes
    return confirmed_by(load_installation(folder), given.pop("bundle", bundle(police)), **given)


def signed_by(folder, leaf=None, **changes) -> bytes:
    """A word as anybody with a key could make it."""
    leaf = leaf or pki.leaf(pki.OM, "sign")
    proposed = bundle(folder)
    base = Word(
        id="B-1",
        police=pki.POLITIE,
        files=proposed.files,
        table_version=proposed.version,
        officer=OFFICER,
        taken_at=TODAY - timedelta(minutes=1),
        valid_until=TODAY + timedelta(days=30),
    )
    signing = Signing(
        signature_algorithm=RSA_SHA256, digest_algorithm=SHA256, certificate=leaf.certificate
    )
    signer = SoftwareSigner(leaf.certificate, load_key(leaf.key))
    return confirm(replace(base, **changes), signer=signer, signing=signing)


def placed(police, octets):
    (police / "bevestiging.xml").write_bytes(octets)
    return load_directory(load_installation(police), epoch=1).gate


def refusal(police, octets):
    with pytest.raises(Misconfigured) as caught:
        placed(police, octets)
    return caught.value.code


def test_without_a_word_of_the_om_nothing_passes(police):
    gate = load_directory(load_installation(police), epoch=1).gate

    assert gate.fault == "gate.unconfirmed"
    assert gate.table.messages == frozenset()
    assert gate.in_force(TODAY).table == ""


def test_confirmed_it_counts_until_its_end(police, tmp_path):
    octets = word(police, tmp_path)
    gate = placed(police, octets)

    assert judged(load_installation(police), octets, bundle(police)) == gate.confirmation
    assert gate.table.version == gate.in_force(TODAY).table != ""
    assert gate.confirmation.officer == "mr. A. Anders, officier van justitie"
    assert gate.in_force(gate.confirmation.valid_until).table == ""


def test_an_edited_table_does_not_load(police, tmp_path):
    octets = word(police, tmp_path)
    with (police / TABLE).open("a") as table:
        table.write("\n")

    assert refusal(police, octets) == "gate.confirmation.files"


def test_an_approval_that_was_added_does_not_load(police, tmp_path):
    octets = word(police, tmp_path)
    toml = police / "gateway.toml"
    toml.write_text(toml.read_text().replace("# approvals = ", "approvals = "))
    toml.write_text(toml.read_text().replace('approvals = "..."', 'approvals = "a.toml"'))
    (police / "a.toml").write_text("")

    assert refusal(police, octets) == "gate.confirmation.files"


def test_an_approval_that_was_made_longer_does_not_load(police):
    toml, approvals = police / "gateway.toml", police / "a.toml"
    toml.write_text(toml.read_text().replace("# approvals = ", "approvals = "))
    toml.write_text(toml.read_text().replace('approvals = "..."', 'approvals = "a.toml"'))
    approvals.write_bytes((share("config") / "aansluitpunt" / "approvals.toml").read_bytes())
    octets = signed_by(police)
    assert placed(police, octets).approvals

    (before,) = load_approvals(approvals).approvals
    approvals.write_text(approvals.read_text().replace("geldig_tot = 20", "geldig_tot = 21"))
    assert load_approvals(approvals).approvals[0].valid_until > before.valid_until
    assert refusal(police, octets) == "gate.confirmation.files"


def test_a_changed_word_is_none(police, tmp_path):
    octets = word(police, tmp_path)

    later = octets.replace(b"Mandaatbesluit 2026", b"Mandaatbesluit 2027")
    assert refusal(police, later) == "gate.confirmation.signature"
    assert refusal(police, octets[:-40]).startswith("gate.confirmation.")
    assert refusal(police, b"<x/>").startswith("gate.confirmation.")


@pytest.mark.parametrize(("oin", "who"), [(pki.POLITIE, POLITIE), (pki.KNOOPPUNT, KNOOPPUNT)])
def test_only_the_om_signs(police, tmp_path, oin, who):
    with pytest.raises(Misconfigured, match=r"toetsing\.om"):
        word(police, tmp_path, signer={"oin": oin, "who": who})


@pytest.mark.parametrize(
    "oin", [pki.POLITIE, pki.KNOOPPUNT, pki.VEILIG_THUIS, "00000099000000000077"]
)
def test_a_word_that_another_signed_is_none(police, oin):
    assert refusal(police, signed_by(police, pki.leaf(oin, "sign"))) == "gate.confirmation.signer"


def test_a_word_for_another_police_is_none(police, tmp_path):
    other = bundle(police, police=pki.VEILIG_THUIS)

    with pytest.raises(Misconfigured, match=r"toetsing\.politie"):
        word(police, tmp_path, bundle=other)
    for oin in (pki.VEILIG_THUIS, pki.OM, "00000099000000000077"):
        assert refusal(police, signed_by(police, police=oin)) == "gate.confirmation.police"


def test_a_word_on_another_version_is_none(police):
    octets = signed_by(police, table_version="another")

    assert refusal(police, octets) == "gate.confirmation.version"


def test_a_word_from_the_future_is_none(police):
    at = TODAY + timedelta(hours=1)

    assert refusal(police, signed_by(police, taken_at=at)) == "gate.confirmation.future"


def test_two_signatures_are_one_too_many(police):
    once = signed_by(police)
    start, end = once.index(b"<ds:Signature"), once.index(b"</ds:Signature>")
    twice = once[:end] + once[end:].replace(
        b"</ds:Signature>", b"</ds:Signature>" + once[start:end] + b"</ds:Signature>"
    )

    assert refusal(police, twice) == "gate.confirmation.signature"


def test_a_word_without_signature_is_none(police):
    once = signed_by(police)
    start, end = once.index(b"<ds:Signature"), once.index(b"</ds:Signature>")

    bare = once[:start] + once[end + len(b"</ds:Signature>") :]
    assert refusal(police, bare) == "gate.confirmation.signature"


def test_a_file_that_was_cut_short_is_none(police):
    octets = signed_by(police)
    codes = {refusal(police, octets[:n]) for n in (0, 1, len(octets) // 2, len(octets) - 1)}

    assert codes == {"gate.confirmation.malformed"}


def test_an_end_that_was_put_off_is_seen(police, tmp_path):
    octets = word(police, tmp_path)
    year = f"<geldigTot>{NEXT_YEAR:%Y}".encode()
    assert year in octets

    later = octets.replace(year, b"<geldigTot>2099")
    assert refusal(police, later) == "gate.confirmation.signature"


REGISTER = """
[[officieren]]
id = "anders"
naam = "mr. A. Anders"
functie = "officier van justitie"
mandaat = "{mandate}"
parket = "Rotterdam"
van = 2026-01-01
tot = {last}
"""


@pytest.mark.parametrize(
    ("mandate", "days", "fault"),
    [
        (OFFICER.mandaat, 1, ""),
        (OFFICER.mandaat, -2, "gate.confirmation.officer"),
        ("another", 1, "gate.confirmation.officer"),
    ],
)
def test_a_mandate_that_ended_counts_where_the_officers_are_known(police, mandate, days, fault):
    """The politie has no register of its own, and trusts the OM to keep one."""
    octets, last = signed_by(police), TODAY.date() + timedelta(days=days)
    with (police / "gateway.toml").open("a") as toml:
        toml.write(REGISTER.format(mandate=mandate, last=last))

    if fault:
        assert refusal(police, octets) == fault
    else:
        assert placed(police, octets).confirmation is not None


# --- the certificate ------------------------------------------------------------------


def own_trust(police: Path, **issued):
    """Give the police another hierarchy, and return an OM of it with the hierarchy."""
    own = TestPki(pki.AT, authority_bits=2048)
    leaf = own.issue(oin=pki.OM, name="TEST OM", usage="sign", **issued)
    shutil.rmtree(police / "trust")
    own.write(police / "trust")
    return leaf, own


def test_a_revoked_certificate_stops_the_start_and_closes_a_running_gate(police):
    leaf, own = own_trust(police)
    octets = signed_by(police, leaf)
    assert placed(police, octets).fault == ""

    own.revoke(leaf, at=pki.AT)
    (police / "trust" / "crls" / "issuing.crl").write_bytes(own.crls()[1])

    assert refusal(police, octets) == "gate.confirmation.revoked"
    running = load_directory(load_installation(police), epoch=1, lapse_closes=True).gate
    assert (running.fault, running.table.messages) == ("gate.confirmation.revoked", frozenset())


def test_without_a_fresh_list_the_gate_is_closed_until_there_is_one(police):
    leaf, own = own_trust(police)
    octets = signed_by(police, leaf)
    crl = police / "trust" / "crls" / "issuing.crl"
    crl.write_bytes(own.crls(at=pki.AT, next_update=pki.AT)[1])

    closed = placed(police, octets)
    assert closed.fault == "gate.confirmation.revocation_unknown"
    assert closed.table.messages == frozenset()
    crl.write_bytes(own.crls()[1])
    assert placed(police, octets).fault == ""


def test_it_ends_with_the_certificate_that_signed_it(police):
    end = (TODAY + timedelta(days=3)).replace(microsecond=0)
    leaf, _ = own_trust(police, not_after=end)

    assert placed(police, signed_by(police, leaf)).confirmation.valid_until == end


@pytest.mark.parametrize(
    ("given", "code"),
    [({"unknown_issuer": True}, "certificate"), ({"key_bits": 1024}, "signature")],
)
def test_a_certificate_that_is_not_trusted_confirms_nothing(police, given, code):
    leaf, _ = own_trust(police, **given)

    assert refusal(police, signed_by(police, leaf)) == f"gate.confirmation.{code}"


def test_in_production_no_test_hierarchy_confirms(police):
    octets = signed_by(police)
    toml = police / "gateway.toml"
    toml.write_text(toml.read_text().replace('omgeving = "test"', 'omgeving = "productie"'))

    assert refusal(police, octets) == "gate.confirmation.certificate"


# --- making and placing ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("officier", "code"),
    [("past", "toets.officier.mandaat"), ("nobody", "toets.officier.onbekend")],
)
def test_an_officer_without_a_mandate_confirms_nothing(police, tmp_path, officier, code):
    with pytest.raises(PolicyViolation) as caught:
        word(police, tmp_path, officier=officier)

    assert caught.value.code == code


@pytest.mark.parametrize("days", [-2, 800, 4_000])
def test_a_word_ends_later_and_not_too_late(police, tmp_path, days):
    with pytest.raises(Misconfigured, match=r"toetsing\.tot"):
        word(police, tmp_path, last_day=(TODAY + timedelta(days=days)).date())


def test_last_day_is_one_of_the_dutch_calendar():
    assert end_of(date(2027, 6, 30)) == datetime(2027, 6, 30, 22, tzinfo=UTC)
    assert end_of(date(2027, 12, 31)) == datetime(2027, 12, 31, 23, tzinfo=UTC)


def test_a_proposal_replaces_table_and_approvals_with_its_word(police, tmp_path):
    text = (police / TABLE).read_text().replace('versie = "', 'versie = "nieuw-', 1)
    fresh = make_bundle(pki.POLITIE, {"classificatie": text.encode()})
    octets = word(police, tmp_path, bundle=fresh)
    installation = load_installation(police)

    with pytest.raises(Misconfigured, match=r"confirmation\.files"):
        judged(installation, octets, as_it_stands(installation))
    judged(installation, octets, fresh)
    place(installation, octets, fresh)

    gate = load_directory(installation, epoch=1).gate
    assert gate.confirmation.table_version == gate.table.version
    assert gate.table.version.startswith("nieuw-")
    assert [p.name for p in police.iterdir() if ".nieuw" in p.name] == []


def test_a_proposal_with_files_that_have_no_place_changes_nothing(police, tmp_path):
    more = make_bundle(
        pki.POLITIE, {"classificatie": (police / TABLE).read_bytes(), "toestemmingen": b""}
    )
    before = (police / TABLE).read_bytes()

    with pytest.raises(Misconfigured, match=r"toetsing\.path"):
        place(load_installation(police), word(police, tmp_path, bundle=more), more)
    assert (police / TABLE).read_bytes() == before
    assert not (police / "bevestiging.xml").exists()


def test_where_no_gate_stands_nothing_is_placed(police, tmp_path):
    octets = word(police, tmp_path)

    with pytest.raises(Misconfigured, match=r"confirmation\.nowhere"):
        judged(load_installation(tmp_path / "om"), octets, bundle(police))


def test_the_om_remembers_what_it_confirmed_last(police, tmp_path):
    at_om = load_installation(om(tmp_path / "om"))
    assert confirmed_before(at_om, pki.POLITIE) is None

    text = (police / TABLE).read_text()
    words = {}
    for days, version in ((2, "een-"), (1, "twee-")):
        (police / TABLE).write_text(text.replace('versie = "', f'versie = "{version}', 1))
        taken = TODAY - timedelta(days=days)
        words[version] = signed_by(police, taken_at=taken)
        remember(at_om, bundle(police), words[version])

    assert confirmed_before(at_om, pki.POLITIE) == bundle(police)
    newest, first = kept(at_om)
    assert [one.path.read_bytes() for one in (first, newest)] == list(words.values())
    assert first.bundle().version.startswith("een-")
    assert kept(at_om, pki.KNOOPPUNT) == ()


def test_what_a_program_of_before_remembered_counts_until_there_is_more(police, tmp_path):
    at_om = load_installation(om(tmp_path / "om"))
    folder = tmp_path / "om" / "data" / "toetsing"
    folder.mkdir(parents=True)
    write_bundle(folder / f"{pki.POLITIE}.zip", bundle(police))

    assert confirmed_before(at_om, pki.POLITIE) == bundle(police)
    assert kept(at_om) == ()


def test_a_word_that_has_ended_stops_the_start_and_closes_a_running_gate(police):
    octets = signed_by(
        police, taken_at=TODAY - timedelta(days=3), valid_until=TODAY - timedelta(seconds=1)
    )

    assert refusal(police, octets) == "gate.confirmation.ended"
    running = load_directory(load_installation(police), epoch=1, lapse_closes=True).gate
    assert running.fault == "gate.confirmation.ended"
    assert running.table.messages == frozenset()


@pytest.mark.parametrize("name", ["voorstel", "voorstel.zip"])
def test_a_proposal_is_read_as_it_was_written(police, tmp_path, name):
    whole = bundle(police)
    write_bundle(tmp_path / name, whole)

    assert read_bundle(tmp_path / name) == whole
    with pytest.raises(Misconfigured, match=r"toetsing\.exists"):
        write_bundle(tmp_path / name, whole)


def test_a_proposal_that_was_changed_is_none(police, tmp_path):
    write_bundle(tmp_path / "v", bundle(police))
    with (tmp_path / "v" / "classificatie.toml").open("a") as table:
        table.write("\n")

    with pytest.raises(Misconfigured, match=r"toetsing\.bundle"):
        read_bundle(tmp_path / "v")


def _headers_with(offset: int, value: int) -> Callable[[bytearray], None]:
    """Write a value (16 bits) in both headers of the first file; the offset is the local one's."""

    def spoil(octets: bytearray) -> None:
        struct.pack_into("<H", octets, offset, value)
        struct.pack_into("<H", octets, octets.index(b"PK\1\2") + offset + 2, value)

    return spoil


def _other_content(octets: bytearray) -> None:
    start = 30 + len("manifest.json")
    octets[start : start + 20] = bytes(255 - octet for octet in octets[start : start + 20])


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(_headers_with(6, 0x01), id="encrypted"),
        pytest.param(_headers_with(6, 0x20), id="patched data"),
        pytest.param(_headers_with(8, 97), id="unknown compression"),
        pytest.param(_headers_with(8, zipfile.ZIP_LZMA), id="compression of another kind"),
        pytest.param(_other_content, id="compressed data that mean nothing"),
        pytest.param(lambda octets: octets.__delitem__(slice(60, None)), id="cut short"),
    ],
)
def test_a_zip_that_can_not_be_read_is_no_proposal(police, tmp_path, spoil):
    path = tmp_path / "voorstel.zip"
    write_bundle(path, bundle(police))
    octets = bytearray(path.read_bytes())
    spoil(octets)
    path.write_bytes(octets)

    with pytest.raises(Misconfigured, match=r"toetsing\.bundle"):
        read_bundle(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["lees-mij.txt", "../classificatie.toml", "classificatie.toml"])
def test_a_zip_with_a_file_too_many_is_no_proposal(police, tmp_path, name):
    path = tmp_path / "voorstel.zip"
    write_bundle(path, bundle(police))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, (police / TABLE).read_bytes())

    with pytest.raises(Misconfigured, match=r"toetsing\.bundle"):
        read_bundle(path)


def test_a_zip_with_approvals_that_its_manifest_does_not_name_is_no_proposal(police, tmp_path):
    path, whole = tmp_path / "voorstel.zip", bundle(police)
    table_alone = {name: octets for name, octets in whole.files.items() if name == "classificatie"}
    write_bundle(path, make_bundle(whole.police, table_alone))
    assert read_bundle(path).files == table_alone
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("toestemmingen.toml", b"")

    with pytest.raises(Misconfigured, match=r"toetsing\.bundle"):
        read_bundle(path)


def test_a_zip_with_another_compression_is_no_proposal(police, tmp_path):
    made, path = tmp_path / "gemaakt.zip", tmp_path / "voorstel.zip"
    write_bundle(made, bundle(police))
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))

    with pytest.raises(Misconfigured, match=r"toetsing\.bundle"):
        read_bundle(path)


def test_a_zip_that_swells_is_no_proposal(police, tmp_path):
    made, path = tmp_path / "gemaakt.zip", tmp_path / "voorstel.zip"
    write_bundle(made, bundle(police))
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            more = b" " * MOST_OCTETS if name == "manifest.json" else b""
            new.writestr(name, old.read(name) + more)

    assert path.stat().st_size < MOST_OCTETS // 50
    with pytest.raises(Misconfigured, match=r"toetsing\.bundle"):
        read_bundle(path)


def test_differences_are_told_in_words(police):
    old = bundle(police)
    text = (police / TABLE).read_text()
    (police / TABLE).write_text(text.replace('versie = "', 'versie = "nieuw-', 1))
    (found, *more) = differences(old, bundle(police))

    assert more == []
    assert str(found).startswith("De tabel krijgt versie nieuw-")
    assert list(differences(old, old)) == []


@pytest.fixture
def of_the_program(tmp_path):
    """A police without a table of its own."""
    return installed(tmp_path / "programma")


def test_the_confirmed_table_of_the_program_outlives_an_upgrade(of_the_program, tmp_path):
    here = load_installation(of_the_program)
    (tmp_path / "was.toml").write_text(
        program_table().read_text().replace('versie = "', 'versie = "oud-', 1)
    )
    # As an older program left it: its table, placed with the word that it was confirmed by.
    kept_table(here).write_bytes((tmp_path / "was.toml").read_bytes())
    old = signed_by(of_the_program, taken_at=TODAY - timedelta(days=3))

    gate = placed(of_the_program, old)

    assert (gate.fault, gate.table.version[:4]) == ("", "oud-")
    (found,) = newer_table(here)
    assert (found.code, "oud-" in found.text) == ("gate.newer_table", True)

    # What is proposed now is the table of the program; its word puts it in the place of the old.
    proposal = to_propose(here)
    octets = word(of_the_program, tmp_path, bundle=proposal)
    assert judged(here, octets, meant(here, octets)).table_version == proposal.version
    place(here, octets, meant(here, octets))
    gate = load_directory(here, epoch=1).gate
    assert (gate.fault, gate.table.version) == ("", proposal.version)
    assert list(newer_table(here)) == []

    # An older word goes by what it was for, and that is not here any more.
    with pytest.raises(Misconfigured, match=r"gate\.confirmation\.files"):
        judged(here, old, meant(here, old))


def test_a_kept_table_that_is_edited_does_not_load(of_the_program, tmp_path):
    here = load_installation(of_the_program)
    octets = word(of_the_program, tmp_path, bundle=to_propose(here))
    place(here, octets, meant(here, octets))
    assert load_directory(here, epoch=1).gate.fault == ""

    kept_table(here).write_text(kept_table(here).read_text() + "\n# one line\n")

    assert refusal(of_the_program, octets) == "gate.confirmation.files"


def test_another_table_has_no_place_where_that_of_the_program_counts(of_the_program):
    here = load_installation(of_the_program)
    text = program_table().read_text().replace('versie = "', 'versie = "eigen-', 1)
    own = make_bundle(pki.POLITIE, {**to_propose(here).files, "classificatie": text.encode()})

    with pytest.raises(Misconfigured, match=r"toetsing\.path"):
        place(here, b"", own)
    assert not kept_table(here).exists()
