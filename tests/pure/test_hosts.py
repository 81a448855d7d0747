import pytest

from gateway.security.hosts import covers


@pytest.mark.parametrize(
    ("name", "host", "good"),
    [
        ("Mx.Partner.Example", "mx.partner.example", True),
        ("*.partner.example", "MX.partner.example", True),
        ("*.partner.example", "a.mx.partner.example", False),
        ("*.partner.example", "partner.example", False),
        ("m*.partner.example", "mx.partner.example", False),
        ("*.example", "partner.example", False),
        ("*.", "localhost", False),
        ("localhost", "localhost", True),
        ("192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:DB8:0::1", True),
        ("*.0.2.1", "192.0.2.1", False),
    ],
)
def test_a_wildcard_stands_for_one_label_below_two_others(name, host, good):
    assert covers((name,), host) is good
