"""Reading XML that strangers wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import Malformed
from gateway.wire import xml
from gateway.wire.xml import (
    SMALL_OCTETS,
    XmlLimits,
    children,
    local,
    namespace,
    parse,
    path_of,
    text_of,
    value,
)


def refusal(octets, **options):
    with pytest.raises(Malformed) as caught:
        parse(octets, **options)
    return caught.value


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "xml.malformed"),
        (b"  \n", "xml.malformed"),
        (b"<a>", "xml.malformed"),
        (b"<a/><b/>", "xml.malformed"),
        (b"<a/>text", "xml.malformed"),
        (b"<p:a/>", "xml.malformed"),
        (b"<a x='1' x='2'/>", "xml.malformed"),
        (b"<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>", "xml.malformed"),
        (b"<a>\xff</a>", "xml.malformed"),
        (b"<a>&geheim;</a>", "xml.malformed"),
        (b"<a>&#0;</a>", "xml.malformed"),
        (b"<a/><!DOCTYPE a>", "xml.malformed"),
        (b"<!DOCTYPE a><a/>", "xml.doctype"),
        (b"\xef\xbb\xbf<!DOCTYPE a><a/>", "xml.doctype"),
        (b"<?xml version='1.0'?>\n<!-- > --><?pi <a ?><!DOCTYPE a><a/>", "xml.doctype"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "xml.encoding"),
        (b"<?xml version='1.0' encoding='UTF-16'?><a/>", "xml.encoding"),
        ("<?xml version='1.0' encoding='US-ASCII'?><a>é</a>".encode(), "xml.encoding"),
        ("<a/>".encode("utf-16"), "xml.encoding"),
        ("<a/>".encode("utf-16-le"), "xml.encoding"),
        ("<a/>".encode("utf-32"), "xml.encoding"),
        ("<?xml version='1.0'?><!DOCTYPE a><a/>".encode("cp037"), "xml.malformed"),
    ],
)
def test_what_is_not_plain_utf8_xml_is_refused(octets, code):
    assert refusal(octets).code == code


def test_an_entity_bomb_is_refused_before_it_is_read():
    lines = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(10))
    bomb = f'<!DOCTYPE a [<!ENTITY e0 "x">{lines}]><a>&e10;</a>'.encode()

    assert refusal(bomb).code == "xml.doctype"


def test_an_external_entity_is_never_fetched(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("geheim")
    attack = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>'.encode()

    assert refusal(attack).code == "xml.doctype"


@pytest.mark.parametrize(
    ("octets", "limits", "code"),
    [
        (b"<a>  </a>", XmlLimits(octets=8), "xml.size"),
        (b"<a>" * 65, XmlLimits(), "xml.depth"),
        (b"<a><b/><b/><b/></a>", XmlLimits(nodes=3), "xml.nodes"),
        (b"<a><!-- --><?p?><b/></a>", XmlLimits(nodes=3), "xml.nodes"),
        (b"<a b='1' c='2' d='3'/>", XmlLimits(attributes_per_element=2), "xml.attributes"),
        (
            b"<a xmlns:b='1' xmlns:c='2' d='3'/>",
            XmlLimits(attributes_per_element=2),
            "xml.attributes",
        ),
    ],
)
def test_what_passes_a_bound_is_refused(octets, limits, code):
    assert refusal(octets, limits=limits).code == code


def test_what_is_on_a_bound_is_read():
    limits = XmlLimits(octets=31, depth=2, nodes=4, attributes_per_element=2)

    assert parse(b"<a b='1' c='2'><b/><b/><b/></a>", limits=limits).tag == "a"


_PIECES = ("<a>", "</a>", "<a b='1' c='='/>", "<!-- = -->", "<?p q?>", "x=", "<a d='<'/>", "&lt;")


@given(
    pieces=st.lists(st.sampled_from(_PIECES), max_size=12),
    depth=st.integers(1, 4),
    nodes=st.integers(1, 8),
    attributes=st.integers(0, 3),
)
def test_a_document_is_judged_at_once_as_in_two_passes(pieces, depth, nodes, attributes):
    limits = XmlLimits(depth=depth, nodes=nodes, attributes_per_element=attributes)
    octets = f"<a>{''.join(pieces)}</a>".encode()

    for room in (b"", b"\n" * SMALL_OCTETS):
        at_once = xml._at_once(octets + room, limits)
        if at_once is not None:
            assert outcome(octets + room, limits, xml._in_two_passes) == whole(at_once)


def whole(root):
    return etree.tostring(root.getroottree())


def outcome(octets, limits, read=xml.parse):
    try:
        return whole(read(octets, limits=limits, where=""))
    except Malformed as error:
        return error.code


@pytest.mark.parametrize("size", [1_000, 2 * SMALL_OCTETS])
def test_a_plain_document_of_any_size_needs_no_two_passes(size):
    assert (
        xml._at_once(b"<a>" + b"<b c='='>x</b>" * (size // 14) + b"</a>", XmlLimits()) is not None
    )


@pytest.mark.parametrize("filler", ["", "<!-- <!DOCTYPE a> -->"])
@pytest.mark.parametrize("depth", [64, 65])
def test_depth_is_bounded_whatever_stands_beside_it(depth, filler):
    octets = f"<a>{filler}{'<a>' * (depth - 1)}{'</a>' * depth}".encode()

    assert (outcome(octets, XmlLimits()) == "xml.depth") is (depth > 64)


def test_a_text_of_more_than_ten_megabytes_is_read_whole():
    text = b"QUJD" * 2_700_000

    assert len(value(parse(b"<a>" + text + b"</a>"))) == len(text)


def test_an_error_tells_the_place_and_never_a_value():
    error = refusal(b"<a>\n<b geheim='mijn geheim'></geheim></a>", where="//Envelope")

    assert "regel 2" in error.text
    assert error.where == "//Envelope"
    assert "geheim" not in str(error)
    assert error.__cause__ is None


def test_nothing_is_normalised_away():
    root = parse(b"<a> x<!-- c -->y<?p q?><![CDATA[<z>]]> </a>")

    assert value(root) == " xy<z> "
    assert [local(child) for child in root] == ["", ""]
    assert list(children(root)) == []


def test_a_byte_order_mark_and_a_declaration_are_read():
    root = parse(b"\xef\xbb\xbf<?xml version='1.0' encoding='Utf-8'?><a>\xc3\xa9</a>")

    assert root.text == "é"


def test_names_are_told_with_and_without_their_namespace():
    root = parse(b"<p:a xmlns:p='urn:u'><b/></p:a>")

    assert (local(root), namespace(root)) == ("a", "urn:u")
    assert (local(root[0]), namespace(root[0])) == ("b", "")


def test_text_is_found_by_local_names():
    root = parse(b"<a xmlns='u' xmlns:p='v'><p:b><c> x<!-- -->y </c><c>z</c></p:b></a>")

    assert text_of(root, "b/c") == "xy"
    assert text_of(root, "b/d") == ""


def test_a_path_has_positions_only_where_siblings_repeat():
    root = parse(b"<a xmlns='u' xmlns:p='v'><b/><c><d/></c><p:b><e/></p:b></a>")

    assert path_of(root) == "/a"
    assert path_of(root[1][0]) == "/a/c/d"
    assert path_of(root[2][0]) == "/a/b[2]/e"


def code_of(octets):
    """Code of the refusal, or `read`."""
    try:
        parse(octets)
    except Malformed as error:
        return error.code
    return "read"


PIECES = [b"<a>", b"</a>", b"<a ", b"/>", b"<!DOCTYPE ", b"<!--", b"-->", b"<?xml ", b"?>"]
PIECES += [b"<![CDATA[", b"]]>", b"&x;", b"\xef\xbb\xbf", b"encoding='", b"xmlns:b='u'"]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8))).map(b"".join))
def test_garbage_is_refused_or_read_and_nothing_else(octets):
    assert code_of(octets).startswith(("xml.", "read"))
