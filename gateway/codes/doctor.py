"""Codes of findings that only `gateway doctor` makes; others it takes from where they arise."""

from gateway.codes.code import Code, Told, family

DOCTOR: tuple[Code, ...] = family(
    None,
    (Told.OPERATOR,),
    {
        "gate.signing": (
            "The OM signs with a certificate that is not for documents.",
            "Let the agreement name a signing certificate: no TLS server certificate.",
        ),
        "agreement.counterpart": (
            "There is no CPA in force with a party.",
            "Put its CPA in agreements/, or take the party out of gateway.toml.",
        ),
        "agreement.ends_soon": (
            "A CPA ends within a month.",
            "Agree on a new one and put it in agreements/ now.",
        ),
        "agreement.none": ("There is no CPA.", "Put the CPAs in agreements/."),
        "agreement.service": (
            "A service of a CPA has no version.",
            "Name it under [diensten] in gateway.toml.",
        ),
        "agreement.unusable": (
            "Something in a CPA can not be carried out or is forbidden.",
            "Look with gateway cpa lint; docs/cpa.md says what to do.",
        ),
        "agreement.unwise": (
            "A CPA is weaker than Digikoppeling advises.",
            "Agree on something better in the next one; docs/cpa.md says what.",
        ),
        "backends.none": (
            "No back-end system is named: nobody can hand in or collect.",
            "Add one under [[backends]].",
        ),
        "backends.sign_in": (
            "A back-end system can not sign in, or soon not, or for ever.",
            "Change [[backends]] or [oauth]; docs/sign-in.md.",
        ),
        "console.no_beheerder": (
            "No beheerder can sign in to the console.",
            "gateway users add LOGIN --naam NAAM --rol beheerder.",
        ),
        "console.one_beheerder": (
            "One beheerder can sign in: nobody recovers that account in the console.",
            "Add a second one.",
        ),
        "console.oidc_gap": (
            "The settings of the OpenID provider let nobody in, or no officer or beheerder.",
            "Complete [console.oidc]; docs/console.md.",
        ),
        "console.oidc_issuer": (
            "Accounts are linked to another OpenID provider than the one of the settings.",
            "Link them again.",
        ),
        "console.oidc_keys": (
            "The OpenID provider publishes no key that counts.",
            "Let it sign with RS256, PS256 or ES256.",
        ),
        "console.officer_unknown": (
            "An account belongs to an officer who is not in [[officieren]].",
            "Put the officer there, or close the account.",
        ),
        "console.officer_without_account": (
            "An officer of [[officieren]] has no account of the console.",
            "gateway users add LOGIN --naam NAAM --rol officier --officier ID.",
        ),
        "certificate.not_named": (
            "The own TLS certificate is another than the one in a CPA.",
            "Name it in the next CPA; a partner that compares it needs that first.",
        ),
        "certificate.not_shown": (
            "The running process shows another certificate than stands on the disk.",
            "SIGHUP, and look for directory.not_reloaded in the log.",
        ),
        "clock.skew": (
            "The clocks of database and machine differ.",
            "Synchronise both.",
        ),
        "clock.unsynchronised": (
            "The clock of the machine is not synchronised.",
            "timedatectl set-ntp true, or chrony.",
        ),
        "database.checksums": (
            "The server does not check what it reads from its disk.",
            "pg_checksums --enable while it stands still.",
        ),
        "database.fsync": (
            "The server, or the disk, does not wait until what was committed is safe.",
            "Set fsync = on; ask who keeps the storage about its caches.",
        ),
        "database.full_page_writes": (
            "full_page_writes is off: a power failure can damage the database.",
            "Set full_page_writes = on.",
        ),
        "database.journal": (
            "The SQLite database is not in WAL mode.",
            "Start the gateway: it sets that.",
        ),
        "database.network": (
            "The SQLite database stands on a network disk, where it can not be locked safely.",
            "Put it on a local disk, or take PostgreSQL.",
        ),
        "database.slow": ("The disk takes long for each commit.", "Take a faster one."),
        "database.standby": (
            "The server is a standby: nothing can be stored.",
            "Let the URL name the primary server.",
        ),
        "database.tls": (
            "The connection to a server elsewhere is not encrypted.",
            "sslmode=verify-full; docs/postgresql.md.",
        ),
        "database.version": (
            "This version of PostgreSQL is no longer mended by its makers.",
            "Plan a newer one.",
        ),
        "database.volatile": (
            "The SQLite database stands in memory.",
            "Put it on a disk.",
        ),
        "email.dane": (
            "What a partner needs to prove our own mail server is not in the DNS, or not signed.",
            "Sign the zone, and publish TLSA 3 1 1 of each mail server.",
        ),
        "email.dkim": (
            "DNS does not have the DKIM key that signs our mail, or none signs it.",
            "Publish what `gateway doctor` says; name a key in `[[email.dkim]]`.",
        ),
        "email.dmarc": (
            "Our mail domain has no DMARC policy, or one that stops nobody.",
            "Publish `p=reject`.",
        ),
        "email.spf": (
            "Our mail domain has no SPF record, two, or a weak one.",
            "Publish one that ends in `-all`.",
        ),
        "epoch_keys.local": (
            "The folder of the epoch keys is on a disk of this machine.",
            "With more than one machine: a shared folder.",
        ),
        "epoch_keys.volatile": (
            "The folder of the epoch keys stands in memory.",
            "Put it on a disk.",
        ),
        "files.permissions": (
            "A file or folder with data or secrets is open to others on this machine.",
            "chmod 600 for files, 700 for folders.",
        ),
        "gate.newer_table": (
            "The program comes with another classification table than the OM confirmed.",
            "What was confirmed stays in force. Propose the new one: gateway toetsing voorstel.",
        ),
        "gate.no_approval": (
            "There is no standing approval: every message of the politie is held.",
            "Record it once the OM has given it.",
        ),
        "keys.owner": (
            "A key has another owner than its folder.",
            "chown it to the user of the gateway.",
        ),
        "lmtp.folder": (
            "The folder of the socket for mail is not there, or is not ours to write.",
            "Make it, and let the user of the gateway write in it (docs/e-mail.md).",
        ),
        "lmtp.group": (
            "The group that may connect to that socket is not there, or we are not in it.",
            "Make the group, with the users of the gateway and of the mail server in it.",
        ),
        "lmtp.silent": (
            "The process runs, and nobody listens on the socket for mail.",
            "Restart it: [email] is read at the start.",
        ),
        "peer.chain": (
            "A partner shows a certificate that chains to no anchor, or not to its name.",
            "Ask the partner what it shows; look at trust/.",
        ),
        "port.refused": (
            "A port or address can not be opened.",
            "Below 1024 a capability is needed; the address must be of this machine.",
        ),
        "port.silent": (
            "The process runs, and nobody listens on one of its ports.",
            "Look at the options that it was started with.",
        ),
        "port.taken": (
            "A port is in use by another program.",
            "Stop that, or choose another port.",
        ),
        "exception.ended": (
            "An exception of a partner on the algorithms has ended.",
            "Take it out of gateway.toml.",
        ),
        "exception.in_force": (
            "A partner may still use an algorithm that Digikoppeling forbids.",
            "Ask the partner to move; take the exception out once that is possible.",
        ),
        "exception.shared_key": (
            "A key decrypts for a partner with an exception, and for others.",
            "Name an encryption certificate of its own in the agreement with the exception.",
        ),
        "retention.behind": (
            "Something that is due was not destroyed, or an epoch key is missing.",
            "See whether a process with the role sealer runs; docs/backup.md.",
        ),
        "rules.otherwise": (
            "A business rule counts otherwise for a partner.",
            "Take the exception away once that is possible.",
        ),
        "schemas.packs": (
            "A schema pack can not be read, or a message has no schema now.",
            "gateway schemas list; docs/schemas.md.",
        ),
        "system.error": (
            "The system refused to read or write a file.",
            "Look at rights and disk.",
        ),
        "trust.empty": (
            "There are no anchors or no revocation lists: nobody is trusted.",
            "Import them with `gateway certs import`.",
        ),
        "webhooks.state": (
            "A webhook was disabled, or has not got through for long.",
            "docs/webhooks.md.",
        ),
    },
)
