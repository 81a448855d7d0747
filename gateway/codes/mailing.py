"""Codes of secure e-mail: when it may be used, and what became of it."""

from gateway.codes.code import Code, Told, family
from gateway.errors import PolicyViolation

MAILING: tuple[Code, ...] = family(
    PolicyViolation,
    (Told.OPERATOR,),
    {
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
)
