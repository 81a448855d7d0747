"""What somebody looks for and may name a person: kept under an id, so that no address holds it."""

from gateway.web.console.visit import Visit

MOST = 256
"""Characters of what is looked for."""


async def keep(visit: Visit, of: str, text: str) -> str:
    """Keep it for who is signed in, in the list `of`; return the id for the address."""
    id_ = visit.office.dice.uuid()
    await visit.office.drafts.keep(visit.user.account.id, f"{of}:{id_}", {"tekst": text[:MOST]})
    return id_


async def find(visit: Visit, of: str, id_: str) -> str:
    """Return it; empty for another's, for one that is a day old, and for an empty id."""
    kept = await visit.office.drafts.find(visit.user.account.id, f"{of}:{id_}") if id_ else None
    return kept.get("tekst", "") if kept else ""
