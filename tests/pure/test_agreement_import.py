"""Which agreement may be put in place, what it changes, and where it goes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import GatewayError
from gateway.importing.agreement_changes import Kind
from gateway.importing.agreement_placing import place_agreement, take_back
from gateway.importing.agreement_texts import CPA_TEXTS
from gateway.importing.agreements import looking_at, propose_agreement
from gateway.installation import load_directory, load_installation
from gateway.wire.ebms2.cpa_make import make_cpa
from tests import pki
from tests.cpas import party, spec
from tests.installations import installed

SIDES = (
    party(pki.POLITIE, "politie", "vtMeldingDi01"),
    party(pki.KNOOPPUNT, "knooppunt", "vtTerugkoppelingDi01"),
)
LATER = pki.AT + timedelta(days=30)


@pytest.fixture
def folder(tmp_path):
    return installed(tmp_path / "politie")


def cpa(**changes) -> bytes:
    given = {"cpa_id": "jeugdzorg_politie_knooppunt_2", "parties": SIDES, "start": LATER}
    return make_cpa(spec(**{**given, **changes}))


def propose(folder, octets, **given):
    looking = looking_at(
        load_installation(folder), given.pop("now", pki.AT), may_write=lambda _: True
    )
    return propose_agreement(replace(looking, **given), octets)


def refused(folder, octets, **given) -> str:
    before = {path.name: path.read_bytes() for path in (folder / "agreements").iterdir()}
    with pytest.raises(GatewayError) as caught:
        propose(folder, octets, **given)
    assert caught.value.text
    assert {path.name: path.read_bytes() for path in (folder / "agreements").iterdir()} == before
    return caught.value.code


def test_the_same_on_a_later_day_changes_no_message_and_the_old_one_stays(folder):
    proposal = propose(folder, cpa())

    assert proposal.present.cpa_id == "jeugdzorg_politie_knooppunt_1"
    assert {change.kind for change in proposal.changes} == {Kind.SAME}
    said = " ".join(str(line) for line in proposal.follows)
    assert "telt vanaf" in said
    assert "blijft tot" in said
    assert proposal.remarks == ()


def test_what_is_added_gone_and_otherwise_is_told_per_direction(folder):
    sides = (
        replace(party(pki.POLITIE, "politie", "vtMeldingDi01", "vcobDi01"), endpoint="https://n/e"),
        party(pki.KNOOPPUNT, "knooppunt", "Bv01Bericht"),
    )
    proposal = propose(folder, cpa(parties=sides, retries=3))

    found = {(c.kind, c.sender, c.actions) for c in proposal.changes}
    assert found == {
        (Kind.ADDED, pki.POLITIE, ("vcobDi01",)),
        (Kind.ADDED, pki.KNOOPPUNT, ("Bv01Bericht",)),
        (Kind.REMOVED, pki.KNOOPPUNT, ("vtTerugkoppelingDi01",)),
        (Kind.CHANGED, pki.POLITIE, ("vtMeldingDi01",)),
        (Kind.CHANGED, pki.KNOOPPUNT, ("Acknowledgment",)),
    }
    (changed,) = [c for c in proposal.changes if c.actions == ("vtMeldingDi01",)]
    assert next((f.name, f.was, f.becomes) for f in changed.facts) == ("nieuwe pogingen", 8, 3)
    assert any("kunnen nog tot" in str(line) for line in proposal.follows)


def test_another_certificate_is_a_difference_by_name_and_thumbprint(folder):
    leaf = pki.pki().issue(oin=pki.KNOOPPUNT, name="TEST Nieuw", usage="sign")
    sides = (SIDES[0], replace(SIDES[1], sign=leaf.certificate))

    changed, signals = [c for c in propose(folder, cpa(parties=sides)).changes if c.facts]

    assert signals.actions == ("Acknowledgment",)
    for change in (changed, signals):
        assert [fact.name for fact in change.facts] == ["certificaat van ondertekening"]
        assert "TEST Nieuw" in change.facts[0].becomes


def test_the_same_id_replaces_its_file_and_warns(folder):
    proposal = propose(folder, cpa(cpa_id="jeugdzorg_politie_knooppunt_1", start=pki.AT, retries=2))

    assert proposal.file == folder / "agreements" / "knooppunt.xml"
    assert "blijft hetzelfde" in str(proposal.remarks[0])


def test_one_that_begins_no_later_than_the_present_one_is_told_to_be_second(folder):
    proposal = propose(folder, cpa(start=pki.AT - timedelta(days=1)))

    assert any("laatst begonnen" in str(remark) for remark in proposal.remarks)


@pytest.mark.parametrize(("cpa_id", "second"), [("a_eerder", True), ("z_later", False)])
def test_of_two_that_begin_together_the_id_decides_as_in_routing(folder, cpa_id, second):
    proposal = propose(folder, cpa(cpa_id=cpa_id, start=pki.AT))

    assert any("laatst begonnen" in str(remark) for remark in proposal.remarks) is second


def test_the_name_of_the_file_is_made_here_whatever_the_id_says(folder):
    proposal = propose(
        folder, cpa().replace(b"jeugdzorg_politie_knooppunt_2", b"../../etc/cron.d/x")
    )

    assert proposal.file.parent == folder / "agreements"
    assert proposal.file.name.startswith("etc-cron-d-x-")


def other(oin, role):
    return party(oin, role, "vtMeldingDi01")


REFUSED = {
    "cpas.stranger": {"parties": (other(pki.OM, "om"), SIDES[1])},
    "cpas.status": {"status": "proposed"},
    "cpas.ended": {"start": pki.AT - timedelta(days=9), "end": pki.AT - timedelta(days=1)},
    "cpas.rules": {"digest_algorithm": "http://www.w3.org/2000/09/xmldsig#sha1"},
    "cpas.certificate_party": {
        "parties": (replace(SIDES[0], sign=pki.leaf(pki.OM, "sign").certificate), SIDES[1])
    },
    "cpas.certificate": {
        "parties": (SIDES[0], replace(SIDES[1], sign=pki.unknown_issuer("sign").certificate))
    },
    "cpas.service": {
        "parties": tuple(
            party(oin, role, "vtMeldingDi01", service="TEST:onbekend")
            for oin, role in ((pki.POLITIE, "politie"), (pki.KNOOPPUNT, "knooppunt"))
        )
    },
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_would_not_work_is_refused(folder, code):
    assert refused(folder, cpa(**REFUSED[code])) == code


def test_an_algorithm_outside_the_profile_is_refused_as_any_other_rule_that_stops(folder):
    md5 = cpa(signature_algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-md5")

    assert refused(folder, md5) == "cpas.rules"


def test_a_party_that_is_not_known_here_is_refused(folder):
    stranger = pki.pki()
    oin = "00000099000000000077"
    leaves = {
        usage: stranger.issue(oin=oin, name="TEST Vreemd", usage=usage).certificate
        for usage in ("tls", "sign", "encrypt")
    }
    side = replace(
        SIDES[1],
        oin=oin,
        sign=leaves["sign"],
        encrypt=leaves["encrypt"],
        client=leaves["tls"],
        server=leaves["tls"],
    )

    assert refused(folder, cpa(parties=(SIDES[0], side))) == "cpas.party_unknown"


def test_without_our_key_or_a_fresh_list_it_is_refused(folder):
    assert refused(folder, cpa(), holds=lambda _: False) == "cpas.key"
    directory = load_directory(load_installation(folder), epoch=0)
    stale = replace(directory, trust=replace(directory.trust, crls=()))
    assert refused(folder, cpa(), directory=stale) == "cpas.revocation_unknown"


def test_the_very_same_file_is_refused(folder):
    octets = (folder / "agreements" / "knooppunt.xml").read_bytes()

    assert refused(folder, octets) == "cpas.same"


EVIL = {
    "xml.doctype": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "cpa.root": b"<x/>",
    "xml.malformed": b"geen xml",
}


@pytest.mark.parametrize("octets", EVIL.values(), ids=EVIL)
def test_what_is_no_cpa_is_refused_without_repeating_it(folder, octets):
    assert refused(folder, octets).startswith(("xml.", "cpa."))


def test_every_refusal_says_what_to_do():
    assert all(text.endswith(".") and len(text) > 30 for text in CPA_TEXTS.values())


# --- putting it in place ----------------------------------------------------------------


def test_what_is_placed_is_read_with_the_others_and_can_be_taken_back(folder):
    proposal = propose(folder, cpa())
    before = load_directory(load_installation(folder), epoch=0).fingerprint

    placed = place_agreement(proposal.file, proposal.octets, pki.AT)

    found = load_directory(load_installation(folder), epoch=0).agreements
    assert set(found) == {"jeugdzorg_politie_knooppunt_1", "jeugdzorg_politie_knooppunt_2"}
    take_back(placed)
    assert load_directory(load_installation(folder), epoch=0).fingerprint == before


def test_what_is_replaced_stays_beside_it_and_comes_back(folder):
    file = folder / "agreements" / "knooppunt.xml"
    old = file.read_bytes()

    placed = place_agreement(file, cpa(cpa_id="jeugdzorg_politie_knooppunt_1"), pki.AT)

    assert placed.kept.read_bytes() == old
    assert len(load_directory(load_installation(folder), epoch=0).agreements) == 1
    take_back(placed)
    assert file.read_bytes() == old
    assert not placed.kept.exists()


def test_a_folder_that_is_gone_is_told(folder):
    with pytest.raises(GatewayError) as caught:
        place_agreement(folder / "nergens" / "x.xml", b"", pki.AT)

    assert caught.value.code == "cpas.not_written"
