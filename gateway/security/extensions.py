"""Reading X.509: what may be wrong with the octets, and extensions."""

from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

UNREADABLE = (
    ValueError,
    TypeError,  # a name one of whose texts is none
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""All that `cryptography` raises for octets that are not what they should be."""

T = TypeVar("T", bound=x509.ExtensionType)


def extension(extensions: x509.Extensions, kind: type[T]) -> T | None:
    """Return the extension of that kind, or None."""
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
