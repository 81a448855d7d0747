"""Mail servers: two Postfixes, one of a partner and one of ours, and a Dovecot for both."""

import imaplib
import os
import pwd
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.mail.commands import run

DOVECOT = "10.25.0.143"
PASSWORD = "postbus"
WAITS = f"/^traag@/ lmtp:inet:{DOVECOT}:26\n"
"""Where a Postfix brings mail in the beginning: nothing listens for one mailbox."""
LOCAL = (
    ("pickup", "pickup", "unix n - n 60 1"),
    ("cleanup", "cleanup", "unix n - n - 0"),
    ("qmgr", "qmgr", "unix n - n 300 1"),
    ("tlsmgr", "tlsmgr", "unix - - n 1000? 1"),
    ("rewrite", "trivial-rewrite", "unix - - n - -"),
    ("bounce", "bounce", "unix - - n - 0"),
    ("defer", "bounce", "unix - - n - 0"),
    ("trace", "bounce", "unix - - n - 0"),
    ("proxymap", "proxymap", "unix - - n - -"),
    ("smtp", "smtp", "unix - - n - -"),
    ("lmtp", "lmtp flags=X", "unix - - n - -"),
    ("error", "error", "unix - - n - -"),
    ("retry", "error", "unix - - n - -"),
    ("anvil", "anvil", "unix - - n - 1"),
    ("scache", "scache", "unix - - n - 1"),
    ("showq", "showq", "unix n - n - -"),
    ("flush", "flush", "unix n - n 1000? 0"),
    ("verify", "verify", "unix - - n - 1"),
    ("postlog", "postlogd", "unix-dgram n - n - 1"),
)


@dataclass(frozen=True)
class Postfix:
    """One instance: the domains that it is the last server of, and where it listens."""

    folder: Path
    name: str
    domains: tuple[str, ...]
    chain: Path
    """Certificate, its issuers and key, PEM."""
    listens: dict[str, str]
    """Address → options of its smtpd."""
    intake: tuple[str, Path] | None = None
    """Domain whose mail goes to a gateway, and the Unix socket on which that takes it."""

    def start(self) -> None:
        for name in ("conf", "queue", "data"):
            (self.folder / name).mkdir(parents=True)
        owner = pwd.getpwnam("postfix")
        os.chown(self.folder / "data", owner.pw_uid, owner.pw_gid)
        (self.folder / "conf" / "main.cf").write_text(self._main())
        (self.folder / "conf" / "master.cf").write_text(self._master())
        (self.folder / "conf" / "boxes").write_text("/^(vt|bericht|weg\\+jz|traag)@/ x\n")
        self._ways().write_text(WAITS)
        run("postfix", "-c", self.folder / "conf", "start")

    def stop(self) -> None:
        with suppress(AssertionError):
            run("postfix", "-c", self.folder / "conf", "abort")

    def reach_all(self) -> None:
        """Let what waits for a mailbox that could not be reached go on, now."""
        self._ways().write_text("")
        run("postfix", "-c", self.folder / "conf", "reload")
        self.flush()

    def flush(self) -> None:
        """Try what waits in the queue again, now."""
        run("postqueue", "-c", self.folder / "conf", "-f")

    def queued(self) -> bool:
        """Tell whether anything waits in the queue."""
        return "Mail queue is empty" not in run("postqueue", "-c", self.folder / "conf", "-p")

    def log(self) -> str:
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""

    def _main(self) -> str:
        return f"""
compatibility_level = 3.6
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = {self.folder}/log
maillog_file_prefixes = {self.folder}
inet_interfaces = {" ".join(self.listens)}
inet_protocols = ipv4
myhostname = {self.name}
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = {" ".join(self.domains)}
virtual_mailbox_maps = regexp:{self.folder}/conf/boxes
virtual_transport = lmtp:inet:{DOVECOT}:24
transport_maps = {self._transport()} regexp:{self._ways()}
delay_warning_time = 1s
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_chain_files = {self.chain}
smtpd_tls_protocols = >=TLSv1.2
smtp_tls_security_level = dane-only
smtp_dns_support_level = dnssec
smtp_host_lookup = dns
smtp_tls_loglevel = 1
message_size_limit = 1000000
"""

    def _ways(self) -> Path:
        return self.folder / "conf" / "ways"

    def _transport(self) -> str:
        if self.intake is None:
            return ""
        domain, socket = self.intake
        return f"inline:{{ {{ {domain} = lmtp:unix:{socket} }} }}"

    def _master(self) -> str:
        lines = [
            f"{address}:25 inet n - n - - smtpd {options}".rstrip()
            for address, options in self.listens.items()
        ]
        lines += [f"{service} {kind} {program}" for service, program, kind in LOCAL]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Dovecot:
    """Mailboxes with one password. Postfix knows one more, `weg`, that is not here any more."""

    folder: Path

    def start(self) -> None:
        (self.folder / "mail").mkdir(parents=True)
        os.chown(self.folder / "mail", pwd.getpwnam("mail").pw_uid, -1)
        conf = self.folder / "dovecot.conf"
        (self.folder / "nobody").touch()
        conf.write_text(f"""
protocols = imap lmtp
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.folder}/log
listen = {DOVECOT}
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{self.folder}/mail/%u
passdb {{
  driver = static
  username_filter = vt@* bericht@* traag@*
  args = password={PASSWORD}
}}
passdb {{
  driver = passwd-file
  args = {self.folder}/nobody
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={self.folder}/mail/%u
}}
service lmtp {{
  inet_listener lmtp {{
    address = {DOVECOT}
    port = 24
  }}
}}
service imap-login {{
  inet_listener imaps {{
    port = 0
  }}
}}
""")
        run("dovecot", "-c", conf)

    def stop(self) -> None:
        with suppress(AssertionError):
            run("doveadm", "-c", self.folder / "dovecot.conf", "stop")

    def mails(self, address: str) -> list[bytes]:
        """Return everything in the mailbox of an address, as a reader's program sees it."""
        with imaplib.IMAP4(DOVECOT) as reader:
            reader.login(address, PASSWORD)
            reader.select("INBOX", readonly=True)
            _, found = reader.search(None, "ALL")
            return [reader.fetch(n, "(BODY.PEEK[])")[1][0][1] for n in found[0].decode().split()]

    def wait_for(self, address: str, *tokens: str, seconds: float = 30.0) -> bytes:
        """Return the first mail that has each of the tokens in it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for mail in self.mails(address):
                if all(token.encode() in mail for token in tokens):
                    return mail
            time.sleep(0.1)
        raise AssertionError(f"no mail with {tokens} came in for {address}")
