"""Who sent a document, and who decides on it: by its octets, whatever a row says."""

from gateway.config import GateMode
from gateway.directory import Directory, Party
from gateway.message import Address
from gateway.wire.stuf import Document


def party_at(directory: Directory, address: Address | None) -> Party | None:
    """Return whose address it is; None = nobody's that is known here."""
    return directory.party(address.organisatie) if address else None


def sender_of(directory: Directory, document: Document) -> Party | None:
    """Return the zender; None = nobody that is known here."""
    return party_at(directory, document.stuurgegevens.zender)


def decider_on(directory: Directory, document: Document) -> Party | None:
    """Return whose decision counts for these octets; None = nobody's."""
    sender = sender_of(directory, document)
    return directory.decider(sender.oin) if sender else None


def asked_from_here(directory: Directory, document: Document) -> Party | None:
    """Return whom to ask; a police with a gate of its own asks itself."""
    sender = sender_of(directory, document)
    if sender is None or sender.gate is GateMode.DECISION:
        return None
    return directory.decider(sender.oin)
