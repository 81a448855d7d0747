"""What was confirmed here, kept beside the database, with the word that was signed."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gateway.errors import GatewayError
from gateway.installation import Installation
from gateway.toetsing.bundle import Bundle, read_bundle, write_bundle
from gateway.whole_file import replace_file
from gateway.wire.confirmation import Bevestiging, read_confirmation

_ZIP, _WORD = ".zip", ".xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One word of the OM on file."""

    said: Bevestiging
    octets: bytes
    """The signed document."""
    path: Path
    """Of it; its proposal has the same name, and ends in .zip."""

    @property
    def sha256(self) -> str:
        return sha256(self.octets).hexdigest()

    def bundle(self) -> Bundle:
        """Return what it was about; raises Misconfigured `toetsing.bundle`."""
        return read_bundle(self.path.with_suffix(_ZIP))


def remember(installation: Installation, bundle: Bundle, octets: bytes) -> None:
    """Keep a proposal and the word about it; none is ever replaced."""
    said = read_confirmation(octets)
    folder = _folder(installation)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stem = folder / f"{said.politie}-{said.genomen_op:%Y%m%dT%H%M%S%f}"
    draft = stem.with_suffix(".nieuw.zip")
    draft.unlink(missing_ok=True)
    write_bundle(draft, bundle)
    draft.replace(stem.with_suffix(_ZIP))
    replace_file(stem.with_suffix(_WORD), octets)  # last: without it nothing counts as kept


def kept(installation: Installation, police: str = "") -> tuple[Kept, ...]:
    """Return what was confirmed here, newest first; of one police, or of all."""
    found = (one for one in _words(installation) if police in {"", one.said.politie})
    return tuple(sorted(found, key=lambda one: one.said.genomen_op, reverse=True))


def confirmed_before(installation: Installation, police: str) -> Bundle | None:
    """Return what was confirmed last for this police from here, to see what is other now."""
    newest = kept(installation, police)[:1]
    if newest:
        return newest[0].bundle()
    single = _folder(installation) / f"{police}{_ZIP}"  # as a program of before kept it
    return read_bundle(single) if single.exists() else None


def _words(installation: Installation) -> Iterator[Kept]:
    for path in _folder(installation).glob(f"*{_WORD}"):
        try:
            octets = path.read_bytes()
            yield Kept(said=read_confirmation(octets), octets=octets, path=path)
        except (GatewayError, OSError):  # not one of ours, or it is gone
            continue


def _folder(installation: Installation) -> Path:
    return installation.path(installation.settings.paths.database).parent / "toetsing"
