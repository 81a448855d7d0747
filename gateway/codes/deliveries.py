"""Codes in the trace of a delivery, and alarms."""

from gateway.codes.code import Code, Told, family
from gateway.errors import (
    CertificateRejected,
    GatewayError,
    IllegalTransition,
    Misconfigured,
    NoRoute,
    OutcomeUnknown,
    PeerUnreachable,
    PolicyViolation,
    StaleSnapshot,
)

_TRACE = (Told.OPERATOR,)
_COMMAND = (Told.OPERATOR,)

DELIVERIES: tuple[Code, ...] = (
    *family(
        PeerUnreachable,
        _TRACE,
        {
            "peer.timeout": (
                "The partner did not take the connection in time.",
                "It is tried again. Look at network and firewall if it lasts.",
            ),
            "peer.tls": (
                "The partner refused the TLS connection.",
                "He does not trust our certificate: has it expired, is it in the CPA?",
            ),
            "peer.unreachable": (
                "There is no connection to the partner.",
                "It is tried again. Look at address, network and firewall if it lasts.",
            ),
        },
    ),
    *family(
        CertificateRejected,
        _TRACE,
        {
            "peer.certificate": (
                "The partner's server certificate is not trusted.",
                "Check anchors and intermediates, and whether the address is the partner's.",
            ),
        },
    ),
    *family(
        OutcomeUnknown,
        _TRACE,
        {
            "answer.lost": (
                "The connection broke before an answer came: the message may have arrived.",
                "Duplicate detection settles it by a retry; else a person decides.",
            ),
            "answer.size": (
                "The partner's answer was too large: the message may have arrived.",
                "Ask the partner what his system answered.",
            ),
            "answer.timeout": (
                "No answer came in time: the message may have arrived.",
                "Duplicate detection settles it by a retry; else a person decides.",
            ),
            "message.gone": (
                "A message that was known is not in the store any more.",
                "Look whether a backup was put back.",
            ),
        },
    ),
    *family(
        StaleSnapshot,
        _TRACE,
        {
            "claim.lost": (
                "The delivery is no longer this worker's.",
                "Nothing: another process has it.",
            ),
            "epoch.moved": (
                "Agreements, trust or approvals changed meanwhile.",
                "Nothing: it is judged again.",
            ),
        },
    ),
    *family(
        None,
        _TRACE,
        {
            "ack.overdue": (
                "No acknowledgement came within the interval of the agreement.",
                "It is sent again, where the agreement allows.",
            ),
            "decision.stopped": (
                "A person gave the delivery up.",
                "The reason is in the audit log.",
            ),
            "delivery.expired": (
                "The lifetime of the message passed.",
                "Hand it in again with a new referentienummer if it is still needed.",
            ),
            "http.*": (
                "The partner answered with this HTTP status.",
                "503 is tried again; of others the partner must say why.",
            ),
            "worker.lost": ("The process that sent it died.", "Nothing: another took it over."),
            "fo01.sent": (
                "The acknowledgement came after the sender was told that it did not arrive.",
                "Tell the sender that it did.",
            ),
            "bug.*": ("An error that nobody foresaw, by its class.", "Report it, with the log."),
        },
    ),
    *family(
        None,
        (Told.OPERATOR,),
        {
            "answer.missing": (
                "Alarm: a receiver gave no Bv01 or Fo01.",
                "Ask whether the message was processed.",
            ),
            "clock.stepped_back": (
                "Alarm: the clock was put back; nothing leaves under an approval.",
                "If it was ahead and is right now: `gateway alarmen af`. Else set it right.",
            ),
            "exception.expiring": (
                "Alarm: an exception of a partner ends within the days behind the stroke, or has.",
                "Ask the partner to move to the strong algorithm; then take the exception out.",
            ),
            "delivery.dead": (
                "Alarm: a message was given up.",
                "See the code of its last try. A partner who sent it gets a Fo01.",
            ),
            "delivery.late": (
                "Alarm: a message was acknowledged after its sender got a Fo01.",
                "Tell the sender that it did arrive.",
            ),
            "delivery.refused": (
                "Alarm: the partner refused a message with a MessageError.",
                "Look at the ebMS error in the trace, with the partner.",
            ),
            "delivery.unconfirmed": (
                "Alarm: a partner does not acknowledge messages.",
                "Call the partner.",
            ),
            "delivery.unknown": (
                "Alarm: nobody knows whether a message arrived.",
                "Ask the receiver, then `gateway berichten hervat` or `staak`.",
            ),
            "certificate.expiring": (
                "Alarm: a certificate in use ends within the days behind the stroke.",
                (
                    "`gateway certs list` says which; `gateway certs import`, a new CPA, or for "
                    "e-mail the file."
                ),
            ),
            "partner.paused": (
                "Alarm: a person holds what is sent to a partner, and may have forgotten it.",
                "Let it go on as soon as it can: `gateway partners verder`. Terms run on.",
            ),
            "crl.stale": (
                "Alarm: the revocation list of an issuer is stale, or will be within hours.",
                "Fetch the new one and give it to `gateway certs import`.",
            ),
            "epoch_keys.unwritable": (
                "Alarm: no new epoch key can be written; within a day no message comes in.",
                "Mend the rights or the disk of paths.epoch_keys.",
            ),
            "disk.low": ("Alarm: the disk of the database fills up.", "Make room."),
            "partner.down": ("Alarm: a partner can not be reached.", "Call the partner."),
            "delivery.unreadable": (
                "Alarm: a row of a delivery can not be read. It waits a minute, the others go on.",
                "Look who changed the database, and at the version of each process.",
            ),
            "payload.unreadable": (
                "Alarm: the contents of a message can not be read any more; it was given up.",
                "Ask the sender for it again; look at the epoch keys.",
            ),
            "postvak.waiting": (
                "Alarm: a back-end does not collect or confirm its messages.",
                "Look at that system.",
            ),
            "store.trouble": (
                "Alarm: the store could not be written for a while.",
                "It works again; look for the cause.",
            ),
            "undeliverable.untold": (
                "Alarm: the sender of an undelivered message can not be told by a Fo01.",
                "Call the sender.",
            ),
        },
    ),
    *family(
        IllegalTransition,
        _TRACE,
        {
            "bug.transition": (
                "A change of state that the lifecycle does not know.",
                "A bug: report it.",
            ),
        },
    ),
    *family(
        GatewayError,
        (Told.API, Told.OPERATOR),
        {
            "payload.destroyed": (
                "The contents were destroyed on schedule.",
                "Ask the sender for it again if it is still needed.",
            ),
        },
    ),
    *family(
        GatewayError,
        _TRACE,
        {
            "payload.tampered": (
                "A stored payload is not what was stored.",
                "Look at the disk and at who could reach the database.",
            ),
            "epoch_key.destroyed": (
                "The key of these contents was destroyed.",
                "Nothing: that is what destruction is.",
            ),
        },
    ),
    *family(
        NoRoute,
        _COMMAND,
        {
            "partner.afspraak": (
                "There is no CPA in force with this party.",
                "Only a party with an agreement of its own can be asked; perhaps a hub is between.",
            ),
            "partner.onbekend": (
                "No other party has this OIN here.",
                "Look at `gateway partners list`.",
            ),
            "alarm.unknown": ("No alarm with this number is open.", "`gateway alarmen list`."),
            "bericht.unknown": ("There is no message with this id.", "`gateway berichten list`."),
        },
    ),
    *family(
        PolicyViolation,
        _COMMAND,
        {
            "navraag.nooit_verzonden": (
                "The message was never sent: its receiver can not know of it.",
                "Wait for the first attempt.",
            ),
            "opnieuw.niet_geweigerd": (
                "The message was not refused with a Fo01, or was not handed in here.",
                "Only what a back-end here handed in and its receiver refused goes again.",
            ),
            "opnieuw.vervangen": (
                "Another message stands in its place already.",
                "Look at that one: its trace tells how it goes.",
            ),
            "geweigerd.niet": (
                "The message was not refused with a Fo01: nobody has to do anything about it.",
                "`gateway berichten show`.",
            ),
            "geweigerd.klaar": (
                "The refusal was closed, or another message came in the place of this one.",
                "Look at the message: its trace says who did what.",
            ),
            "geweigerd.genomen": (
                "Another operator works on this refusal.",
                "Ask, or take it over; a claim ends by itself after four hours.",
            ),
            "opnieuw.vernietigd": (
                "The content was destroyed at the end of its retention.",
                "Let the back-end hand it in again, with a new referentienummer.",
            ),
            "opnieuw.systeem": (
                "No back-end speaks for the applicatie of the message any more.",
                "Look at [[backends]] in gateway.toml.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        _COMMAND,
        {
            "command.body": ("The request of a command is not one.", "Use the `gateway` command."),
            "command.door": ("--door is missing, too long, or not readable.", "Say who decides."),
            "command.voorwaarde": (
                "A condition is not given as CODE=TEXT, or one to accept is not given.",
                "Give --voorwaarde CODE=TEXT, and its code with --aanvaarding.",
            ),
            "command.reden": ("--reden is missing, too long, or not readable.", "Say why."),
            "decision.expired": (
                "The lifetime of the message passed.",
                "Give it up: `gateway berichten staak`.",
            ),
            "partner.gaat": (
                "What is sent to this partner is not held.",
                "Nothing: it goes on already.",
            ),
            "partner.stil": (
                "A person holds what is sent to this partner already.",
                "Look who and why; nothing more is needed.",
            ),
            "decision.state": (
                "The delivery is not in a state for this decision, or just changed.",
                "`gateway berichten show`, and decide again.",
            ),
            "encryption.algorithm": ("The agreed cipher is forbidden.", "Make a new CPA."),
            "encryption.key": (
                "The receiver's certificate has no RSA key.",
                "The receiver needs another encryption certificate; make a new CPA.",
            ),
        },
    ),
    *family(
        Misconfigured,
        _TRACE,
        {
            "endpoint.scheme": ("The partner's address is not https.", "Make a new CPA."),
            "endpoint.url": ("The partner's address is not valid.", "Make a new CPA."),
        },
    ),
)
