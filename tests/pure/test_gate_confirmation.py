"""What the gate goes by counts only as an officer of the OM confirmed it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cli.toetsing import confirmed_by, judged
from gateway.cli.toetsing_bundle import make_bundle, read_bundle, write_bundle
from gateway.cli.toetsing_difference import differences
from gateway.config import InstallationRole, OfficerSettings
from gateway.errors import Misconfigured, PolicyViolation
from gateway.installation import gate_files, load_directory, load_installation
from gateway.installation_new import NewInstallation, write_installation
from gateway.wire.ebms2.cpa_make import make_cpa
from tests import pki
from tests.cpas import party, spec
from tests.installations import KNOOPPUNT, OM, POLITIE, VEILIG_THUIS, installed

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
    given = {"officier": "anders", "last_day": NEXT_YEAR} | changes
    return confirmed_by(load_installation(folder), given.pop("bundle", bundle(police)), **given)


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

    assert judged(load_installation(police), octets) == gate.confirmation
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


def test_a_changed_word_is_none(police, tmp_path):
    octets = word(police, tmp_path)

    later = octets.replace(b"Mandaatbesluit 2026", b"Mandaatbesluit 2027")
    assert refusal(police, later) == "gate.confirmation.signature"
    assert refusal(police, octets[:-40]).startswith("gate.confirmation.")
    assert refusal(police, b"<x/>").startswith("gate.confirmation.")


def test_a_knooppunt_does_not_confirm_for_a_police_with_a_gate(police, tmp_path):
    octets = word(police, tmp_path, signer={"oin": pki.KNOOPPUNT, "who": KNOOPPUNT})

    assert refusal(police, octets) == "gate.confirmation.signer"


def test_the_police_can_not_confirm_its_own(police, tmp_path):
    with pytest.raises(Misconfigured, match=r"toetsing\.om"):
        word(police, tmp_path, signer={"oin": pki.POLITIE, "who": POLITIE})


def test_a_word_for_another_police_is_none(police, tmp_path):
    other = bundle(police, police=pki.VEILIG_THUIS)

    assert refusal(police, word(police, tmp_path, bundle=other)) == "gate.confirmation.police"


@pytest.mark.parametrize(
    ("officier", "code"),
    [("past", "toets.officier.mandaat"), ("nobody", "toets.officier.onbekend")],
)
def test_an_officer_without_a_mandate_confirms_nothing(police, tmp_path, officier, code):
    with pytest.raises(PolicyViolation) as caught:
        word(police, tmp_path, officier=officier)

    assert caught.value.code == code


def test_a_word_that_has_ended_stops_the_start_and_closes_a_running_gate(police, tmp_path):
    octets = word(police, tmp_path, last_day=(TODAY - timedelta(days=2)).date())

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


def test_differences_are_told_in_words(police):
    old = bundle(police)
    text = (police / TABLE).read_text()
    (police / TABLE).write_text(text.replace('versie = "', 'versie = "nieuw-', 1))
    (found, *more) = differences(old, bundle(police))

    assert more == []
    assert found.startswith("tabel, versie: ")
    assert list(differences(old, old)) == []
