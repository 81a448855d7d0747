"""What the case of a message is known by."""

import pytest

from gateway.wire.stuf import BG, JZ, STUF, case_of, read_document


def document(body="", cross=""):
    number = f"<StUF:crossRefnummer>{cross}</StUF:crossRefnummer>" if cross else ""
    return read_document(
        f"""<JZ:x xmlns:JZ="{JZ}" xmlns:StUF="{STUF}" xmlns:BG="{BG}"><JZ:stuurgegevens>
        <StUF:berichtcode>Di01</StUF:berichtcode>
        <StUF:zender><StUF:organisatie>1</StUF:organisatie></StUF:zender>
        <StUF:ontvanger><StUF:organisatie>2</StUF:organisatie></StUF:ontvanger>
        <StUF:referentienummer>r</StUF:referentienummer>
        <StUF:tijdstipBericht>20261124</StUF:tijdstipBericht>{number}
        </JZ:stuurgegevens>{body}</JZ:x>""".encode()
    )


@pytest.mark.parametrize(
    ("body", "cross", "expected"),
    [
        ("", "", ""),
        ("", "vraag-1", "vraag-1"),
        ("<JZ:object/>", "vraag-1", "vraag-1"),
        (
            "<JZ:object><JZ:identificatieVtMelding> PL-1 </JZ:identificatieVtMelding></JZ:object>",
            "vraag-1",
            "PL-1",
        ),
        (
            (
                "<JZ:object><JZ:identificatie>VT-7</JZ:identificatie><JZ:naarAanleidingVan>"
                "<JZ:identificatieVtMelding>PL-1</JZ:identificatieVtMelding></JZ:naarAanleidingVan>"
                "</JZ:object>"
            ),
            "",
            "PL-1",
        ),
        (
            (
                "<JZ:object><JZ:verzoekidentificatie>V-1</JZ:verzoekidentificatie></JZ:object>"
                "<JZ:object><JZ:verzoekidentificatie>V-2</JZ:verzoekidentificatie></JZ:object>"
            ),
            "v",
            "V-1",
        ),
        ("<JZ:object><BG:uwIdentificatie>U-1</BG:uwIdentificatie></JZ:object>", "", "U-1"),
        ("<JZ:object><JZ:identificatie>V-1</JZ:identificatie></JZ:object>", "", "V-1"),
        ("<JZ:object><JZ:identificatieVtMelding/></JZ:object>", "v", "v"),
        (
            (
                f"<JZ:object><JZ:identificatieVtMelding>{'x' * 257}</JZ:identificatieVtMelding>"
                "</JZ:object>"
            ),
            "v",
            "v",
        ),
        (
            (
                f"<JZ:object><JZ:identificatieVtMelding>{'x' * 256}</JZ:identificatieVtMelding>"
                "</JZ:object>"
            ),
            "v",
            "x" * 256,
        ),
        (
            (
                "<JZ:object><JZ:a><JZ:b>"
                "<JZ:identificatieVtMelding>te diep</JZ:identificatieVtMelding>"
                "</JZ:b></JZ:a></JZ:object>"
            ),
            "",
            "",
        ),
    ],
)
def test_the_case_is_what_the_message_names_best(body, cross, expected):
    assert case_of(document(body, cross)) == expected
