"""Specifications of CPAs between fictional parties."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from gateway.wire import toets
from gateway.wire.ebms2.cpa_make import CpaAction, CpaParty, CpaSpec
from tests import pki

SERVICE = "TEST:jeugdzorg:1.0.9"


def service_of(action: str, service: str = SERVICE) -> str:
    """The messages of the OM gate have a service of their own."""
    return toets.SERVICE if action in toets.KINDS else service


def party(oin: str, role: str, *actions: str, service: str = SERVICE) -> CpaParty:
    tls = pki.leaf(oin, "tls").certificate
    return CpaParty(
        oin=oin,
        name=pki.NAMES[oin],
        role=role,
        endpoint=f"https://{role}.example/ebms",
        client=tls,
        server=tls,
        sign=pki.leaf(oin, "sign").certificate,
        encrypt=pki.leaf(oin, "encrypt").certificate,
        sends=tuple(CpaAction(service=service_of(a, service), action=a) for a in actions),
    )


def spec(**changes: Any) -> CpaSpec:
    """A good osb-rm-e agreement between politie and knooppunt, with changes."""
    base = CpaSpec(
        cpa_id="jeugdzorg_politie_knooppunt_1",
        start=pki.AT,
        end=pki.AT + timedelta(days=365),
        parties=(
            party(pki.POLITIE, "politie", "vtMeldingDi01", "Bv01Bericht"),
            party(pki.KNOOPPUNT, "knooppunt", "vtTerugkoppelingDi01", "Bv01Bericht"),
        ),
    )
    return replace(base, **changes)
