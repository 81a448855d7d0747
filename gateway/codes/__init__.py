"""Every dotted code that this program uses, with what it means and what to do.

A code that is used and not here fails tests/pure/test_codes.py. To add one, put a line in the
module of its subject, in the family of its class; then `gateway docs docs` makes
docs/foutcodes.md again. Codes of business rules stand in the table of the rules, those of XSD
constraints in `gateway.wire.constraints`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.codes.back_ends import BACK_ENDS
from gateway.codes.certificates import CERTIFICATES
from gateway.codes.code import Code, Told
from gateway.codes.console import CONSOLE
from gateway.codes.deliveries import DELIVERIES
from gateway.codes.doctor import DOCTOR
from gateway.codes.documents import DOCUMENTS
from gateway.codes.incoming import INCOMING
from gateway.codes.installation import INSTALLATION
from gateway.codes.mail_transport import MAIL_TRANSPORT
from gateway.codes.mailing import MAILING
from gateway.codes.oidc import OIDC
from gateway.codes.packs import PACKS
from gateway.codes.partners import PARTNERS
from gateway.codes.sign_in import SIGN_IN
from gateway.codes.signed import SIGNED
from gateway.codes.simulator import SIMULATOR
from gateway.codes.smime import SMIME
from gateway.codes.toets import TOETS
from gateway.codes.webhooks import WEBHOOKS

__all__ = ["CODES", "Code", "Told", "find"]

ALL = (
    *DOCUMENTS,
    *BACK_ENDS,
    *SIGN_IN,
    *PARTNERS,
    *DELIVERIES,
    *MAILING,
    *MAIL_TRANSPORT,
    *INSTALLATION,
    *CERTIFICATES,
    *SIGNED,
    *TOETS,
    *DOCTOR,
    *PACKS,
    *WEBHOOKS,
    *SIMULATOR,
    *CONSOLE,
    *OIDC,
    *SMIME,
    *INCOMING,
)
CODES: Mapping[str, Code] = MappingProxyType({one.code: one for one in ALL})


def find(code: str) -> Code | None:
    """Return the line of a code, or the one that stands for all of its family (`http.*`)."""
    return CODES.get(code) or CODES.get(f"{code.partition('.')[0]}.*")
