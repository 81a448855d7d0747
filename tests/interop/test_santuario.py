"""An MSH in Java on Apache Santuario, over mutual TLS, in both directions."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.config import Canonical
from gateway.directory import SyncReply
from gateway.lifecycle import State
from gateway.security.algorithms import AES128_GCM, ECDSA_SHA256, ECDSA_SHA384, RSA_SHA512, SHA512
from tests.flow.town import HUB
from tests.interop.crossing import Places, crossing, melding
from tests.interop.santuario import digests, payload

PROFILES = ["osb-be", "osb-be-s", "osb-be-e", "osb-rm", "osb-rm-s", "osb-rm-e"]
SIGNED = [profile for profile in PROFILES if profile.endswith(("-s", "-e"))]
CROSSINGS = [
    *((profile, Canonical.EXCLUSIVE) for profile in PROFILES),
    *((profile, Canonical.INCLUSIVE) for profile in SIGNED),
]


@pytest.mark.parametrize(("profile", "canonical"), CROSSINGS)
async def test_a_melding_crosses_in_every_profile(tmp_path, places, profile, canonical):
    octets = melding()
    async with crossing(tmp_path, places, profile, canonical=canonical) as both:
        sent = await both.send(octets)
        await both.settle()
        signals, (arrived,) = await both.politie.take(), await both.vt.take()
        delivery = await both.delivery()

    assert (sent["status"], sent.get("answer")) == (204, None)
    assert arrived["problem"] == ""
    assert payload(arrived) == octets
    assert arrived["signed"] == (profile in SIGNED)
    assert arrived["soapAction"] == '"ebXML"'
    assert delivery.state is State.DELIVERED
    assert [one["action"] for one in signals] == ["Acknowledgment"] * profile.startswith("osb-rm")
    for ack in signals:
        assert (ack["problem"], ack["signed"]) == ("", profile in SIGNED)
        assert ack["acknowledges"] == sent["messageId"]
        assert digests(ack["acknowledged"]) == digests(sent["references"])


@pytest.mark.parametrize(
    ("curve", "algorithm", "hash_"),
    [(ec.SECP256R1(), ECDSA_SHA256, "sha256"), (ec.SECP384R1(), ECDSA_SHA384, "sha384")],
)
async def test_signatures_on_a_curve_are_read_by_both(tmp_path, places, curve, algorithm, hash_):
    on_it = Places.open(places.java, curve)
    async with crossing(tmp_path, on_it, "osb-rm-s", signature_algorithm=algorithm) as both:
        await both.send(melding(), dialect={"hash": hash_})
        await both.settle()
        (ack,), (arrived,) = await both.politie.take(), await both.vt.take()

        assert (ack["problem"], ack["signed"]) == ("", True)
        assert (arrived["problem"], arrived["signed"]) == ("", True)
        assert (await both.delivery()).state is State.DELIVERED


async def test_the_algorithms_of_the_agreement_are_read_as_well(tmp_path, places):
    agreed = {
        "signature_algorithm": RSA_SHA512,
        "digest_algorithm": SHA512,
        "encryption_algorithm": AES128_GCM,
    }
    async with crossing(tmp_path, places, **agreed) as both:
        await both.send(melding())
        await both.settle()
        (ack,), (arrived,) = await both.politie.take(), await both.vt.take()

        assert (ack["problem"], arrived["problem"]) == ("", "")
        assert {one["method"] for one in arrived["references"]} == {SHA512}
        assert (await both.delivery()).state is State.DELIVERED


@pytest.mark.parametrize("profile", ["osb-rm", "osb-rm-e"])
async def test_acknowledgements_come_in_the_answer_where_that_is_agreed(tmp_path, places, profile):
    async with crossing(tmp_path, places, profile, sync_reply=SyncReply.SIGNALS) as both:
        sent = await both.send(melding())
        await both.settle()

        assert (await both.delivery()).state is State.DELIVERED
        assert await both.politie.take() == []
        assert len(await both.vt.take()) == 1

    assert sent["status"] == 200
    assert sent["answer"]["problem"] == ""
    assert digests(sent["answer"]["acknowledged"]) == digests(sent["references"])


@pytest.fixture
async def both(tmp_path, places):
    async with crossing(tmp_path, places) as made:
        yield made


# --- what comes twice, and what does not come -------------------------------------------


async def test_a_copy_is_acknowledged_again_and_passed_on_once(both):
    await both.send(melding())
    await both.settle()
    again = await both.politie.ask("resend")
    await both.settle()

    first, second = await both.politie.take()
    assert again["status"] == 204
    assert second["problem"] == ""
    assert second["messageId"] == first["messageId"]
    assert len(await both.vt.take()) == 1


async def test_other_content_under_the_same_id_is_refused(both):
    sent = await both.send(melding())
    again = await both.send(melding("ref-2"), messageId=sent["messageId"])
    await both.settle()

    assert both.refused == ["duplicate.message_id"]
    (error,) = (await _told(both, again))["errors"]
    assert error["code"] == "Inconsistent"
    assert error["location"] == "//Header/MessageHeader/MessageData/MessageId"
    assert len(await both.vt.take()) == 1


async def test_an_acknowledgement_that_is_tried_once_and_lost_is_repaired_by_our_retry(both):
    await both.vt.agree(losesFirst=True)
    await both.send(melding())
    await both.settle()
    assert (await both.delivery()).state is State.SENT

    await both.later()

    first, second = await both.vt.take()
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert second["messageId"] == first["messageId"]
    assert digests(second["references"]) == digests(first["references"])
    assert (await both.delivery()).state is State.DELIVERED


@pytest.mark.parametrize("status", [503, 500, 429])
async def test_a_partner_that_is_busy_gets_it_later(both, status):
    await both.vt.agree(status=status)
    await both.send(melding())
    await both.settle()
    assert (await both.delivery()).state is State.READY
    await both.vt.agree(status=0)

    await both.later()

    (arrived,) = await both.vt.take()
    assert arrived["duplicate"] is False
    assert (await both.delivery()).state is State.DELIVERED


# --- refusals ---------------------------------------------------------------------------


async def _told(both, sent):
    """Return the MessageError about what was sent, wherever it came."""
    found = [sent["answer"]] if sent.get("answer") else await both.politie.take()
    (told,) = [one for one in found if one["action"] == "MessageError"]
    assert told["problem"] == ""
    assert told["signed"]
    assert told["refToMessageId"] == sent["messageId"]
    return told


HEADER = "//Header/MessageHeader"
REFUSED = {
    "payload": ({"tamper": "payload"}, "SecurityFailure", "//Body/Manifest/Reference"),
    "header": ({"tamper": "header"}, "SecurityFailure", "//Header/Signature"),
    "unsigned ack": (
        {"instead": {"ack": "false"}},
        "Inconsistent",
        "//Header/AckRequested/@signed",
    ),
    "no ack": ({"instead": {"ack": ""}}, "Inconsistent", "//Header/AckRequested"),
    "action": ({"instead": {"action": "besluitDi09"}}, "ValueNotRecognized", f"{HEADER}/Action"),
    "role": ({"instead": {"role": "ANDERS"}}, "Inconsistent", f"{HEADER}/From/Role"),
    "expired": (
        {"instead": {"ttl": "-PT1M"}},
        "TimeToLiveExpired",
        f"{HEADER}/MessageData/TimeToLive",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_wrong_is_told_by_code_and_place(both, what):
    changes, code, location = REFUSED[what]
    sent = await both.send(melding(), **changes)
    await both.settle()

    (error,) = (await _told(both, sent))["errors"]
    assert (error["code"], error["location"], error["severity"]) == (code, location, "Error")
    assert await both.vt.take() == []
    assert await both.town[HUB].message("ref-1") is None


@pytest.mark.parametrize("missing", ["signed", "encrypted"])
async def test_what_is_not_protected_as_agreed_is_refused(both, missing):
    await both.politie.agree(**{missing: False})
    sent = await both.send(melding(), instead={"ack": "true"})
    await both.politie.ask("settle")

    (error,) = (await _told(both, sent))["errors"]
    assert error["code"] == "SecurityFailure"
    assert await both.town[HUB].message("ref-1") is None


@pytest.mark.parametrize("instead", [{"cpa": "no-such-cpa"}, {"version": "1.0"}])
async def test_what_selects_no_agreement_gets_a_soap_fault(both, instead):
    sent = await both.send(melding(), instead=instead)

    assert sent["status"] == 500
    assert sent["answer"]["soapFault"] == "soap:Client"


@pytest.mark.parametrize("code", ["SecurityFailure", "DeliveryFailure"])
async def test_an_error_of_the_partner_ends_the_delivery(both, code):
    await both.vt.agree(refuses=code)
    await both.send(melding())
    await both.settle()

    assert (await both.delivery()).state is State.REFUSED


async def test_an_acknowledgement_of_other_digests_does_not_count(both):
    await both.vt.agree(wrongDigests=True)
    await both.send(melding())
    await both.settle()

    assert len(await both.vt.take()) == 1
    assert (await both.delivery()).state is State.SENT
