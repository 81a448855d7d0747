"""Codes of the OM gate: requests, decisions, officers, and what the OM confirmed."""

from gateway.codes.code import Code, Told, family
from gateway.errors import (
    Malformed,
    Misconfigured,
    NoRoute,
    PolicyViolation,
    SchemaViolation,
    Unavailable,
)

_HOLDER = (Told.FO01, Told.OPERATOR)
_DESK = (Told.API, Told.OPERATOR)
_TRACE = (Told.OPERATOR,)
_START = (Told.START, Told.OPERATOR)
_ASK = "Let an officer decide on the request as it stands now."
_CONFIRM = "Propose it to the OM again: gateway toetsing voorstel."

TOETS: tuple[Code, ...] = (
    *family(
        PolicyViolation,
        _HOLDER,
        {
            "toets.besluit.gesloten": (
                "The request was decided on before, or is over.",
                "Nothing: the first decision counts.",
            ),
            "toets.besluit.inhoud": (
                "The decision is about other octets than those that are held.",
                _ASK,
            ),
            "toets.besluit.los": (
                "There is no request that this decision answers.",
                "Decide on a request that was received; a decision is for one request.",
            ),
            "toets.besluit.moment": (
                "The decision was taken later than now.",
                "Compare the clocks of both installations.",
            ),
            "toets.besluit.ontvanger": ("The decision is not for this receiver.", _ASK),
            "toets.besluit.partij": (
                "The decision is not signed and sent by the OM that was asked.",
                "Only the party that was asked decides; look at toets.om in gateway.toml.",
            ),
            "toets.besluit.tabel": (
                "The decision rests on another version of the classification table.",
                _ASK,
            ),
            "toets.besluit.vreemd": (
                "The decision that is withdrawn is not known here.",
                "Send the withdrawal to whoever holds the message.",
            ),
            "toets.geen_vrijgave": (
                "A refusal is withdrawn: there is nothing to take back.",
                "Hand the message in again; it is put to the OM anew.",
            ),
            "toets.richting": (
                "Requests are not decided on here.",
                "Send it to the OM: look at toets.om and the agreements.",
            ),
            "toets.te_laat": (
                "The decision was withdrawn when the message was on its way already.",
                "Ask the receiver not to use it; no further attempt is made.",
            ),
            "toets.verzoek.vreemd": (
                "The request that is withdrawn is not known here.",
                "Nothing: there is nothing to decide.",
            ),
            "toets.voorwaarden.geen_route": (
                "The receiver can not be told the conditions.",
                "Agree on verstrekkingsvoorwaardenDi01 in the CPA, or decide without conditions.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        _DESK,
        {
            "toets.besluit.duur": (
                "A decision is valid until a moment within 31 days.",
                "Give another end.",
            ),
            "toets.besluit.grond": (
                "The ground of a decision is missing, too long, or has control characters.",
                "Give it in at most 2,000 characters.",
            ),
            "toets.besluit.melding": (
                "A refusal needs a ground that the sender may be told.",
                "Give it, in words that give nothing away.",
            ),
            "toets.besluit.veranderd": (
                (
                    "Alarm: the row of a decision that waits for a second officer "
                    "is not what the first proposed, or that was taken back."
                ),
                "Do not confirm it; decide anew. Find out who changed the database.",
            ),
            "toets.besluit.verlopen": (
                "The decision is over.",
                _ASK,
            ),
            "toets.besluit.vier_ogen": (
                "Who asks, decides and confirms must be different people.",
                "Let another officer do it.",
            ),
            "toets.besluit.voorwaarden": (
                (
                    "Conditions go with a release under conditions, each with a code of its own "
                    "and a text, without control characters."
                ),
                "Give at least one, at most twenty.",
            ),
            "toets.doel": (
                "Whoever reads what is held says what for.",
                "Give the purpose in 3 to 200 characters.",
            ),
            "toets.genomen": (
                "Another officer has taken the request.",
                "Wait until it is let go, or ask that officer.",
            ),
            "toets.gesloten": ("The request is closed.", "Nothing: look at what was decided."),
            "toets.officier.mandaat": (
                "The mandate of the officer does not hold today.",
                "Look at [[officieren]] in gateway.toml.",
            ),
            "toets.officier.namens": (
                "The system may not act for this officer.",
                "Name the officer in backends.officieren of gateway.toml.",
            ),
            "toets.officier.onbekend": (
                "The officer is not known here.",
                "Name the officer in [[officieren]] of gateway.toml.",
            ),
            "toets.officier.parket": (
                "The request is with another parket.",
                "Let that parket decide, or set waarneming or piket.",
            ),
            "toets.gewijzigd": (
                "The request changed since its page was opened, or was decided.",
                "Open it again; what was filled in is kept.",
            ),
            "toets.reden": ("A reason is missing.", "Give it in 3 to 200 characters."),
            "toets.status": (
                "The decision is not in a state in which this can be done.",
                "Look at its status.",
            ),
            "toets.verzoek.veranderd": (
                "Alarm: the row of a request is not what the holder sent.",
                "Nothing is read or decided on it. Find out who changed the database.",
            ),
            "toets.vier_ogen": (
                "Who asks does not decide, and who decides does not confirm; nor does one login.",
                "Let another officer do it.",
            ),
            "toets.wacht_op_tweede": (
                "A decision waits for its second officer.",
                "Confirm it, or let a second officer not confirm it.",
            ),
        },
    ),
    *family(
        NoRoute,
        _DESK,
        {
            "toets.besluit.onbekend": ("There is no such decision here.", "Look in the list."),
            "toets.verzoek.onbekend": ("There is no such request here.", "Look in the list."),
            "toetsing.onvindbaar": ("There is no such confirmation here.", "Look in the list."),
        },
    ),
    *family(
        SchemaViolation,
        (Told.API,),
        {
            "toets.vorm": (
                "The JSON of a decision is not as it should be.",
                "Look at the OpenAPI document.",
            ),
        },
    ),
    *family(
        Unavailable,
        (*_DESK, Told.EBMS),
        {
            "clock.stepped": (
                "The clock went back: nothing is released until it is right.",
                "Put the clock right; see docs/operations.md.",
            ),
            "toets.moved": (
                "What was decided on changed at the same moment.",
                "It is thought about again; try again.",
            ),
        },
    ),
    *family(
        NoRoute,
        _TRACE,
        {
            "toets.geen_om": (
                "There is not exactly one party that decides on this sender's messages from here.",
                "Set toets.om in gateway.toml; see whether the row of the message was edited.",
            ),
        },
    ),
    *family(
        None,
        _TRACE,
        {
            "gate.besluit.vervallen": (
                "Held again: no decision of the OM holds for these octets now.",
                "The OM is asked again.",
            ),
            "gate.bevestiging": (
                "Held: no classification table that the OM confirmed is in force.",
                _CONFIRM,
            ),
            "gate.unconfirmed": (
                "The OM has not confirmed what the gate goes by.",
                _CONFIRM,
            ),
            "toets.geen_route": (
                "Alarm: the OM can not be asked.",
                "Agree with the OM on opsporingsbelangVerzoekDi01, directly or through the hub.",
            ),
            "toets.ingetrokken": (
                "The OM withdrew its decision.",
                "Nothing: it is held, and asked about again.",
            ),
            "toets.niet_aanvaard": (
                "The receiver did not accept the conditions.",
                "Nothing: the OM is asked again.",
            ),
            "toets.niet_vrijgegeven": (
                "The OM did not release the message.",
                "The duty to answer stays open: answer without these data.",
            ),
            "toets.terug": (
                "The OM sent the message back to its sender.",
                "Reduce it and hand it in again under a new referentienummer.",
            ),
            "toets.termijn": ("The time for a decision is nearly over.", "Call the OM."),
            "toets.verzoek": (
                "Alarm: a request waits too long for an officer here.",
                "Decide on it, or let the piket do so.",
            ),
            "gate.closed": (
                "Alarm: the gate is closed; everything but what goes to the OM is held.",
                "See its reason: import a fresh revocation list, or let the OM confirm again.",
            ),
            "gate.marks_owed": (
                "Alarm: what was withdrawn or accepted stands in its row only, without a mark.",
                "Mend the rights or the disk of paths.epoch_keys; before that process stops.",
            ),
            "gate.marks_lost": (
                "Alarm: marks of what the OM withdrew were gone, and were put back by the rows.",
                "Find out who took files away. Once after an upgrade: these had none before.",
            ),
            "gate.unproven": (
                "Alarm: a row of a postvak says that it is free, and its octets do not.",
                "Nothing of it is shown. Check the audit chain, and who changed the database.",
            ),
            "toets.wacht": (
                "Alarm: a message waits too long for the OM.",
                "Call the OM. Silence releases nothing.",
            ),
        },
    ),
    *family(
        Malformed,
        _START,
        {
            "bevestiging.vorm": (
                "The file is not a confirmation of what the gate goes by.",
                "Ask the OM for the file that gateway toetsing bevestig wrote.",
            ),
        },
    ),
    *family(
        Misconfigured,
        _START,
        {
            "gate.role": (
                "The own party had a gate that the OM confirmed, and its role is politie no more.",
                "Set partijen.rol back; another party is another installation.",
            ),
            "gate.confirmation.certificate": (
                "The certificate under the confirmation is not trusted.",
                "Look at anchors and intermediates, or ask the OM to sign again.",
            ),
            "gate.confirmation.ended": ("The confirmation has ended.", _CONFIRM),
            "gate.confirmation.files": (
                "Table or approvals are not those that the OM confirmed.",
                "Put the confirmed files back, or let the OM confirm these.",
            ),
            "gate.confirmation.future": (
                "The confirmation was made later than now.",
                "Compare the clocks of both installations.",
            ),
            "gate.confirmation.malformed": (
                "The file is not a confirmation.",
                "Ask the OM for the file that gateway toetsing bevestig wrote.",
            ),
            "gate.confirmation.nowhere": (
                "A confirmation was to be placed where no gate stands.",
                "Place it at the politie, or at a knooppunt with partijen.toets.",
            ),
            "gate.confirmation.officer": (
                "The officer had no mandate when this was confirmed.",
                "Let an officer with a mandate confirm it.",
            ),
            "gate.confirmation.older": (
                "A later confirmation counted here already.",
                "Place the newest one; an earlier one does not come back.",
            ),
            "gate.confirmation.police": (
                "The confirmation is for another police.",
                _CONFIRM,
            ),
            "gate.confirmation.revoked": (
                "The certificate under the confirmation was revoked.",
                _CONFIRM,
            ),
            "gate.confirmation.signature": (
                "The signature under the confirmation is not right.",
                "Ask the OM for the file as it was signed.",
            ),
            "gate.confirmation.signer": (
                "The confirmation was not signed by the OM.",
                "Only a party with rol om confirms.",
            ),
            "gate.confirmation.version": (
                "The confirmation is for another version of the table.",
                _CONFIRM,
            ),
            "toets.geen_ondertekening": (
                "No agreement in force names a certificate of the own party that signs.",
                "Make a CPA in a profile that signs.",
            ),
            "toetsing.bundle": (
                "It is not a proposal of gateway toetsing, or was changed afterwards.",
                _CONFIRM,
            ),
            "toetsing.politie": (
                "The proposal is of a party that is no police here.",
                "Look at its OIN under [[partijen]] and in the proposal.",
            ),
            "toetsing.tweede_officier": (
                "A standing approval would let go what here takes a second officer each time.",
                "Have the category taken out of the approval, or out of toets.tweede_officier.",
            ),
            "toetsing.tot": (
                "The confirmation would end in the past, or too late.",
                "Choose another --tot.",
            ),
            "toetsing.exists": ("It is there already.", "Choose another name."),
            "toetsing.om": (
                "Only the OM confirms.",
                "Run it in the OM's own installation.",
            ),
            "toetsing.path": (
                "There is no place for a confirmation.",
                "Set paths.confirmation in gateway.toml.",
            ),
        },
    ),
)
