"""Four eyes are of two people, whatever ids they have."""

import pytest

from gateway.config import OfficerSettings
from gateway.errors import PolicyViolation
from gateway.rules.officers import check_second
from tests.parties import AT


def officer(id_, naam):
    return OfficerSettings(
        id=id_,
        naam=naam,
        functie="officier van justitie",
        mandaat="Mandaatbesluit 2026",
        parket="Rotterdam",
        van=AT.date(),
    )


ANDERS = officer("anders", "mr. Anders")


def test_another_officer_confirms():
    check_second(ANDERS, officer("bos", "mr. Bos"))


@pytest.mark.parametrize(
    "same",
    [
        ANDERS,
        officer("ANDERS", "mr. Bos"),
        officer("anders-piket", "mr. Anders"),
        officer("anders-piket", "Mr. ANDERS"),
        officer("mr", "anders"),
    ],
)
def test_one_person_under_two_ids_does_not_confirm(same):
    with pytest.raises(PolicyViolation) as refused:
        check_second(ANDERS, same)

    assert refused.value.code == "toets.vier_ogen"
