from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from gateway.errors import NoRoute
from gateway.message import Oin
from gateway.rules.routing import ToPartner, ToPostvak, route
from tests.parties import (
    AT,
    HUB,
    OLD_SERVICE,
    OM,
    POLITIE,
    SERVICE,
    STRANGER,
    VT,
    agreement,
    changed,
    directory,
    document,
)

ACTIONS = ("vtMeldingDi01", "Bv01Bericht", "Fo01Bericht")
POLITIE_HUB = agreement(POLITIE, HUB, ACTIONS)
VT_HUB = agreement(VT, HUB, ACTIONS)
POLITIE_VT = agreement(POLITIE, VT, ACTIONS)
AT_HUB = directory(HUB, POLITIE_HUB, VT_HUB)


@dataclass(frozen=True)
class Sent:
    zender: Oin
    zender_applicatie: str


def go(here, doc=None, *, version="1.0.9", received_from=None, origin=None, at=AT):
    doc = doc or document()
    return route(
        doc.stuurgegevens,
        doc.name,
        version,
        directory=here,
        received_from=received_from,
        origin=origin,
        at=at,
    )


def refused(here, doc=None, **options):
    with pytest.raises(NoRoute) as caught:
        go(here, doc, **options)
    return caught.value.code


def nameless_answer():
    both = f"<StUF:organisatie>{POLITIE}</StUF:organisatie>"
    return changed(both, "", "Bv01Bericht")


# --- to a back-end --------------------------------------------------------------------


def test_local_recipient_gets_it_in_the_postvak_of_its_applicatie():
    assert go(directory(VT), received_from=HUB) == ToPostvak(party=VT, applicatie="VTregistratie")


def test_applicatie_that_the_recipient_does_not_have_is_no_route():
    doc = changed(">VTregistratie<", ">Anders<")

    assert refused(directory(VT), doc) == "route.applicatie"


def test_suspended_recipient_still_has_a_route():
    assert isinstance(go(directory(VT, suspended=[VT])), ToPostvak)
    assert isinstance(go(directory(HUB, VT_HUB, suspended=[VT])), ToPartner)


# --- to a partner ---------------------------------------------------------------------


def test_hub_sends_over_its_agreement_with_the_recipient():
    way = go(AT_HUB, received_from=POLITIE)

    assert isinstance(way, ToPartner)
    assert (way.recipient, way.cpa_id) == (VT, VT_HUB.cpa_id)
    assert (way.binding.sender.id, way.binding.receiver.id) == (HUB, VT)
    assert way.binding.action == "vtMeldingDi01"


def test_access_point_sends_through_the_hub():
    way = go(directory(POLITIE, POLITIE_HUB))

    assert isinstance(way, ToPartner)
    assert (way.recipient, way.cpa_id) == (HUB, POLITIE_HUB.cpa_id)


def test_direct_agreement_goes_before_the_hub():
    way = go(directory(POLITIE, POLITIE_HUB, POLITIE_VT))

    assert isinstance(way, ToPartner)
    assert way.recipient == VT


def test_direct_agreement_without_the_message_leaves_it_to_the_hub():
    other = agreement(POLITIE, VT, ["vcobDi01"])

    way = go(directory(POLITIE, POLITIE_HUB, other))

    assert isinstance(way, ToPartner)
    assert way.recipient == HUB


def test_hub_never_hands_a_message_to_another_hub():
    second = replace(AT_HUB.parties[HUB], oin=STRANGER, local=False)
    here = replace(
        directory(HUB, agreement(HUB, STRANGER, ACTIONS)),
        parties={**AT_HUB.parties, STRANGER: second},
    )

    assert refused(here) == "route.agreement"


def test_unknown_recipient_is_no_route():
    assert refused(AT_HUB, changed(VT, STRANGER)) == "route.unknown"


def test_recipient_without_agreement_is_no_route():
    assert refused(directory(HUB, POLITIE_HUB)) == "route.agreement"


def test_agreement_that_ended_is_no_route():
    assert refused(AT_HUB, at=AT + timedelta(days=10)) == "route.agreement"


# --- versions -------------------------------------------------------------------------


def test_version_is_that_of_the_service():
    old = agreement(VT, HUB, ACTIONS, service=OLD_SERVICE, days_old=1)
    here = directory(HUB, VT_HUB, old)

    services = {v: go(here, version=v).binding.service for v in ("1.0.8", "1.0.9")}

    assert services == {"1.0.8": OLD_SERVICE, "1.0.9": SERVICE}
    assert refused(here, version="1.0.7") == "route.agreement"


def test_newest_agreement_in_force_is_used():
    newer = replace(VT_HUB, cpa_id="nieuwer", start=AT - timedelta(hours=1))

    way = go(directory(HUB, VT_HUB, newer))

    assert isinstance(way, ToPartner)
    assert way.cpa_id == "nieuwer"


def test_answer_takes_another_version_when_it_must():
    here = directory(HUB, agreement(POLITIE, HUB, ACTIONS, service=OLD_SERVICE))

    way = go(here, document("Bv01Bericht"), version="1.0.9", received_from=VT)

    assert isinstance(way, ToPartner)
    assert way.binding.service == OLD_SERVICE


# --- loops ----------------------------------------------------------------------------


def test_message_does_not_go_back_to_where_it_came_from():
    assert refused(directory(OM, agreement(OM, HUB, ACTIONS)), received_from=HUB) == "route.loop"
    assert refused(AT_HUB, received_from=VT) == "route.loop"


def test_loop_over_the_hub_is_avoided_by_a_direct_agreement():
    here = directory(OM, agreement(OM, HUB, ACTIONS), agreement(OM, VT, ACTIONS))

    way = go(here, received_from=HUB)

    assert isinstance(way, ToPartner)
    assert way.recipient == VT


def test_answer_may_go_back_when_it_is_really_for_that_party():
    way = go(AT_HUB, document("Bv01Bericht"), received_from=POLITIE)

    assert isinstance(way, ToPartner)
    assert way.recipient == POLITIE


def test_answer_for_another_party_does_not_go_back_to_the_hub():
    here = directory(OM, agreement(OM, HUB, ACTIONS))

    assert refused(here, document("Bv01Bericht"), received_from=HUB) == "route.loop"


# --- answers without a recipient ------------------------------------------------------


def test_answer_without_recipient_follows_its_origin():
    origin = Sent(POLITIE, "BVH")

    assert go(AT_HUB, nameless_answer(), received_from=VT, origin=origin).recipient == POLITIE
    assert go(directory(POLITIE), nameless_answer(), origin=origin) == ToPostvak(
        party=POLITIE, applicatie="BVH"
    )


def test_answer_without_recipient_and_origin_is_no_route():
    assert refused(AT_HUB, nameless_answer(), received_from=VT) == "route.unknown"


def test_answer_to_an_unreadable_message_finds_the_applicatie_by_its_origin():
    doc = changed(">BVH<", ">onbekend<", "Bv01Bericht")

    way = go(directory(POLITIE), doc, received_from=HUB, origin=Sent(POLITIE, "BVH"))

    assert way == ToPostvak(party=POLITIE, applicatie="BVH")


def test_origin_of_another_party_does_not_lend_its_applicatie():
    doc = changed(">BVH<", ">onbekend<", "Bv01Bericht")

    assert refused(directory(POLITIE), doc, origin=Sent(VT, "BVH")) == "route.applicatie"


def test_origin_does_not_redirect_a_message_that_is_no_answer():
    doc = changed(">VTregistratie<", ">Anders<")

    assert refused(directory(VT), doc, origin=Sent(VT, "VTregistratie")) == "route.applicatie"
