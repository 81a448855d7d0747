"""Base64 as it stands in XML: strict, on one line or broken over many."""

from binascii import a2b_base64

_WHITE = b" \t\r\n"


def unbase64(text: str) -> bytes:
    """Decode base64 strictly, white space apart (some peers wrap with CR); raise ValueError.

    Takes no more than a few times the text, however it is broken: pieces of a line each would.
    """
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError:
        pass
    try:
        return a2b_base64(text.encode("ascii").translate(None, _WHITE), strict_mode=True)
    except ValueError as exc:
        raise ValueError("not base64") from exc
