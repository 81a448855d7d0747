"""ebMS ids made from the stuurgegevens (StUF-bindingen 5.2): both legs carry the same."""

from gateway.message import Address, Stuurgegevens

_DOMAIN = "dkintern.nl"
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_EMPTY = "%"
"""Stands for an empty part; percent-encoding never makes a percent sign alone."""


def message_id(zender: Address, referentienummer: str) -> str:
    """Return `ref@organisatie.applicatie.[administratie.]dkintern.nl`.

    Anything but ASCII letters, digits, `-` and `_` is percent-encoded within its part, dots
    too: the result is an RFC 5322 dot-atom pair, and different input gives a different id.
    """
    labels = [_encode(zender.organisatie), _encode(zender.applicatie)]
    if zender.administratie:
        labels.append(_encode(zender.administratie))
    return f"{_encode(referentienummer)}@{'.'.join(labels)}.{_DOMAIN}"


def ref_message_id(
    organisatie: str, applicatie: str, cross_refnummer: str, *, administratie: str = ""
) -> str:
    """Return the MessageId of the message that an answer is about.

    Whoever gets the answer sent that message: organisatie and applicatie are those of the
    answer's ontvanger.
    """
    sent_by = Address(organisatie=organisatie, applicatie=applicatie, administratie=administratie)
    return message_id(sent_by, cross_refnummer)


def conversation_id(stuurgegevens: Stuurgegevens) -> str:
    """Return the ConversationId: the answered message's id for answers, else its own."""
    cross, to = stuurgegevens.cross_refnummer, stuurgegevens.ontvanger
    if cross and to is not None:
        return ref_message_id(to.organisatie, to.applicatie, cross, administratie=to.administratie)
    zender = stuurgegevens.zender or Address(organisatie="")
    return message_id(zender, stuurgegevens.referentienummer)


def _encode(part: str) -> str:
    octets = part.encode("utf-8", "surrogatepass")
    return "".join(chr(o) if o in _SAFE else f"%{o:02X}" for o in octets) or _EMPTY
