"""Messages to look at in a demo that stays: most arrive, some are refused, some wait for the OM."""

from datetime import UTC, datetime

from gateway.cli.demo.documents import document
from gateway.cli.demo.rest import DemoFailed
from gateway.cli.demo.scenario import Stage

MELDINGEN = 24
HELD_EVERY = 6
REFUSED_EVERY = 7
LEFT = 3
"""That nobody collects."""
_REFUSAL = ("VT001", "Deze zaak hoort bij een andere regio.")


async def traffic(stage: Stage) -> None:
    """Hand the meldingen in, and answer most of what arrives."""
    for n in range(1, MELDINGEN + 1):
        await _hand_in(stage, n)
    coming = MELDINGEN - MELDINGEN // HELD_EVERY - LEFT
    stage.show.good(
        f"{MELDINGEN} meldingen aangeleverd: {MELDINGEN // HELD_EVERY} wachten op het OM, "
        f"{await _answer(stage, coming)} zijn beantwoord"
    )


async def _hand_in(stage: Stage, n: int) -> None:
    at = datetime.now(UTC)
    held = n % HELD_EVERY == 0
    octets = document(
        "vtMeldingDi01-aanhouding" if held else "vtMeldingDi01",
        zender=stage.politie_address,
        ontvanger=stage.veilig_thuis_address,
        referentienummer=f"demo-{at:%Y}-{n:03d}",
        zaak=f"PL0000-{at:%Y}{n // 2:06d}",
        at=at,
    )
    status, answer = await stage.politie.hand_in(
        octets, onderzoek=False, wpg_artikel="8", acuut=n % (2 * HELD_EVERY) == 0
    )
    if status != 202:  # noqa: PLR2004 - HTTP Accepted
        raise DemoFailed(f"aanlevering: HTTP {status} ({answer.get('code')})")


async def _answer(stage: Stage, coming: int) -> int:
    """Confirm or refuse what arrives, up to so many; return how many."""
    answered = 0
    while answered < coming:
        items = await stage.veilig_thuis.postvak(wait=10)
        if not items:
            break
        for item in items[: coming - answered]:
            answered += 1
            if answered % REFUSED_EVERY == 0:
                await stage.veilig_thuis.refuse(item["id"], *_REFUSAL)
            else:
                await stage.veilig_thuis.content(item["id"])
                await stage.veilig_thuis.confirm(item["id"])
    return answered
