"""The gate is tested again for each attempt: approval, decision or table may have changed."""

from datetime import datetime
from typing import Protocol

from gateway.directory import Directory, GateReason
from gateway.ports import Known
from gateway.rules import approval

_BY_TABLE = frozenset({approval.Ground.STANDING, approval.Ground.INDIVIDUAL})
"""Grounds that rest on a classification: by another table it would be another question."""


class Standing(Protocol):
    """A delivery, as far as it stands on something: a claim, or what waits at the portal."""

    @property
    def delivery(self) -> str: ...
    @property
    def message(self) -> Known: ...
    @property
    def ground(self) -> str: ...
    @property
    def approval_id(self) -> str: ...
    @property
    def table_version(self) -> str: ...
    @property
    def payload_sha256(self) -> str: ...
    @property
    def decision(self) -> approval.Decision | None: ...


def still_released(
    directory: Directory, claim: Standing, at: datetime
) -> approval.Released | approval.Hold:
    """Return on what it may leave now, or that it is held again."""
    table = directory.gate.at(at).table.version
    if claim.ground in _BY_TABLE and claim.table_version != table:
        return approval.Hold(kinds=(GateReason.UNCLASSIFIED,), reasons=())
    if claim.ground == approval.Ground.INDIVIDUAL:
        return approval.by_decision(
            claim.decision,
            delivery=claim.delivery,
            payload_sha256=claim.payload_sha256,
            receiver=claim.message.ontvanger,
            at=at,
        )
    return approval.still_released(
        ground=claim.ground,
        approval_id=claim.approval_id,
        payload_sha256=claim.payload_sha256,
        gate=directory.gate,
        receiver=claim.message.ontvanger,
        kind=claim.message.kind,
        at=at,
    )
