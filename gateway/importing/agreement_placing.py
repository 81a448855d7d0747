"""Putting an agreement in its folder as a whole, and taking it back."""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.errors import GatewayError
from gateway.importing.agreement_texts import CPA_TEXTS
from gateway.keys.placing import KEPT
from gateway.whole_file import replace_file


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedAgreement:
    """What came of it."""

    file: Path
    kept: Path | None
    """A copy of what was replaced; None: nothing was there. No reader of agreements takes it."""


def place_agreement(file: Path, octets: bytes, now: datetime) -> PlacedAgreement:
    """Write it; raise GatewayError `cpas.not_written`, and then everything is as it was."""
    kept = file.with_name(f"{file.name}.{now:%Y%m%dT%H%M%SZ}{KEPT}") if file.exists() else None
    try:
        if kept is not None:
            kept.unlink(missing_ok=True)
            os.link(file, kept)
        replace_file(file, octets)
    except OSError as error:
        raise _not_written(file) from error
    return PlacedAgreement(file=file, kept=kept)


def take_back(placed: PlacedAgreement) -> None:
    """Make it as it was; raises as `place_agreement`."""
    try:
        if placed.kept is not None:
            replace_file(placed.file, placed.kept.read_bytes())
            with suppress(OSError):
                placed.kept.unlink()
        else:
            placed.file.unlink(missing_ok=True)
    except OSError as error:
        raise _not_written(placed.file) from error


def _not_written(file: Path) -> GatewayError:
    return GatewayError("cpas.not_written", CPA_TEXTS["not_written"], where=str(file))
