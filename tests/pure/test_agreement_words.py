"""`gateway cpa diff`: what changes, in words."""

from dataclasses import replace
from datetime import timedelta

from typer.testing import CliRunner

from gateway.cli.cpa import app
from gateway.importing.agreement_words import in_words
from gateway.wire.ebms2.cpa import read_cpa
from gateway.wire.ebms2.cpa_make import CpaAction, make_cpa
from gateway.wire.ebms2.duration import iso_duration
from tests import pki
from tests.cpas import SERVICE, spec


def words(new, old=None, now=pki.AT):
    """Return the sentences, of two specifications."""
    becomes, was = (read_cpa(make_cpa(one)) for one in (new, old or spec()))
    return [str(line) for line in in_words(becomes, was, now)]


def about(lines, beginning):
    return [line for line in lines if line.startswith(beginning)]


def with_police(**changes):
    police, hub = spec().parties
    return spec(parties=(replace(police, **changes), hub))


def test_the_same_agreement_has_nothing_to_tell():
    assert words(spec()) == []


def test_another_id_and_end_are_told_of_the_agreement_itself():
    (told,) = about(words(spec(cpa_id="nieuw", end=pki.AT + timedelta(days=99))), "De CPA zelf")

    assert "CPAId wordt nieuw (was jeugdzorg_politie_knooppunt_1)" in told
    assert "geldig tot wordt 2027-03-03 12:00 UTC (was 2027-11-24 12:00 UTC)" in told


def test_an_action_that_comes_is_told_with_its_terms():
    more = (*spec().parties[0].sends, CpaAction(service=SERVICE, action="vcobDi01"))
    (told,) = about(words(with_police(sends=more)), "Erbij")

    assert f"{pki.POLITIE} mag ook vcobDi01 versturen ({SERVICE})" in told
    assert "profiel osb-rm-e" in told


def test_an_action_that_goes_is_told_with_what_it_means_for_what_is_under_way():
    lines = words(with_police(sends=spec().parties[0].sends[:1]))

    assert about(lines, "Eruit") == [
        f"Eruit: {pki.POLITIE} mag Bv01Bericht niet meer versturen ({SERVICE})."
    ]
    assert about(lines, "Wat onderweg is")


def test_terms_that_change_are_told_for_all_actions_at_once():
    told = about(words(spec(retries=3)), "Anders")

    assert len(told) == 2
    assert "Bv01Bericht, vtMeldingDi01" in told[1] + told[0]
    assert all("nieuwe pogingen wordt 3 (was 8)" in line for line in told)


def test_another_certificate_is_told_for_messages_and_acknowledgements():
    told = about(words(with_police(sign=pki.leaf(pki.POLITIE, "tls").certificate)), "Anders")

    assert [line for line in told if "Acknowledgment" in line]
    assert all("certificaat van ondertekening wordt TEST Politie" in line for line in told)


def test_findings_that_come_and_go_are_told():
    late, wide = spec(retries=16), spec()

    assert about(words(late, wide), "Nieuwe bevinding CPA-030")
    assert about(words(wide, late), "Opgelost CPA-030")
    assert (
        iso_duration(timedelta(days=2)) in about(words(late, wide), "Nieuwe bevinding CPA-030")[0]
    )


def test_an_end_that_is_near_is_a_finding_that_goes():
    soon = spec(end=pki.AT + timedelta(days=9))

    assert about(words(spec(), soon), "Opgelost CPA-004")
    assert not about(words(spec(), soon, now=pki.AT - timedelta(days=90)), "Opgelost CPA-004")


def test_agreements_of_other_parties_are_told_first():
    police, hub = spec().parties
    other = replace(hub, oin=pki.OM)

    assert words(spec(parties=(police, other)))[0].startswith("Let op")


def test_the_command_says_by_its_status_whether_they_differ(tmp_path):
    old, new = tmp_path / "oud.xml", tmp_path / "nieuw.xml"
    old.write_bytes(make_cpa(spec()))
    new.write_bytes(make_cpa(spec(retries=3)))

    same = CliRunner().invoke(app, ["diff", str(old), str(old)])
    differ = CliRunner().invoke(app, ["diff", str(old), str(new)])

    assert (same.exit_code, same.stdout) == (0, "Beide CPA's zeggen hetzelfde.\n")
    assert differ.exit_code == 1
    assert "nieuwe pogingen wordt 3 (was 8)" in differ.stdout
