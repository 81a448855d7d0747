"""The table of sealed meldingen in which one thing is wrong."""

from tests.vectors.documents import PAYLOAD, REPLAYS
from tests.vectors.encryption import ENCRYPTION
from tests.vectors.headers import HEADERS
from tests.vectors.markup import ENTITIES
from tests.vectors.package import MIME
from tests.vectors.parties import CERTIFICATES, PARTIES
from tests.vectors.signatures import SIGNATURES, WRAPPING

TABLE = (
    *MIME,
    *HEADERS,
    *ENTITIES,
    *WRAPPING,
    *SIGNATURES,
    *ENCRYPTION,
    *CERTIFICATES,
    *PARTIES,
    *PAYLOAD,
    *REPLAYS,
)
