"""A simulator lies, so it never plays in production."""

from cryptography import x509
from cryptography.x509.oid import NameOID

from gateway.config import Environment
from gateway.directory import Directory
from gateway.errors import Misconfigured
from gateway.installation import Installation
from gateway.security.certificates import is_test, load

_REAL = ("staat der nederlanden", "pkioverheid")


def refuse_production(installation: Installation, directory: Directory) -> None:
    """Raise Misconfigured `simulator.production` for omgeving=productie or a PKIoverheid root."""
    refuse_environment(installation)
    for der in (*directory.trust.anchors, *directory.trust.intermediates):
        if is_production(load(der)):
            raise Misconfigured(
                "simulator.production",
                "De simulator speelt niet met certificaten van PKIoverheid voor productie.",
                where=str(installation.path(installation.settings.paths.anchors)),
            )


def refuse_environment(installation: Installation) -> None:
    """Raise Misconfigured `simulator.production` for an installation with omgeving=productie."""
    if installation.settings.omgeving is Environment.PRODUCTIE:
        raise Misconfigured(
            "simulator.production",
            "De simulator speelt niet met een installatie in productie.",
            where=str(installation.folder),
        )


def is_production(authority: x509.Certificate) -> bool:
    """Tell whether an authority is of PKIoverheid and not of a test hierarchy."""
    names = [
        str(found.value)
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for found in authority.subject.get_attributes_for_oid(oid)
    ]
    real = any(word in name.casefold() for name in names for word in _REAL)
    return real and not is_test(authority)
