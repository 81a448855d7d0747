"""All targets, by name."""

from tests.fuzz import (
    agreed_targets,
    cipher_targets,
    document_targets,
    identity_targets,
    mail_targets,
    open_targets,
    sealed_targets,
    smime_targets,
    text_targets,
    token_targets,
    wire_targets,
)
from tests.fuzz.target import Target

_MODULES = (
    *(wire_targets, open_targets, cipher_targets, agreed_targets, sealed_targets),
    document_targets,
    *(mail_targets, smime_targets, identity_targets, token_targets, text_targets),
)
TABLE: dict[str, Target] = {target.name: target for module in _MODULES for target in module.TARGETS}
