"""Codes about an installation: its configuration, keys, store and commands."""

from gateway.codes.code import Code, Told, family
from gateway.errors import GatewayError, Malformed, Misconfigured, OutcomeUnknown, StoreUnavailable

_START = (Told.START,)
_COMMAND = (Told.OPERATOR,)
_STORE = (Told.API, Told.EBMS, Told.OPERATOR)
_CPA = "Get a correct CPA from the CPA register; `gateway cpa show` reads it."
_SPEC = "Give `gateway cpa make` other arguments."

INSTALLATION: tuple[Code, ...] = (
    *family(
        Misconfigured,
        _START,
        {
            "config.invalid": (
                "A setting is unknown, missing, or does not fit the others.",
                "The place is named; docs/configuration.md describes every setting.",
            ),
            "config.missing": ("A file or folder can not be read.", "Check path and rights."),
            "config.syntax": ("A file is not TOML in UTF-8.", "Line and column are named."),
            "agreement.invalid": ("A CPA can not be used, or is there twice.", _CPA),
            "directory.differs": (
                "Another process works by other files.",
                "Give all processes one configuration; SIGHUP reads it again.",
            ),
            "gate.condition": (
                "The classification table has an unknown condition.",
                "filled or not:a,b.",
            ),
            "gate.message": (
                "A line of the classification table is about a message that it does not name.",
                "Add the message to `berichten`.",
            ),
            "gate.rule": (
                "A line of the classification table does not stand by itself.",
                "Give each rule its own id, and free text no condition.",
            ),
            "gate.terms": (
                "A term list has no words, or one that is no word.",
                "Words of letters and digits; an asterisk at the end matches what begins so.",
            ),
            "gate.path": (
                "A path of the classification table is not one of names.",
                "Write local names with / between, from below the root.",
            ),
            "regel.dubbel": ("A rule is set twice for one party.", "Keep one of them."),
            "regel.onbekend": (
                "A rule that is set for a party does not exist.",
                "See docs/berichten.",
            ),
            "regel.vast": (
                "A rule that protects who sends to whom was to be a warning.",
                "Remove the setting; mend the messages of that party.",
            ),
            "schema.pack": (
                "An XSD is missing, can not be compiled, or points outside its folder.",
                "Put the whole pack in one folder.",
            ),
            "trust.invalid": (
                "A file in the trust folders is no certificate or revocation list.",
                "PEM or DER, with the right suffix.",
            ),
            "trust.malformed": ("A trusted certificate is not readable.", "Replace it."),
            "keys.algorithm": (
                "A key is of a kind that its use does not allow.",
                "Use an RSA key.",
            ),
            "keys.certificate": (
                "A key does not belong to its certificate.",
                "Put the right pair in place.",
            ),
            "keys.folder": ("The folder of private keys is not there.", "Check `paths.keys`."),
            "keys.missing": ("A private key is not there.", "Put it in `paths.keys`."),
            "keys.passphrase": (
                "A private key has a passphrase.",
                "Store it without one, mode 0600.",
            ),
            "keys.permissions": ("A private key can be read by others.", "chmod 0600."),
            "keys.unreadable": ("A file is no unencrypted PEM private key.", "Replace it."),
            "tls.anchors": ("There are no trust anchors.", "Fill `paths.anchors`."),
            "tls.certificate": (
                "Certificate and key of a listener do not belong together.",
                "Put the right pair in place.",
            ),
            "epoch_key.damaged": (
                "An epoch key is not what was written.",
                "Put its file back from where you keep epoch keys; do not make a new one.",
            ),
            "listen.port": ("A port can not be opened.", "Is it taken, or below 1024?"),
            "control.socket": ("The control socket can not be made.", "Check the rights of data/."),
            "serve.only": ("--only was given with SQLite.", "Leave it out, or use PostgreSQL."),
            "store.engine": ("The URL of the database can not be read.", "See `[database] url`."),
            "store.locked": (
                "Another process uses this SQLite database.",
                "Stop that first, or use PostgreSQL.",
            ),
            "store.password": (
                "The URL of the database has a password.",
                "Use password_file, PGPASSWORD or PGPASSFILE.",
            ),
            "store.path": (
                "There is no database at that place.",
                "Start the gateway once, or check the path.",
            ),
            "store.version": (
                "The database is of a newer program, or of none.",
                "Use that program, or put a backup back.",
            ),
        },
    ),
    *family(
        Misconfigured,
        _COMMAND,
        {
            "backup.exists": ("A file of that name exists.", "Choose another."),
            "backup.postgresql": ("The store is PostgreSQL.", "pg_dump; see docs/backup.md."),
            "cpa.actions": ("Neither party may send anything.", _SPEC),
            "cpa.id": ("The CPAId is no fitting file name.", _SPEC),
            "cpa.names": ("A name is empty or has a space.", _SPEC),
            "cpa.profile": ("There is no such profile.", _SPEC),
            "cpa.retries": ("Retries or interval are negative.", _SPEC),
            "init.exists": (
                "There is a configuration already; it stays as it is.",
                "Choose another folder.",
            ),
            "postgres.missing": (
                "No PostgreSQL programs were found for the demo.",
                "Install PostgreSQL, or leave --postgresql out.",
            ),
        },
    ),
    *family(
        Malformed,
        _START,
        {
            "cpa.certificate": ("A certificate of the CPA is missing or not readable.", _CPA),
            "cpa.duplicate": ("An id of the CPA is there twice.", _CPA),
            "cpa.duration": ("A duration of the CPA is not readable or negative.", _CPA),
            "cpa.encryption": ("The encryption of the CPA can not be used.", _CPA),
            "cpa.endpoint": ("An endpoint of the CPA is missing or not readable.", _CPA),
            "cpa.missing": ("An element of the CPA is missing.", _CPA),
            "cpa.moment": ("A moment of the CPA is not readable.", _CPA),
            "cpa.parties": ("The CPA is not one of two different parties.", _CPA),
            "cpa.period": ("The CPA ends before it begins.", _CPA),
            "cpa.reference": ("A reference inside the CPA leads nowhere.", _CPA),
            "cpa.root": ("The file is no CPA (CPPA 2.0).", _CPA),
            "cpa.signing": ("The signing of the CPA can not be used.", _CPA),
            "cpa.value": ("A value of the CPA is not allowed.", _CPA),
        },
    ),
    *family(
        GatewayError,
        _COMMAND,
        {
            "audit.broken": (
                "The chain of the audit log does not hold.",
                "Somebody changed rows, or a backup was put back: find out which.",
            ),
            "backup.failed": ("The copy does not hold.", "Look at the disk; make another."),
        },
    ),
    *family(
        StoreUnavailable,
        _STORE,
        {
            "epoch_key.closed": (
                "An epoch key closed while it was used.",
                "Nothing: it is tried again.",
            ),
            "epoch_key.not_made": (
                "The folder of the epoch keys can not be written.",
                "Check `paths.epoch_keys` and its disk.",
            ),
            "payload.late": ("Contents waited too long for their commit.", "Try again."),
            "store.busy": ("Too many changes wait for the database.", "Try again."),
            "store.chains": (
                "More connections write than there are audit chains.",
                "Lower `[database] writers` or the number of processes.",
            ),
            "store.closed": ("The process is stopping.", "Try again: another one answers."),
            "store.conflict": ("Another change was in the way.", "Nothing: it is tried again."),
            "store.connections": (
                "The database server takes no more connections.",
                "Raise max_connections, or lower `[database] writers`.",
            ),
            "store.damaged": ("The database file is damaged.", "docs/backup.md, restore."),
            "store.disk": ("The disk of the database fails.", "Look at the disk."),
            "store.failed": ("The database failed.", "Look at its log."),
            "store.full": ("There is no room on the disk of the database.", "Make room."),
            "store.gone": (
                "The database can not be reached.",
                "Is the server running, the path there?",
            ),
            "store.integrity": ("A constraint refused a change.", "If it lasts: a bug, report it."),
            "store.locked_out": (
                "The database refuses the user or its password.",
                "Check user, password and pg_hba.conf.",
            ),
            "store.readonly": (
                "The database can not be written.",
                "Check rights and the file system.",
            ),
            "store.slow": ("The database did not answer in time.", "Look at its load and locks."),
        },
    ),
    *family(
        OutcomeUnknown,
        _STORE,
        {
            "store.outcome_unknown": (
                "A commit was not confirmed: it may have happened.",
                "Send the same again: a duplicate gets the same answer.",
            ),
        },
    ),
)
