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
    """Tell whether a host is among them; a wildcard stands for one label."""
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        wild = f"*.{host.partition('.')[2]}"
        return any(name.lower() in {host.lower(), wild.lower()} for name in names)
    return host in names
