"""What does the work now that an offered certificate, authority or list would do."""

from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.config import TlsListener
from gateway.directory import Agreement, Directory
from gateway.errors import Misconfigured
from gateway.installation import Installation
from gateway.inventory import pair_of
from gateway.keys.expiry import Use, named
from gateway.keys.offered import Target, guess
from gateway.keys.renewal import Checked, same_scope
from gateway.keys.renewal_texts import refuse
from gateway.message import Oin
from gateway.security.certificates import load


def present(
    installation: Installation, directory: Directory, checked: Checked, owner: Oin
) -> Iterator[bytes]:
    """Yield what does the same work now, DER; the one that stays longest first."""
    trust = directory.trust
    match checked.target:
        case Target.TLS | Target.API | Target.CONSOLE | Target.PORTAL:
            yield from _shown(installation, listeners(installation)[checked.target])
        case Target.CRL:
            fresh = x509.load_der_x509_crl(checked.offered.der)
            lists = ((x509.load_der_x509_crl(der), der) for der in trust.crls)
            yield from (der for crl, der in lists if same_scope(crl, fresh))
        case Target.ANCHOR | Target.INTERMEDIATE:
            ders = trust.anchors if checked.target is Target.ANCHOR else trust.intermediates
            subject = checked.offered.leaf.subject
            yield from (der for der in ders if load(der).subject == subject)
        case Target.PARTNER:
            use = Use(guess(checked.offered))
            others = _agreed(directory, use, owner) - {checked.offered.der}
            yield from _longest(others)
        case _:
            use = Use(checked.target)
            yield from _longest(_agreed(directory, use, directory.me) | _waiting(installation, use))


def _longest(ders: set[bytes]) -> list[bytes]:
    return sorted(ders, key=lambda der: load(der).not_valid_after_utc, reverse=True)


def _shown(installation: Installation, listener: TlsListener | None) -> Iterator[bytes]:
    if listener is None:
        raise refuse("no_listener")
    try:
        yield pair_of(installation, listener).der()
    except Misconfigured:  # the first one ever, or a broken one
        return


def _agreed(directory: Directory, use: Use, owner: Oin) -> set[bytes]:
    """Return what the agreements name for a party."""
    return {
        der
        for agreement in directory.agreements.values()
        for der in named_for(agreement, use, owner)
    }


def named_for(agreement: Agreement, use: Use, owner: Oin) -> set[bytes]:
    return {der for one, _, der, party, _ in named(agreement) if one is use and party == owner}


def _waiting(installation: Installation, use: Use) -> set[bytes]:
    """Return our own that were put in place before and wait for an agreement."""
    folder = installation.path(installation.settings.paths.keys)
    return {
        x509.load_pem_x509_certificates(file.read_bytes())[0].public_bytes(Encoding.DER)
        for file in sorted(folder.glob(f"{use}-*.pem"))
    }


def listeners(installation: Installation) -> dict[Target, TlsListener | None]:
    """Return what shows a certificate."""
    listen = installation.settings.listen
    return {
        Target.TLS: listen.ebms,
        Target.API: listen.api,
        Target.CONSOLE: listen.console,
        Target.PORTAL: listen.portal,
    }
