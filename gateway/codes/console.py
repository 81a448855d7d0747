"""Codes of the console: signing in, its accounts, its pages."""

from gateway.codes.code import Code, Told, family
from gateway.errors import Limited, Misconfigured, NoRoute, PolicyViolation, TooLarge, Untrusted

_PEOPLE = (Told.CONSOLE,)
_BOTH = (Told.CONSOLE, Told.OPERATOR)
_AGAIN = "Open the page again and fill it in once more."
_ANOTHER = "Ask a beheerder for a new activation code."

CONSOLE: tuple[Code, ...] = (
    *family(
        Untrusted,
        _PEOPLE,
        {
            "console.aanmelding": (
                "Login, password or second factor is not right; which of them is not told.",
                "Try again, use a recovery code, or ask a beheerder.",
            ),
            "portal.link": (
                "The link of a letter is none, was used, or is over; which of them is not told.",
                "Take it whole from the newest letter, or tell the sender by telephone.",
            ),
            "console.half": (
                "Between password and second factor were more than five minutes or five tries.",
                "Sign in again.",
            ),
            "console.code": (
                "The code of the app is not right, or was used before.",
                "Take the code that the app shows now; look at the clock of the phone.",
            ),
            "console.sleutel": (
                "What the passkey answered is not proven, or belongs to another account.",
                "Try again, or use a code.",
            ),
            "console.sessie": ("The session is over.", "Sign in again."),
            "console.activatie": ("The activation code is not valid any more.", _ANOTHER),
            "console.wachtwoord_oud": (
                "The current password is not right.",
                "Give the password that you sign in with.",
            ),
        },
    ),
    *family(
        Limited,
        _PEOPLE,
        {
            "console.vergrendeld": (
                "There were too many failures from this address or with this login.",
                "Wait for the minutes that the page names; a session elsewhere goes on.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        _PEOPLE,
        {
            "systeem.token.manier": (
                "The system does not sign in with a token.",
                "Put it under `aanmelding` of the system in gateway.toml first.",
            ),
            "systeem.token.scope": (
                "No right was chosen, or one that the console does not give: to decide for the OM.",
                "Choose what the token may do; tokens that decide stand in gateway.toml.",
            ),
            "systeem.token.dagen": (
                "How long the token lasts was not chosen from the list.",
                "Choose one of the terms.",
            ),
            "systeem.token.veel": (
                "The system has as many tokens of the console as it may have at once.",
                "End one that is not used any more.",
            ),
            "console.lokaal": (
                "[console.oidc] lokaal is false: nobody has a password here.",
                "Sign in at the provider; when it is down, an administrator can set lokaal.",
            ),
            "console.herkomst": (
                "A form did not come from a page of the console, or from an old one.",
                _AGAIN,
            ),
            "console.rol": ("The page belongs to another role.", "Ask a beheerder for the role."),
            "console.vorm": ("What a script sent can not be read.", _AGAIN),
            "console.cursor": (
                "The place in a list was made up or changed.",
                "Begin at the first.",
            ),
            "console.geen_officier": (
                "The account belongs to no officer of [[officieren]].",
                "Let a beheerder give the account its officer: gateway users change.",
            ),
            "console.sleutels": ("The account has ten passkeys.", "Remove one first."),
        },
    ),
    *family(
        PolicyViolation,
        _BOTH,
        {
            "console.wachtwoord": (
                "The password is too short, too long or too easy to guess.",
                "Choose 12 to 128 characters; a sentence will do.",
            ),
            "console.gebruiker.gekoppeld": (
                "The account is linked to the OpenID provider, which keeps its roles and factors.",
                "Change them at the provider, or recover the account: that ends the link.",
            ),
            "console.gebruiker.identiteit": (
                "That person of the provider has another account.",
                "Recover or close the other account first.",
            ),
            "console.gebruiker.subject": (
                "The `sub` is missing or not one, or there is no [console.oidc].",
                "Take it from the provider: 1 to 255 characters without spaces.",
            ),
            "console.gebruiker.bestaat": ("The login is taken.", "Choose another login."),
            "console.gebruiker.zelf": (
                "Nobody changes rights of his own.",
                "Ask another beheerder.",
            ),
            "console.gebruiker.gesloten": ("The account was closed.", "Add a new account."),
            "console.gebruiker.laatste": (
                "It is the last beheerder who can sign in.",
                "Add another beheerder first.",
            ),
            "console.gebruiker.reden": ("The reason is missing or too long.", "Give a reason."),
            "console.gebruiker.login": (
                "The login has characters that it may not have.",
                "Use 2 to 64 small letters, digits or . _ @ -.",
            ),
            "console.gebruiker.naam": (
                "The name is missing or too long.",
                "Give 1 to 128 characters.",
            ),
            "console.gebruiker.rollen": (
                "There is no role, or two that do not go together.",
                "Officier, compliance and ontvanger go with no other role.",
            ),
            "console.gebruiker.officier": (
                "An officer's account names its officer, and no other account does.",
                "Give the id of an officer of [[officieren]] with the role officier only.",
            ),
            "console.gebruiker.partij": (
                "An ontvanger's account names its partner, one whose messages wait at the portal.",
                "Give the OIN of a party with `portaal = true` with the role ontvanger only.",
            ),
            "console.gebruiker.ontvanger": (
                "An ontvanger signs in at the portal, never at an OpenID provider.",
                "Give him an activation code instead.",
            ),
        },
    ),
    *family(
        NoRoute,
        _BOTH,
        {
            "portal.unknown": (
                "No such message waits at the portal for this partner, or it may not be shown now.",
                "Ask the sender.",
            ),
            "console.gebruiker.onbekend": ("There is no such account.", "Look in the list."),
            "systeem.weg": (
                "There is no such back-end system in gateway.toml.",
                "Look in the list of systems.",
            ),
            "systeem.token.weg": (
                "There is no such token, or it was ended.",
                "Look in the list of systems.",
            ),
        },
    ),
    *family(
        TooLarge,
        _PEOPLE,
        {
            "console.groot": (
                "A form or file is larger than the page takes.",
                "Send less, or another file.",
            ),
        },
    ),
    *family(
        Misconfigured,
        (Told.START, Told.OPERATOR),
        {
            "console.key": (
                "The key of the console is not one, or not the one that sealed this.",
                "Put the key file of [console] back from its backup.",
            ),
            "console.theme": (
                "The theme file of [console] can not be read or is too large.",
                "Look at its path; at most 200 kB.",
            ),
            "console.oidc": (
                "The settings of [console.oidc] do not go together, or its key or secret is none.",
                "Do what the line says; docs/console.md has examples.",
            ),
            "console.url": (
                "[listen.console] is there without [console] url.",
                "Name the origin as browsers know it.",
            ),
        },
    ),
)
