"""Documents that may not cross, and what came before."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway.directory import Limits
from tests.flow import bad_input as bad
from tests.flow import town as towns
from tests.flow.bad_input import Recipe, swap, text
from tests.flow.town import HUB, VT, leaf
from tests.vectors.headers import rename
from tests.vectors.kinds import (
    SECURITY,
    SECURITY_OF_PART,
    Acknowledged,
    Error,
    Fault,
    Fo01,
    Repeated,
    vector,
)
from tests.vectors.markup import FAMILY
from tests.vectors.paths import DATA, OBJECT, STUUR
from tests.vectors.topics import Topic


def synchronous(name: str) -> bytes:
    """A Bv01 under the name of an answer that StUF gives in the same connection."""
    answer = (bad.EXAMPLES / "Bv01Bericht.xml").read_bytes()
    return answer.replace(b"Bv01Bericht", name.encode())


def agreeing_to(action: str) -> Callable[[], dict[str, Any]]:
    """The hub's CPA of the politie lets it send `action` in the place of a melding."""

    def changes() -> dict[str, Any]:
        plain = dict(towns.directory(HUB).agreements)
        agreed = plain[bad.agreement().cpa_id]
        bindings = tuple(
            replace(b, action=action) if b.action == "vtMeldingDi01" else b for b in agreed.bindings
        )
        return {"agreements": plain | {agreed.cpa_id: replace(agreed, bindings=bindings)}}

    return changes


PAYLOAD = (
    vector(
        "payload_too_large",
        Topic.OVERSIZE,
        "payload.too_large",
        Error("Unknown", "//Body/Manifest"),
        hub=lambda: {"limits": Limits(payload_bytes=1_000)},
    ),
    vector(
        "two_payloads",
        Topic.DOCUMENT,
        "payload.count",
        Error("OtherXml", "//Body/Manifest"),
        second=b"<second/>",
    ),
    vector(
        "element_missing",
        Topic.DOCUMENT,
        "schema.verplicht",
        Fo01("StUF055", "datumIncident"),
        document=swap("<JZ:datumIncident>20261117</JZ:datumIncident>", ""),
    ),
    vector(
        "element_unknown",
        Topic.DOCUMENT,
        "schema.element",
        Fo01("StUF055", OBJECT),
        document=swap(FAMILY, f"{FAMILY}<BG:onbekend>Proefpersoon</BG:onbekend>"),
    ),
    vector(
        "value_of_wrong_form",
        Topic.DOCUMENT,
        "schema.waarde",
        Fo01("StUF055", f"{OBJECT}/datumIncident"),
        document=swap("20261117</JZ:datumIncident>", "Proefpersoon</JZ:datumIncident>"),
    ),
    vector(
        "bsn_fails_elfproef",
        Topic.DOCUMENT,
        "regel.bsn.elfproef",
        Fo01("JZ-003", "inp.bsn"),
        document=swap("999990019", "999990018"),
    ),
    vector(
        "date_does_not_exist",
        Topic.DOCUMENT,
        "regel.datum.bestaat",
        Fo01("JZ-004", f"{OBJECT}/datumIncident"),
        document=swap("20261117</JZ:datumIncident>", "20260230</JZ:datumIncident>"),
    ),
    vector(
        "stuurgegevens_missing",
        Topic.DOCUMENT,
        "stuf.stuurgegevens",
        Fo01("StUF055", f"{STUUR}/referentienummer"),
        document=swap("<StUF:referentienummer>ref-1</StUF:referentienummer>", ""),
    ),
    vector(
        "root_of_unknown_namespace",
        Topic.NAMESPACES,
        "stuf.root",
        Fo01("StUF055"),
        document=swap("koppelvlak/jz0100", "koppelvlak/other"),
    ),
    vector(
        "wrong_answer_is_not_answered",
        Topic.DOCUMENT,
        "xml.malformed",
        Acknowledged(),
        action="Bv01Bericht",
        document=lambda _o: b"Bv01",
        says="a Bv01 that is no XML: an answer is never answered",
    ),
    *(
        vector(
            f"{name}_is_not_answered",
            Topic.DOCUMENT,
            "bericht.onbekend",
            Acknowledged(),
            **rename(action=name),
            document=lambda _o, name=name: synchronous(name),
            hub=agreeing_to(name),
            more="the agreement has to let it through",
        )
        for name in ("Fo03Bericht", "Bv03Bericht", "Bv04Bericht")
    ),
)


# --- what came before -----------------------------------------------------------------

GOOD = Recipe()

REPLAYS = (
    vector(
        "message_id_with_other_content",
        Topic.DUPLICATE,
        "duplicate.message_id",
        Error("Inconsistent", "//Header/MessageHeader/MessageData/MessageId"),
        before=GOOD,
        document=swap("Verzonnenstad", "Verzonnendorp"),
    ),
    vector(
        "message_id_with_other_header",
        Topic.DUPLICATE,
        "duplicate.message_id",
        Error("Inconsistent", "//Header/MessageHeader/MessageData/MessageId"),
        before=GOOD,
        **rename(conversation_id="other"),
    ),
    vector(
        "message_id_with_other_content_unsigned",
        Topic.DUPLICATE,
        "duplicate.message_id",
        Error("Inconsistent", "//Header/MessageHeader/MessageData/MessageId"),
        before=Recipe(profile="osb-rm"),
        profile="osb-rm",
        document=swap("Verzonnenstad", "Verzonnendorp"),
        says="message id with other content, where nothing is signed",
    ),
    vector(
        "tampered_copy_of_a_known_message",
        Topic.DUPLICATE,
        "signature.digest",
        SECURITY_OF_PART,
        before=GOOD,
        payload=swap("Proefpersoon", "Proefpersoos"),
    ),
    vector(
        "referentienummer_with_other_content",
        Topic.DUPLICATE,
        "duplicate.referentienummer",
        Fo01("StUF016"),
        before=GOOD,
        document=swap("Verzonnenstad", "Verzonnendorp"),
        **rename(message_id="melding-2@politie.example"),
        more="with the same MessageId it is another fault",
    ),
    vector("sent_twice", Topic.REPLAY, "", Repeated(), before=GOOD),
    vector(
        "sent_again_after_its_time_to_live",
        Topic.REPLAY,
        "",
        Repeated(),
        before=GOOD,
        at=timedelta(hours=2),
    ),
    vector(
        "sent_again_by_another_party",
        Topic.REPLAY,
        "peer.oin",
        Fault(),
        before=GOOD,
        peer=lambda: leaf(VT, "tls").certificate,
    ),
    vector(
        "sent_again_with_a_new_message_id",
        Topic.REPLAY,
        "signature.digest",
        SECURITY,
        before=GOOD,
        signed=text(f"{DATA}/eb:MessageId", "melding-2@politie.example"),
    ),
    vector(
        "sent_again_to_live_longer",
        Topic.REPLAY,
        "signature.digest",
        SECURITY,
        before=GOOD,
        signed=text(f"{DATA}/eb:TimeToLive", "2027-11-24T10:00:00.000Z"),
    ),
    vector(
        "message_id_with_other_header_unsigned",
        Topic.DUPLICATE,
        "duplicate.message_id",
        Error("Inconsistent", "//Header/MessageHeader/MessageData/MessageId"),
        before=Recipe(profile="osb-rm"),
        profile="osb-rm",
        **rename(conversation_id="other"),
        says="message id with other header, where nothing is signed",
    ),
)
