"""The pages of who keeps partners, certificates, systems and users."""

from gateway.web.console.pages.beheerder import (
    agreements,
    importing,
    keeping,
    partners,
    rights,
    systems,
    users,
)

PAGES = (
    *partners.PAGES,
    *keeping.PAGES,
    *systems.PAGES,
    *importing.PAGES,
    *agreements.PAGES,
    *users.PAGES,
    *rights.PAGES,
)
