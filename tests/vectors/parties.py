"""Certificates, parties and agreements that do not fit what is sent."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.message import Oin, PartyRef
from tests.flow import bad_input as bad
from tests.flow import town as towns
from tests.flow.bad_input import melding, swap
from tests.flow.town import HALT, HUB, NOW, OM, POLITIE, VT, leaf
from tests.vectors.headers import rename
from tests.vectors.kinds import SECURITY, Error, Fault, Fo01, Vector, vector
from tests.vectors.paths import STUUR
from tests.vectors.topics import Topic

# --- certificates ---------------------------------------------------------------------


def signer(what: str, topic: Topic, code: str) -> Vector:
    recipe, hub = bad.signed_with(what)
    return Vector(
        name=f"signer_{what}",
        topic=topic,
        code=code,
        answer=SECURITY,
        recipe=recipe,
        more="the agreement names the certificate that is wrong",
        hub=hub,
    )


def peer(what: str, topic: Topic, code: str) -> Vector:
    return vector(
        f"peer_{what}",
        topic,
        code,
        Fault(),
        peer=lambda: bad.bad_leaf(what, "tls").certificate,
        more="the revocation lists are newer than the certificate",
        hub=bad.fresh_trust,
    )


CERTIFICATES = (
    signer("expired", Topic.EXPIRED, "certificate.expired"),
    signer("revoked", Topic.REVOKED, "certificate.revoked"),
    signer("not_yet_valid", Topic.NOT_YET_VALID, "certificate.not_yet_valid"),
    signer("unknown_issuer", Topic.UNTRUSTED, "certificate.untrusted"),
    signer("other_oin", Topic.OIN, "certificate.party"),
    signer("other_use", Topic.WRONG_USE, "certificate.usage"),
    peer("expired", Topic.EXPIRED, "certificate.expired"),
    peer("revoked", Topic.REVOKED, "certificate.revoked"),
    peer("not_yet_valid", Topic.NOT_YET_VALID, "certificate.not_yet_valid"),
    peer("unknown_issuer", Topic.UNTRUSTED, "certificate.untrusted"),
    peer("other_use", Topic.WRONG_USE, "certificate.usage"),
    peer("no_oin", Topic.OIN, "certificate.oin"),
    vector(
        "peer_unreadable",
        Topic.UNTRUSTED,
        "certificate.malformed",
        Fault(),
        peer=lambda: b"no certificate",
        says="the TLS certificate is none",
    ),
    vector(
        "revocation_list_stale",
        Topic.UNTRUSTED,
        "certificate.revocation_unknown",
        Fault(503),
        hub=bad.stale_lists,
    ),
    vector(
        "revocation_list_absent",
        Topic.UNTRUSTED,
        "certificate.revocation_unknown",
        Fault(503),
        hub=lambda: {"trust": replace(towns.pki().trust(), crls=())},
    ),
    vector(
        "party_suspended",
        Topic.SUSPENDED,
        "party.suspended",
        Fault(503),
        hub=lambda: {"suspended": frozenset({POLITIE})},
    ),
)


# --- who, with whom, what -------------------------------------------------------------


def known(zender: Oin = POLITIE, ontvanger: Oin = VT) -> Any:
    return lambda _octets: melding(zender=zender, ontvanger=ontvanger)


def not_in_force() -> dict[str, Any]:
    plain = towns.directory(HUB).agreements
    agreed = bad.agreement()
    return {"agreements": {**plain, agreed.cpa_id: replace(agreed, end=NOW)}}


def without_agreement(oin: Oin) -> Callable[[], dict[str, Any]]:
    def changes() -> dict[str, Any]:
        plain = towns.directory(HUB).agreements
        return {"agreements": {k: a for k, a in plain.items() if k != bad.agreement(oin).cpa_id}}

    return changes


PARTIES = (
    vector(
        "peer_is_not_sender",
        Topic.OIN,
        "peer.oin",
        Fault(),
        peer=lambda: leaf(VT, "tls").certificate,
        says="the TLS certificate is of another party than From",
    ),
    vector(
        "sender_not_in_agreement",
        Topic.OIN,
        "agreement.party",
        Fault(),
        **rename(sender=PartyRef(VT)),
        says="From is not a party of the CPA",
    ),
    vector(
        "receiver_not_here",
        Topic.OIN,
        "agreement.receiver",
        Fault(),
        **rename(receiver=PartyRef(VT)),
        says="To is not a party here",
    ),
    vector(
        "sender_of_other_type",
        Topic.OIN,
        "agreement.party",
        Fault(),
        **rename(sender=PartyRef(POLITIE, "urn:other")),
        says="the type of the PartyId is another than in the CPA",
    ),
    vector("unknown_cpa", Topic.CPA, "agreement.unknown", Fault(), **rename(cpa_id="cpa_unknown")),
    vector(
        "cpa_of_others",
        Topic.CPA,
        "agreement.party",
        Fault(),
        **rename(cpa_id=bad.agreement(VT).cpa_id),
        says="the CPA of other parties",
    ),
    vector("cpa_ended", Topic.CPA, "agreement.not_in_force", Fault(), hub=not_in_force),
    vector(
        "unknown_action",
        Topic.ACTION,
        "agreement.action",
        Error("ValueNotRecognized", "//Header/MessageHeader/Action"),
        **rename(action="otherDi01"),
    ),
    vector(
        "action_of_the_other_side",
        Topic.ACTION,
        "agreement.action",
        Error("ValueNotRecognized", "//Header/MessageHeader/Action"),
        **rename(action="vtTerugkoppelingDi01"),
        says="an action that only the other side may send",
    ),
    vector(
        "unknown_service",
        Topic.SERVICE,
        "agreement.action",
        Error("ValueNotRecognized", "//Header/MessageHeader/Service"),
        **rename(service="other"),
    ),
    vector(
        "action_is_not_the_root",
        Topic.ACTION,
        "bericht.actie",
        Fo01("StUF034", "/vtTerugkoppelingDi01"),
        document=lambda _o: melding(name="vtTerugkoppelingDi01"),
        says="the payload is another message than the Action says",
    ),
    vector(
        "zender_is_not_the_connection",
        Topic.OIN,
        "regel.zender.organisatie",
        Fo01("StUF013", f"{STUUR}/zender/organisatie"),
        document=known(zender=HALT),
        says="stuurgegevens/zender is another than the sending party",
    ),
    vector(
        "direction_not_permitted",
        Topic.ADDRESS,
        "regel.richting",
        Fo01("StUF052", f"{STUUR}/ontvanger/organisatie"),
        document=known(ontvanger=OM),
    ),
    vector(
        "ontvanger_unknown",
        Topic.ADDRESS,
        "regel.ontvanger.onbekend",
        Fo01("StUF010", f"{STUUR}/ontvanger/organisatie"),
        document=known(ontvanger=Oin("00000001999999999000")),
    ),
    vector(
        "ontvanger_has_no_agreement",
        Topic.ADDRESS,
        "route.agreement",
        Fo01("StUF010", f"{STUUR}/ontvanger/organisatie"),
        hub=without_agreement(VT),
    ),
    vector(
        "applicatie_unknown",
        Topic.ADDRESS,
        "regel.ontvanger.applicatie",
        Fo01("StUF010", f"{STUUR}/ontvanger/applicatie"),
        document=swap("VTregistratie<", "Onbekend<"),
    ),
    vector(
        "message_of_our_own",
        Topic.OIN,
        "peer.oin",
        Fault(),
        says="it names us as its sender, as if one of ours came back",
        **rename(sender=PartyRef(HUB)),
    ),
)
