"""Codes of schema packs: adding, activating, and what an installation finds of them."""

from gateway.codes.code import Code, Told, family
from gateway.errors import Misconfigured

_FILES = "Make the pack again, with only the XSDs and what they refer to."
_ACTIVATION = "`gateway schemas list` shows what is active; make the activation again."

PACKS: tuple[Code, ...] = (
    *family(
        Misconfigured,
        (Told.OPERATOR,),
        {
            "pack.compile": ("An XSD of the pack can not be compiled.", "Ask its maker."),
            "pack.depth": ("A path of the pack has too many folders.", _FILES),
            "pack.doctype": ("An XSD has a DTD.", "Leave the DTD out."),
            "pack.duplicate": ("Two files differ by nothing, or in capitals only.", "Keep one."),
            "pack.empty": ("There is no XSD in it.", "Give the folder or zip with the XSDs."),
            "pack.encrypted": ("The zip is encrypted.", "Give it without a password."),
            "pack.entry": (
                "The named XSD does not declare the message.",
                "Name the one that does.",
            ),
            "pack.exists": ("A pack has this name already.", "Choose another, or remove that one."),
            "pack.files": ("There are too many files in it.", _FILES),
            "pack.inactive": ("The pack judges nothing of what was asked.", _ACTIVATION),
            "pack.label": (
                "A pack or version can not have this name.",
                "Letters, digits, . and -.",
            ),
            "pack.link": (
                "There is a symlink or special file in it.",
                "Put the file itself there.",
            ),
            "pack.message": (
                "The catalogue has no message of the pack, or several XSDs declare one.",
                "Name message and XSD; the catalogue says which messages exist.",
            ),
            "pack.messages": ("No XSD declares a StUF message.", "Add the XSDs of the messages."),
            "pack.missing": ("There is no folder or zip at that place.", "Check the path."),
            "pack.name": ("A file has a name that not every system can have.", "Rename it."),
            "pack.needed": ("The pack still judges something, or will.", "Activate another first."),
            "pack.path": ("A path of the pack leads out of it.", _FILES),
            "pack.ratio": ("The zip unpacks to far more than it is.", _FILES),
            "pack.reference": (
                "An XSD refers to something that is not in the pack.",
                "Add the file, in the same folder or below: nothing is ever fetched.",
            ),
            "pack.root": ("A file is named .xsd and is no XML Schema.", "Take it out."),
            "pack.size": ("The pack or a file of it is too large.", _FILES),
            "pack.slow": ("Compiling the pack takes too long.", "Ask its maker."),
            "pack.unknown": ("There is no such pack.", "`gateway schemas list`."),
            "pack.unreadable": ("The pack can not be read.", "Check its rights."),
            "pack.write": (
                "The pack can not be written here.",
                "Check `paths.packs` and its disk.",
            ),
            "pack.xml": ("An XSD is not readable as XML.", "Make it UTF-8 and well-formed."),
            "pack.zip": ("The zip is broken or packed in another way.", "Make a plain zip."),
        },
    ),
    *family(
        Misconfigured,
        (Told.START, Told.OPERATOR),
        {
            "pack.catalogue": (
                "A message of the catalogue has no schema: neither in the folder nor in a pack.",
                "Activate a pack for it, or take it out of the catalogue.",
            ),
            "pack.changed": (
                "Another pack stands there than the one that was activated.",
                "Put that back, or activate this one again.",
            ),
            "pack.moment": ("An activation ends before it begins, or began already.", _ACTIVATION),
            "pack.namespace": (
                "The pack has the message in another namespace than the catalogue.",
                "Check which of the two is right.",
            ),
            "pack.overlap": ("Two activations of one subject begin at one moment.", _ACTIVATION),
            "pack.partner": ("An activation names a partner that is not here.", _ACTIVATION),
        },
    ),
)
