"""What an installation signs under its agreements, in the form that each partner reads."""

from collections.abc import Mapping
from dataclasses import replace

from gateway.config import Canonical
from gateway.directory import Agreement, Channel, Party
from gateway.message import Oin


def readable(
    agreements: Mapping[str, Agreement], me: Oin, parties: Mapping[Oin, Party]
) -> dict[str, Agreement]:
    """Return the agreements; what `me` signs under one is canonicalised as its partner wants."""
    return {cpa_id: _for(one, me, parties) for cpa_id, one in agreements.items()}


def _for(agreement: Agreement, me: Oin, parties: Mapping[Oin, Party]) -> Agreement:
    partners = [parties.get(Oin(one.id)) for one in agreement.parties if one.id != me]
    wanted = {one.canonical for one in partners if one is not None}
    if me not in agreement.signals or wanted != {Canonical.INCLUSIVE}:
        return agreement
    return replace(
        agreement,
        bindings=tuple(
            replace(one, channel=_inclusive(one.channel)) if one.sender.id == me else one
            for one in agreement.bindings
        ),
        signals={**agreement.signals, me: _inclusive(agreement.signals[me])},
    )


def _inclusive(channel: Channel) -> Channel:
    if channel.signing is None:
        return channel
    return replace(channel, signing=replace(channel.signing, canonical=Canonical.INCLUSIVE))
