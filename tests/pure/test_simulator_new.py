"""The set-up that `gateway simulator init` writes, and when it refuses."""

import stat
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from gateway.catalogue import Role
from gateway.cli.simulator import texts
from gateway.cli.simulator.new import OWN, PARTNER, POLITIE, make_partner, make_trial
from gateway.cli.simulator.reference import BEGIN, END, reference
from gateway.cli.simulator.safety import is_production, refuse_production
from gateway.cli.simulator.schemas import as_partner
from gateway.cli.simulator.script import read_backend_script, read_partner_script
from gateway.config import NAME
from gateway.errors import Misconfigured, Severity
from gateway.installation import load_directory, load_installation, share
from gateway.keys.keystore import FileKeyring
from gateway.message import Oin
from gateway.packs.activations import NAME as ACTIVATIONS
from gateway.packs.activations import write_activations
from gateway.packs.shelf import Shelf
from gateway.rules.business import check
from gateway.schemapack import Activations
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.schema import SchemaSet
from gateway.wire.stuf import ANSWERS, read_document
from gateway.wire.toets import KINDS
from tests import packs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "simulator.md"


@pytest.fixture(scope="module", params=[Role.POLITIE, Role.VEILIG_THUIS])
def trial(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("proef")
    make_trial(folder, request.param, port=None)
    return folder


def directory(folder):
    return load_directory(load_installation(folder), epoch=0)


def set_environment(folder, name):
    text = (folder / NAME).read_text(encoding="utf-8")
    (folder / NAME).write_text(text.replace('omgeving = "test"', f'omgeving = "{name}"'))


def refused(call, *arguments, **named):
    with pytest.raises(Misconfigured) as caught:
        call(*arguments, **named)
    return caught.value.code


def test_both_sides_have_one_agreement_and_the_keys_for_it(trial):
    mine, theirs = directory(trial / "mijn"), directory(trial / "simulator")

    assert list(mine.agreements) == list(theirs.agreements)
    (agreement,) = mine.agreements.values()
    assert agreement.remarks == ()
    assert agreement.in_force(datetime.now(UTC))
    for here, place in ((mine, "mijn"), (theirs, "simulator")):
        keyring = FileKeyring(trial / place / "keys")
        sent = [b for b in agreement.bindings if b.sender.id == here.me]
        assert sent
        assert all(keyring.holds(b.channel.signing.certificate) for b in sent)


def test_agreement_has_all_that_the_roles_may_exchange_and_nothing_else(trial):
    mine = directory(trial / "mijn")
    (agreement,) = mine.agreements.values()
    parties = {ref.id: mine.parties[ref.id].role for ref in agreement.parties}
    wanted = {
        (oin, kind.name)
        for oin, role in parties.items()
        for other in set(parties.values()) - {role}
        for kind in mine.catalogue.kinds.values()
        if kind.permits(role, other)
    }

    assert {(b.sender.id, b.action) for b in agreement.bindings} == wanted


def test_politie_has_a_trial_approval_and_veilig_thuis_needs_none(trial):
    mine = directory(trial / "mijn")
    gate = mine.gate

    if mine.parties[mine.me].role is Role.POLITIE:
        (approval,) = gate.approvals
        assert approval.messages <= gate.table.messages
        assert gate.table.version.startswith("ALLEEN-VOOR-PROEF")
        table = load_directory_table()
        assert {r.id for r in gate.table.rules} == {r.id for r in table.rules}
        assert gate.table.terms == table.terms
        of_melding = [r for r in gate.table.rules if r.message == "vtMeldingDi01"]
        assert of_melding == [r for r in table.rules if r.message == "vtMeldingDi01"]
    else:
        assert gate.approvals == ()


def load_directory_table():
    from gateway.installation import load_table

    return load_table(share("config") / "classification.toml")


def test_scripts_of_a_set_up_are_read(trial):
    partner = read_partner_script((trial / "simulator" / "script.toml").read_bytes(), where="")
    backend = read_backend_script((trial / "backend" / "script.toml").read_bytes(), where="")

    assert len({r.naam for r in partner.regels}) == len(partner.regels) > 10
    assert backend.stuur[0].bericht in {"vtMeldingDi01", "vtTerugkoppelingDi01"}


def test_example_of_every_message_is_ready_to_be_handed_in(trial):
    mine = directory(trial / "mijn")
    (agreement,) = mine.agreements.values()
    sends = {b.action for b in agreement.bindings if b.sender.id == mine.me} - ANSWERS - KINDS
    schemas = SchemaSet.load(share("schemas"), mine.catalogue)
    made = {p.stem: p.read_bytes() for p in (trial / "backend" / "berichten").iterdir()}

    assert set(made) == sends
    for name, octets in made.items():
        document, version = read_document(octets), mine.catalogue.versions(name)[-1]
        kind, at = mine.catalogue.find(name, version), datetime.now(UTC)
        assert schemas.validate(document, version=version) == ()
        found = check(document, kind=kind, directory=mine, sender=mine.me, at=at)
        assert [f for f in found if f.severity is Severity.REFUSE] == []


def test_secrets_are_readable_by_their_owner_alone(trial):
    secret = [*trial.glob("*/keys/*.key"), trial / "backend" / "token"]

    assert len(secret) == 7
    assert {stat.S_IMODE(p.stat().st_mode) for p in secret} == {0o600}
    token = (trial / "backend" / "token").read_text()
    assert token not in (trial / "mijn" / NAME).read_text()


def test_nothing_is_overwritten(trial):
    before = (trial / "backend" / "token").read_text()

    assert refused(make_trial, trial, Role.POLITIE, port=None) == "init.exists"
    assert (trial / "backend" / "token").read_text() == before


# --- a partner for what is there ------------------------------------------------------


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    folder = tmp_path_factory.mktemp("naast")
    make_trial(folder / "bestaand", Role.VEILIG_THUIS, port=None)
    own = load_installation(folder / "bestaand" / "mijn")
    taken_over = make_partner(folder / "nieuw", own, address="https://vt.example/ebms")
    return folder / "bestaand" / "mijn", folder / "nieuw", taken_over


def test_partner_beside_an_installation_leaves_it_alone(beside):
    installation, _, _ = beside

    assert len(list((installation / "agreements").iterdir())) == 1
    assert len(list((installation / "trust" / "anchors").iterdir())) == 1


def test_partner_beside_an_installation_has_an_oin_of_its_own(beside):
    installation, made, taken_over = beside
    known = directory(installation).parties
    partner = directory(made / "simulator")

    assert partner.me not in known
    assert partner.parties[partner.me].role is Role.POLITIE
    added = tomllib.loads((taken_over / "gateway.toml.erbij").read_text())
    assert added["partijen"][0]["oin"] == partner.me


def test_what_an_installation_must_take_over_makes_it_a_partner(beside):
    _, made, taken_over = beside
    partner = directory(made / "simulator")
    (file,) = (taken_over / "agreements").iterdir()
    agreement = read_cpa(file.read_bytes())

    assert list(partner.agreements) == [agreement.cpa_id]
    endpoints = {b.channel.endpoint for b in agreement.bindings if b.sender.id == partner.me}
    assert endpoints == {"https://vt.example/ebms"}
    anchors = {p.read_bytes() for p in (taken_over / "trust" / "anchors").iterdir()}
    assert len(anchors) == 1
    assert len(partner.trust.anchors) == 2


def test_certificate_that_is_missing_is_told_by_its_file(tmp_path):
    make_trial(tmp_path / "proef", Role.POLITIE, port=None)
    own = tmp_path / "proef" / "mijn"
    (own / "keys" / "encrypt.pem").unlink()

    with pytest.raises(Misconfigured) as caught:
        make_partner(tmp_path / "nieuw", load_installation(own), address=None)
    assert caught.value.code == "simulator.certificates"
    assert caught.value.where.endswith("keys/encrypt.pem")
    assert not (tmp_path / "nieuw").exists()


# --- never in production --------------------------------------------------------------


def test_nothing_plays_in_production(tmp_path):
    make_trial(tmp_path / "proef", Role.POLITIE, port=None)
    for place in ("mijn", "simulator"):
        set_environment(tmp_path / "proef" / place, "productie")
    own = load_installation(tmp_path / "proef" / "mijn")
    played = load_installation(tmp_path / "proef" / "simulator")

    assert refused(make_partner, tmp_path / "x", own, address=None) == "simulator.production"
    found = load_directory(played, epoch=0)
    assert refused(refuse_production, played, found) == "simulator.production"
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("name", "production"),
    [
        ("Staat der Nederlanden Private Root CA - G1", True),
        ("QuoVadis PKIoverheid Private Services CA - G1", True),
        ("TEST Staat der Nederlanden Private Root CA", False),
        ("TRIAL PKIoverheid Private TSP CA", False),
        ("Eigen test-CA van een leverancier", False),
    ],
)
def test_authority_of_production_is_known_by_its_name(name, production):
    class Authority:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    assert is_production(Authority()) is production


