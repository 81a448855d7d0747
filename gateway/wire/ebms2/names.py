"""Namespaces, qualified names and actors of ebMS 2.0 over SOAP 1.1."""

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
EB = "http://www.oasis-open.org/committees/ebxml-msg/schema/msg-header-2_0.xsd"
XLINK = "http://www.w3.org/1999/xlink"
DS = "http://www.w3.org/2000/09/xmldsig#"
XML = "http://www.w3.org/XML/1998/namespace"

NSMAP = {"soap": SOAP, "eb": EB, "xlink": XLINK, "ds": DS}

VERSION = "2.0"
TO_PARTY = "urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH"
NEXT_MSH = "urn:oasis:names:tc:ebxml-msg:actor:nextMSH"
NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
ERROR_CONTEXT = "urn:oasis:names:tc:ebxml-msg:service:errors"

C14N_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XPATH_NOT_NEXT = (
    f'not(ancestor-or-self::node()[@soap:actor="{NEXT_MSH}"]'
    f' | ancestor-or-self::node()[@soap:actor="{NEXT}"])'
)
"""The transform of ebMS 2.0, 4.1.3, with the node test that its text forgot."""

RSA_15 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"


def soap(name: str) -> str:
    """Return the name in the SOAP namespace, as lxml writes it."""
    return f"{{{SOAP}}}{name}"


def eb(name: str) -> str:
    """Return the name in the ebMS namespace, as lxml writes it."""
    return f"{{{EB}}}{name}"


def ds(name: str) -> str:
    """Return the name in the XML Signature namespace, as lxml writes it."""
    return f"{{{DS}}}{name}"


def xlink(name: str) -> str:
    """Return the name in the XLink namespace, as lxml writes it."""
    return f"{{{XLINK}}}{name}"
