"""S/MIME (RFC 8551) for secure e-mail: pure, from octets to octets."""
