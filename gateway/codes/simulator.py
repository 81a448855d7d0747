"""Codes of the simulator: it refuses to play."""

from gateway.codes.code import Code, Told, family
from gateway.errors import Misconfigured

SIMULATOR: tuple[Code, ...] = family(
    Misconfigured,
    (Told.OPERATOR,),
    {
        "simulator.agreement": (
            "There is no CPA in force with a party that is known there.",
            "Make the set-up again, or check the period of the CPA.",
        ),
        "simulator.certificates": (
            "A certificate that goes into the CPA is not in the folder of keys.",
            "Put it there, under that name.",
        ),
        "simulator.example": (
            "There is no example of this message in this version.",
            "The catalogue says which messages there are.",
        ),
        "simulator.field": (
            "The example of the message has no such field.",
            "docs/berichten has the paths of every message.",
        ),
        "simulator.ports": ("The ports are not all free.", "Choose others with --poort, or 0."),
        "simulator.production": (
            "The installation or its certificates are those of production.",
            "Use a test installation: the simulator lies when its script says so.",
        ),
        "simulator.role": (
            "There is no partner for an installation of this role.",
            "Make one for the politie or for Veilig Thuis.",
        ),
        "simulator.token": ("The file with the token can not be read.", "Check path and rights."),
        "simulator.trust": (
            "The CA certificates of the REST interface can not be read.",
            "Check `trust` in the script.",
        ),
    },
)
