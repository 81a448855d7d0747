"""Under which conditions a message is provided: an own message to its receiver.

They never enter the payload (domain 9.1.7).
"""

from dataclasses import dataclass
from datetime import datetime

from gateway.directory import Directory
from gateway.errors import NoRoute
from gateway.message import Address, Oin, Stuurgegevens
from gateway.pipeline import answers
from gateway.pipeline.house import House
from gateway.ports import Admission
from gateway.rules import routing
from gateway.wire import stuf, toets, toets_make
from gateway.wire.toets import Stuur, Voorwaarde, Voorwaarden

SECRECY = (
    "Op deze gegevens rust een plicht tot geheimhouding (artikel 7 lid 2 Wet politiegegevens); "
    "zij mogen alleen worden gebruikt voor het doel waarvoor zij zijn verstrekt."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The message that the conditions go with."""

    soort: str
    referentienummer: str
    sha256: str
    zender: Address
    ontvanger: Address
    zaak: str
    party: Oin
    """Whose message it is, here."""


def can_be_told(directory: Directory, stuurgegevens: Stuurgegevens, at: datetime) -> bool:
    """Tell whether an agreement in force carries conditions to the receiver."""
    try:
        routing.route(
            stuurgegevens,
            toets.VOORWAARDEN,
            toets.VERSION,
            directory=directory,
            received_from=None,
            origin=None,
            at=at,
        )
    except NoRoute:
        return False
    return True


async def message_with(
    house: House,
    directory: Directory,
    about: About,
    conditions: tuple[Voorwaarde, ...],
    at: datetime,
    *,
    facts: dict[str, str],
) -> Admission:
    """Make the admission of the message with the conditions; raises NoRoute."""
    terms = Voorwaarden(
        identificatie=house.dice.uuid(),
        soort=about.soort,
        referentienummer=about.referentienummer,
        sha256=about.sha256,
        voorwaarden=conditions,
        geheimhouding=SECRECY,
    )
    stuur = Stuur(
        zender=about.zender,
        ontvanger=about.ontvanger,
        referentienummer=house.dice.uuid(),
        at=at,
    )
    return await answers.own_message(
        house,
        directory,
        stuf.read_document(toets_make.make_voorwaarden(terms, stuur)),
        version=toets.VERSION,
        party=about.party,
        at=at,
        zaak=about.zaak,
        facts=facts,
    )
