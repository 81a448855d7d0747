"""For which hosts a certificate is good, by its subjectAltName."""

import ipaddress

from cryptography import x509

from gateway.security.extensions import extension


def hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names and addresses that a certificate is good for."""
    names = extension(certificate.extensions, x509.SubjectAlternativeName)
    if names is None:
        return ()
    found = names.get_values_for_type(x509.DNSName)
    return (*found, *map(str, names.get_values_for_type(x509.IPAddress)))


def covers(names: tuple[str, ...], host: str) -> bool:
    """Tell whether a host is among them.

    A wildcard is the whole first label and stands for one, below two at least (RFC 6125, 6.4.3).
    """
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        host = host.lower()
        above = host.partition(".")[2]
        good = {host, f"*.{above}"} if "." in above else {host}
        return any(name.lower() in good for name in names)
    return host in names
