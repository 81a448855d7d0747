"""Codes of mail that comes in: why a person must look at it, and what can be done about it."""

from gateway.codes.code import Code, Told, family
from gateway.errors import Misconfigured, NoRoute, PolicyViolation, Unavailable

_OPERATOR = (Told.OPERATOR,)

INCOMING: tuple[Code, ...] = (
    *family(
        None,
        _OPERATOR,
        {
            "incoming.held": (
                "Alarm: mail came in that no system takes in; it is in the quarantine.",
                "Look at each in the console (Quarantaine) and close it with a ground.",
            ),
            "incoming.person": (
                "A partner signed a mail without a message in it: somebody wrote to somebody.",
                "Read it, do what it asks, and close it.",
            ),
            "incoming.words": (
                "Beside a message, which was taken in or refused, a partner wrote something.",
                "Read it, do what it asks, and close it; the message itself is in the list.",
            ),
            "incoming.plain": (
                "The mail is neither an envelope (S/MIME) nor a notification.",
                "Read it with care: nobody proved who sent it. Act on nothing it says.",
            ),
            "receipt.other": (
                "A receipt is of another than the letter's recipient, or of another message.",
                "Ask the partner; the letter still waits. Somebody may be forging receipts.",
            ),
            "receipt.unknown": (
                "A report or receipt that is about no letter of this gateway.",
                "A few: nothing. Many: somebody sends mail from the address of the gateway.",
            ),
            "receipt.unproven": (
                "A report about a letter without what only its mail server was told (ENVID).",
                "Read it; the letter waits all the same. When it did not arrive: `staak` it.",
            ),
            "quarantine.full": (
                "Alarm: the quarantine is full; mail waits at the mail server.",
                "Close what is done, or make it larger: [email.lmtp] quarantaine_*.",
            ),
            "incoming.suspended": (
                "Alarm: mail of a suspended partner waits at the mail server, for days at most.",
                "Lift the suspension, or ask the partner to use another way.",
            ),
            "message.twice": (
                "Alarm: a message came by e-mail as well as over ebMS2; the second was dropped.",
                "Ask whether a person took in the one by mail by hand, before the gateway did.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        _OPERATOR,
        {
            "incoming.attachments": (
                "There are attachments beside the message.",
                "Ask the partner for a mail with the message alone; read the others yourself.",
            ),
            "incoming.gate": (
                "A message of the OM gate came by e-mail: it only counts over ebMS2.",
                "Ask the partner to send it over the agreed route.",
            ),
            "incoming.old": (
                "The mail was signed more than a week ago, or does not say when.",
                "Ask the partner whether he sent it now; somebody may have kept an old one.",
            ),
        },
    ),
    *family(
        Unavailable,
        _OPERATOR,
        {
            "receipt.early": (
                "A report about a letter came before this gateway wrote down that it left.",
                "Nothing: the report comes again.",
            ),
            "incoming.full": (
                "The quarantine is full: what belongs in it waits at the mail server (LMTP 452).",
                "Close what is done, or make it larger: [email.lmtp] quarantaine_*.",
            ),
            "incoming.off": (
                "Mail was offered while [email.lmtp] is not set (any more).",
                "Restart the gateway, or put the settings back.",
            ),
        },
    ),
    *family(
        Misconfigured,
        (Told.START,),
        {
            "lmtp.socket": (
                "The socket of [email.lmtp] can not be opened, or another process listens there.",
                "Look at its folder, its group (the gateway's user must be in it), or the port.",
            ),
        },
    ),
    *family(
        NoRoute,
        (Told.CONSOLE,),
        {
            "quarantaine.onvindbaar": (
                "There is no mail with this id in the quarantine.",
                "Look in the list.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        (Told.CONSOLE,),
        {
            "quarantaine.gesloten": (
                "The mail was closed already.",
                "Look who did that, and why.",
            ),
            "quarantaine.knooppunt": (
                "People at a knooppunt do not read what partners write.",
                "Ask the sender what he wanted, and close the mail with a ground.",
            ),
            "quarantaine.genomen": (
                "Somebody else looks at it.",
                "Take it over first.",
            ),
        },
    ),
)