# --- the page -------------------------------------------------------------------------


def test_page_tells_what_every_rule_of_a_new_script_does():
    script = read_partner_script(texts.partner_script(POLITIE), where="")
    words = {rule.zaak.removesuffix("*") for rule in script.regels}
    page = PAGE.read_text(encoding="utf-8")

    assert len(words) == len(script.regels)
    assert {word for word in words if f"`{word}`" not in page} == set()


def test_page_has_the_script_as_the_code_knows_it():
    page = PAGE.read_text(encoding="utf-8")
    written = page[page.index(BEGIN) : page.index(END) + len(END)]

    again = (
        '.venv/bin/python -c "from gateway.cli.simulator.reference import reference; '
        'print(reference())"'
    )
    assert written == reference(), f"replace it by the output of\n{again}"


# --- schema packs ---------------------------------------------------------------------


def test_the_partner_judges_by_the_packs_of_the_installation_as_it_is_seen_from_there(tmp_path):
    make_trial(tmp_path, Role.POLITIE, port=None)
    own = load_installation(tmp_path / OWN)
    partner = load_installation(tmp_path / PARTNER)
    assert partner.path(partner.settings.paths.packs) == own.path(own.settings.paths.packs)
    assert as_partner(partner).lines == ()

    shelf = Shelf(own.path(own.settings.paths.packs))
    source = packs.folder(tmp_path / "bron", packs.longer_phone())
    pack = packs.installed(shelf, "ruim", source)
    me, other = Oin(own.settings.partij), Oin(partner.settings.partij)
    stranger = Oin("00000099000000000077")
    lines = tuple(
        packs.activation(pack, partner=who, since=packs.AT + timedelta(days=n))
        for n, who in enumerate((None, other, stranger))
    )
    write_activations(shelf.folder / ACTIVATIONS, Activations(lines))

    seen = as_partner(partner)

    assert [line.partner for line in seen.lines] == [None, me]
    directory = load_directory(partner, epoch=0, activations=seen)
    assert directory.activations == seen
    assert set(directory.packs) == {"ruim"}
