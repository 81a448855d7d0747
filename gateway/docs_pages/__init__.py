"""Pages of docs/ that are made from the program: what stands there can not be out of date."""

from gateway.config_page import describe
from gateway.docs_pages import conformance, cpa_rules, error_codes, messages
from gateway.docs_pages.messages import Sources

__all__ = ["Sources", "pages"]


def pages(sources: Sources) -> dict[str, str]:
    """Return every page that is made, by its path below docs/."""
    return {
        "configuration.md": describe(),
        conformance.PATH: conformance.page(),
        cpa_rules.PATH: cpa_rules.page(),
        error_codes.PATH: error_codes.page(),
        **messages.pages(sources),
    }
