"""The files of the OM gate: classification table and approvals. Unknown keys stop the start."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from gateway.config import PartyId
from gateway.toml import Section


class Mode(StrEnum):
    """What a reason to hold asks for (domain 9.1.3)."""

    STANDING = "doorlopend"
    """A standing approval of its category may cover it."""
    INDIVIDUAL = "individueel"
    """A decision on this message."""


class Nature(StrEnum):
    """What a line of the table says of its element."""

    DATA = "gegeven"
    """Criminal data."""
    UNCLEAR = "onduidelijk"
    """The table can not tell; it counts as criminal data."""
    FREE_TEXT = "vrije-tekst"
    """Counts only where a term list or the receiver's agreement says so (domain 9.1.3 c)."""


class ConditionSettings(Section):
    """A condition of a standing approval."""

    code: str = Field(pattern=r"^[A-Za-z0-9.-]{1,20}$", description="Code, told to the receiver.")
    tekst: str = Field(min_length=1, max_length=1000, description="What is asked, in Dutch.")


class ApprovalSettings(Section):
    """A standing approval (doorlopende toestemming) of the OM. A change needs a new id."""

    id: str = Field(min_length=1, description="Id of the decision; it stands in the audit rows.")
    overeenkomst: str = Field(
        min_length=1, description="Convenant of police and receivers that it belongs to."
    )
    gegeven_door: str = Field(min_length=1, description="Name and function of the officer.")
    grond: str = Field(min_length=1, description="On what it rests.")
    berichten: tuple[str, ...] = Field(min_length=1, description="Messages that it lets pass.")
    ontvangers: tuple[PartyId, ...] = Field(min_length=1, description="Who may receive them.")
    wpg_artikelen: tuple[str, ...] = Field(
        min_length=1, description="Articles of the Wpg that the data may fall under."
    )
    categorieen: tuple[str, ...] = Field(
        (), description="Categories of the table with `doorlopend` that it covers; none = none."
    )
    voorwaarden: tuple[ConditionSettings, ...] = Field(
        (), description="What is asked of the receiver; sent with each message.", max_length=20
    )
    geldig_van: AwareDatetime = Field(description="First moment, with its zone.")
    geldig_tot: AwareDatetime = Field(description="End, with its zone; not included.")


class ArticleSettings(Section):
    """An agreement on Wpg 19 or 20: data under article 9 or 10 go to an officer."""

    id: str = Field(min_length=1, description="Id of the agreement.")
    gegeven_door: str = Field(min_length=1, description="Name and function of the officer.")
    grond: str = Field(min_length=1, description="Article 19 or 20 Wpg, and the ground of Bpg 4:5.")
    berichten: tuple[str, ...] = Field(min_length=1, description="Messages that it is for.")
    ontvangers: tuple[PartyId, ...] = Field(min_length=1, description="Who may receive them.")
    wpg_artikelen: tuple[Literal["9", "10"], ...] = Field(min_length=1, description="9, 10.")
    geldig_van: AwareDatetime = Field(description="First moment, with its zone.")
    geldig_tot: AwareDatetime = Field(description="End, with its zone; not included.")


class ApprovalsFile(Section):
    """`paths.approvals`: what passes the OM gate without a decision per message."""

    toestemmingen: tuple[ApprovalSettings, ...] = Field((), description="The approvals.")
    uitzonderingen: tuple[ArticleSettings, ...] = Field(
        (), description="Where articles 9 and 10 of the Wpg go to an officer; else refused."
    )


class RuleSettings(Section):
    """One line of the table: an element whose content is criminal data."""

    id: str = Field(min_length=1, description="Id of the rule, shown with every hold.")
    bericht: str = Field(description="Message that it is about.")
    pad: str = Field(description="Path of local names from the root, without the root itself.")
    conditie: str = Field(
        "filled", description="`filled`: holds text. `not:a,b`: holds text other than a or b."
    )
    naast: str = Field(
        "",
        description="`vraagCode=VT-003,VT-004`: counts only where the element beside it of that "
        "name holds one of these; with `!=` only where it holds another text.",
        pattern=r"^([\w.-]+!?=.+)?$",
    )
    soort: Nature = Field(
        Nature.DATA,
        description="`gegeven`: criminal data. `onduidelijk`: the table can not tell, so it counts."
        " `vrije-tekst`: counts by a term list or for a receiver of `vrije_tekst`.",
    )
    categorie: str = Field(
        "", description="Kind of data; approvals and a second officer go by it.", max_length=64
    )
    toestemming: Mode = Field(
        Mode.INDIVIDUAL,
        description="`individueel`: an officer decides. `doorlopend`: a standing approval with "
        "this category covers it.",
    )
    reden: str = Field(min_length=1, description="Why it counts, for officer and sender.")
    wpg_artikel: str = Field("", description="Article of the Wpg that such data fall under.")


class TermsSettings(Section):
    """Words that make free text count as criminal data."""

    id: str = Field(min_length=1, description="Name of the list, told with a hold.", max_length=64)
    woorden: tuple[str, ...] = Field(
        min_length=1, description="Whole words; `aanhoud*` is the beginning of a word."
    )
    ontvangers: tuple[PartyId, ...] | None = Field(
        None, description="For whom they count; left out = whoever receives it."
    )


class ClassificationFile(Section):
    """`paths.classification`: which elements hold criminal data."""

    versie: str = Field(min_length=1, description="Version of the table, kept with each decision.")
    koppelvlak: tuple[str, ...] = Field(
        min_length=1,
        description="Versions of the koppelvlak that it was written for; messages of others are "
        "held: a field may stand elsewhere there.",
    )
    versies: dict[str, tuple[str, ...]] = Field(
        {}, description="Messages that it was written for in other versions than `koppelvlak`."
    )
    berichten: tuple[str, ...] = Field(description="Messages that it classifies; others are held.")
    vrijgesteld: tuple[str, ...] = Field(
        (), description="Messages that hold no such data by their nature."
    )
    regels: tuple[RuleSettings, ...] = Field((), description="The lines.")
    termen: tuple[TermsSettings, ...] = Field((), description="Term lists for free text.")
    vrije_tekst: tuple[PartyId, ...] = Field(
        (), description="Receivers for whom filled free text counts, whatever it says."
    )
