"""Codes of secure e-mail: when it may be used, and what became of it."""

from gateway.codes.code import Code, Told, family
from gateway.errors import Malformed, Misconfigured, PolicyViolation

MAILING: tuple[Code, ...] = (
    *family(
        Misconfigured,
        (Told.START,),
        {
            "mail.file": (
                "A file of [email.smime] or [partijen.email] is no certificate in PEM.",
                "Put the certificate there, before those of its authorities.",
            ),
        },
    ),
    *family(
        Misconfigured,
        (Told.OPERATOR,),
        {
            "mail.off": (
                "A letter waits, but secure e-mail is not set up, or not for this party any more.",
                "Look at [email], [email.smime] and [partijen.email] in gateway.toml.",
            ),
        },
    ),
    *family(
        None,
        (Told.OPERATOR,),
        {
            "delivery.there": (
                "Alarm: a partner says that he has what he does not acknowledge; it stays here.",
                "Ask him why; it did not go by e-mail, whatever standing ground there is.",
            ),
            "delivery.twice": (
                "Alarm: a partner acknowledged what went to him by e-mail as well.",
                "Ask him whether he took it in once; his gateway drops the second copy.",
            ),
            "mail.bounced": (
                "A mail server reported that a letter did not arrive.",
                "It goes again by itself; with an alarm: see the status in the trace.",
            ),
            "mail.switched": (
                "The message goes on by secure e-mail.",
                "Nothing: look at the delivery that took its place.",
            ),
            "mail.unproved": (
                "Alarm: letters to a party wait; something was not proved secure.",
                "The code behind it says which check failed; the trace says what was seen.",
            ),
        },
    ),
    *family(
        Malformed,
        (Told.OPERATOR,),
        {
            "mail.report": (
                "A report about a mail (DSN or MDN) is not by its grammar: it closes nothing.",
                "Read it in the mailbox; the letter it is about waits for another receipt.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        (Told.OPERATOR,),
        {
            "mail.onverklaard": (
                "A letter does not leave: no audit row says how it became one.",
                "Somebody changed the database; verify the audit log (`gateway audit verify`).",
            ),
            "mail.al": (
                "The message goes by secure e-mail already.",
                "Look at its trace.",
            ),
            "mail.vernietigd": (
                "The contents of the message were destroyed on schedule.",
                "Ask the sender for it again if it is still needed.",
            ),
            "mail.verteld": (
                "The sender of the message got a Fo01: it knows that it did not arrive.",
                "Ask the sender to send it again, or by e-mail.",
            ),
            "mail.aangekomen": (
                "The partner says that he has the message already.",
                "Wait for his acknowledgement, or ask him.",
            ),
            "mail.afgerond": (
                "The message was delivered, or its recipient refused it.",
                "Nothing: it has no other way to go.",
            ),
            "mail.grond": (
                "E-mail in place of the agreed route needs a ground: onverwijlde spoed.",
                "Give the ground, by the name of who gives it (Regeling JK Jeugdwet art. 3 lid 1).",
            ),
            "mail.niet_nodig": (
                "The agreed route works, and in time.",
                "Wait: e-mail is for when the delivery failed or would come too late.",
            ),
            "mail.onderweg": (
                "The message is being sent over the agreed route this moment.",
                "Try again in a minute.",
            ),
            "mail.partner": (
                "No secure e-mail is set up for this party, or it is the normal route already.",
                "Look at [partijen.email] in gateway.toml.",
            ),
            "mail.toets": (
                "The OM holds the message or did not release it: it goes nowhere.",
                "Wait for the decision of the OM.",
            ),
        },
    ),
)
