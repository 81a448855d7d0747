"""What is connected, by the catalogue and the agreements."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.catalogue import Role
from gateway.rules.connections import connections
from tests.flow import town as towns
from tests.flow.town import HUB, NOW, OM, POLITIE, VT


def found(me, party=None, at=NOW, **changes):
    directory = towns.directory(me, **changes)
    return connections(directory, directory.parties[party or me], at=at)


def told(ones):
    return {(one.kind.name, one.sends, one.other.oin, one.via) for one in ones}


def test_what_the_agreement_with_the_hub_carries_can_be_sent_to_who_may_get_it():
    ones = found(POLITIE)

    assert ("vtMeldingDi01", True, VT, HUB) in told(ones)
    assert ("vtTerugkoppelingDi01", False, VT, HUB) in told(ones)
    assert not [one for one in ones if one.kind.answer]
    assert {one.channel.profile for one in ones} == {"osb-rm-e"}


def test_the_other_side_sees_the_same_the_other_way_round():
    assert ("vtMeldingDi01", False, POLITIE, HUB) in told(found(VT))
    assert ("vtTerugkoppelingDi01", True, POLITIE, HUB) in told(found(VT))


def test_what_the_catalogue_does_not_permit_is_not_there():
    to_om = [one for one in found(POLITIE) if one.other.oin == OM and one.sends]

    assert "vtMeldingDi01" not in {one.kind.name for one in to_om}
    assert all(one.kind.permits(Role.POLITIE, Role.OM) for one in to_om)


@pytest.mark.parametrize("days", [-2, 400])
def test_outside_its_period_an_agreement_connects_nothing(days):
    assert found(POLITIE, at=NOW + timedelta(days=days)) == ()


def test_without_agreements_nothing_is_connected():
    assert found(POLITIE, agreements={}) == ()


def test_another_version_is_another_message():
    assert found(POLITIE, services={towns.SERVICE: "0.0.1"}) == ()


def test_a_party_of_the_same_installation_is_reached_without_an_agreement():
    parties = towns.directory(POLITIE).parties
    local = {**parties, VT: replace(parties[VT], local=True)}

    ones = [one for one in found(POLITIE, parties=local) if one.other.oin == VT]

    assert ones
    assert {(one.agreement, one.channel, one.via) for one in ones} == {(None, None, VT)}
