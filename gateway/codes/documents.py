"""Codes about a document: what it is, for whom, and whether it may leave."""

from gateway.codes.code import Code, Told, family
from gateway.errors import (
    DuplicateConflict,
    Malformed,
    NoRoute,
    PolicyViolation,
    SchemaViolation,
    TooLarge,
)

_SENDER = (Told.API, Told.FO01)
_BACK_END = (Told.API,)
_GATE = (Told.API, Told.OPERATOR)

DOCUMENTS: tuple[Code, ...] = (
    *family(
        Malformed,
        _SENDER,
        {
            "xml.attributes": (
                "An element has more than 64 attributes and namespace declarations.",
                "Declare namespaces once, at the root.",
            ),
            "xml.depth": (
                "Elements stand more than 64 deep in each other.",
                "Look for elements that are not closed.",
            ),
            "xml.doctype": ("The document has a DTD.", "Leave the DTD out."),
            "xml.encoding": (
                "The document is not in UTF-8.",
                "Write UTF-8 (US-ASCII is a part of it) and say so in the XML declaration.",
            ),
            "xml.malformed": (
                "The document is not well-formed XML.",
                "Let the sending system parse its own document; the text names line and column.",
            ),
            "xml.nodes": (
                "The document has more than 2,000,000 elements, comments and instructions.",
                "Divide the contents over more messages.",
            ),
            "xml.size": (
                "The document is larger than `limits.payload_bytes`.",
                (
                    "Make documents smaller or divide them over more messages; never by an "
                    "insecure way."
                ),
            ),
            "stuf.root": (
                "The root element is in none of the namespaces of the koppelvlak.",
                "Use the namespaces of StUF 3.01 and of the koppelvlak Jeugdzorg.",
            ),
            "stuf.stuurgegevens": (
                "An element of the stuurgegevens is missing, empty, or there twice.",
                "Fill each element once; the place is named.",
            ),
            "toets.form": (
                "An element of a message of the OM gate is missing, there twice, or not readable.",
                "Follow schemas/toets-1; the place is named.",
            ),
            "toets.inhoud": (
                "The payload in a request to the OM is empty or no base64.",
                "Put the octets of the payload there as base64, without other characters.",
            ),
        },
    ),
    *family(
        Malformed,
        (Told.OPERATOR,),
        {
            "stuf.fout": (
                "A Fo01 was to be made with a field that its schema does not allow.",
                "A bug: report it.",
            ),
            "stuf.tijdstip": (
                "A StUF moment does not exist; inside, it becomes a finding of a rule.",
                "See the rules JZ-016 and JZ-020.",
            ),
        },
    ),
    *family(
        SchemaViolation,
        _SENDER,
        {
            "bericht.onbekend": (
                "The catalogue does not have this message in the agreed version.",
                "Use a message and version that were agreed with this party.",
            ),
        },
    ),
    *family(
        SchemaViolation,
        _BACK_END,
        {
            "weigering.vorm": (
                "The body of a refusal of a postvak item is not as described.",
                "Give code (at most 7 characters), omschrijving (200) and details (1000).",
            ),
        },
    ),
    *family(
        PolicyViolation,
        (Told.FO01,),
        {
            "bericht.actie": (
                "The document is another message than the Action of the envelope names.",
                "Put the name of the root element in eb:Action.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        _BACK_END,
        {
            "aanlevering.verwijzing": (
                "`deelVan` or `vervangt` names no message of this zender and applicatie.",
                "Give the referentienummer of a message that was handed in here before.",
            ),
            "bericht.antwoord": (
                "A Bv01 or Fo01 was handed in.",
                "Confirm or refuse in the postvak: the gateway makes the answer.",
            ),
            "toets.eigen": (
                "A message of the OM gate was handed in.",
                "Hand in the message itself: what is held is put to the OM by the gateway.",
            ),
            "zender.applicatie": (
                "The zender's applicatie is not one of this back-end's.",
                "Use an applicatie that stands in its `[[backends]]`, or add it there.",
            ),
            "zender.organisatie": (
                "The zender is not the party that this back-end works for.",
                "Put the own OIN in zender/organisatie.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        _GATE,
        {
            "gate.wpg_article": (
                "Data under article 9 or 10 of the Wpg may not leave this way.",
                "Consult the privacy officer; do not change the article to get it through.",
            ),
        },
    ),
    *family(
        None,
        _GATE,
        {
            "gate.bericht": (
                "Held: the classification table does not name this message.",
                "An officer of the OM decides, or the OM extends the table.",
            ),
            "gate.grond": (
                "Held: the ground of its release is not known.",
                "An officer of the OM decides.",
            ),
            "gate.onderzoek": (
                "Held: a criminal investigation runs.",
                "An officer of the OM decides.",
            ),
            "gate.onderzoek.onbekend": (
                "Held: the hand-in did not say whether a criminal investigation runs.",
                "Give `onderzoek` with the hand-in.",
            ),
            "gate.toestemming": (
                "Held: no standing approval covers this message to this receiver.",
                "An officer of the OM decides, or a standing approval is registered.",
            ),
            "gate.toestemming.voorwaarden": (
                "Held: the standing approval has conditions that the receiver can not be told.",
                "Agree on verstrekkingsvoorwaardenDi01 in the CPA, or an officer decides.",
            ),
            "gate.toestemming.vervallen": (
                "Held again: the standing approval of its release is no longer valid.",
                "An officer of the OM decides, or a new standing approval is registered.",
            ),
            "gate.wpg_artikel.onbekend": (
                "Held: the hand-in did not say under which article of the Wpg the data fall.",
                "Give `wpgArtikel` with the hand-in.",
            ),
            "gate.individueel": (
                "Held: the contents need a decision of their own.",
                "An officer of the OM decides.",
            ),
            "gate.onduidelijk": (
                "Held: the table can not tell what the contents are.",
                "An officer of the OM decides.",
            ),
            "gate.wpg_artikel.uitzondering": (
                "Held: data under article 9 or 10 of the Wpg, which an agreement lets by.",
                "An officer of the OM decides.",
            ),
            "gate.niet-geclassificeerd": (
                "Held: the message was not classified, or is not the one that was released.",
                "An officer of the OM decides.",
            ),
            "gate.geen-doorlopende-toestemming": (
                "Held: the standing approval of its release is gone.",
                "An officer of the OM decides, or a standing approval is registered.",
            ),
            "gate.lopend-onderzoek": (
                "Held: a criminal investigation runs.",
                "An officer of the OM decides.",
            ),
        },
    ),
    *family(
        NoRoute,
        _SENDER,
        {
            "route.agreement": (
                "No agreement (CPA) in force carries this message to the receiver.",
                (
                    "Ask the knooppunt whether the receiver takes this message in this version; "
                    "look at the period of the CPA."
                ),
            ),
            "route.applicatie": (
                "The receiver has no applicatie of this name.",
                "Use the name that the receiver gave up.",
            ),
            "route.loop": (
                "The message would go back to where it came from.",
                "Check the receiver, and the agreements of the knooppunt.",
            ),
            "route.unknown": (
                "The receiver is not named, or is not a party here.",
                "Check the OIN in ontvanger/organisatie.",
            ),
        },
    ),
    *family(
        DuplicateConflict,
        _SENDER,
        {
            "duplicate.referentienummer": (
                "The referentienummer was used before for other contents.",
                "Give every message its own number. To repeat a message, send the same octets.",
            ),
        },
    ),
    *family(
        DuplicateConflict,
        _BACK_END,
        {
            "duplicate.aanlevering": (
                "This message was handed in before with other facts about acuut, onderzoek or Wpg.",
                "Repeat it with the same facts, or give it a new referentienummer.",
            ),
        },
    ),
    *family(
        TooLarge,
        _BACK_END,
        {
            "size.payload": (
                "The document is larger than `limits.payload_bytes`.",
                "Make documents smaller or divide them over more messages.",
            ),
            "size.request": (
                "The body of the request is too large.",
                "Send only what the interface asks for.",
            ),
        },
    ),
)
