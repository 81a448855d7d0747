"""The Java process that plays partners: one for the whole run, driven line by line."""

import asyncio
import json
import subprocess
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from gateway.keys.test_pki import Leaf, pem

BUILT = Path(__file__).parents[2] / ".interop"
"""Made by `make .interop/.done`: jars, and the classes of `ebms/`."""

START = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
"""For a process of seconds: start soon, and compile little."""


@dataclass
class Santuario:
    """The process."""

    process: "subprocess.Popen[str]"
    _turn: Lock = field(default_factory=Lock)

    @classmethod
    def start(cls, *options: str) -> "Santuario":
        classpath = f"{BUILT / 'classes'}:{BUILT / 'jars'}/*"
        return cls(
            subprocess.Popen(
                [*(options or START), "-cp", classpath, "ebms.Main"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        )

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def ask(self, party: str, do: str, **what: Any) -> Any:
        """Give one command; raise when the peer could not do it."""
        with self._turn:
            self.process.stdin.write(json.dumps({"party": party, "do": do, **what}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        assert line, "the Java peer has ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["ok"]

    def open(self, party: str, own: dict[str, Leaf], partner: dict[str, Leaf], root: bytes) -> int:
        """Open the endpoint of a party; return its port."""
        pairs = {
            use: {"key": leaf.key.decode(), "certificates": leaf.pem.decode()}
            for use, leaf in own.items()
        }
        keys = {
            **pairs,
            "anchors": pem(root).decode(),
            "partnerSign": pem(partner["sign"].certificate).decode(),
            "partnerEncrypt": pem(partner["encrypt"].certificate).decode(),
        }
        return self.ask(party, "open", keys=keys)


@dataclass
class Party:
    """One of the parties that it plays."""

    java: Santuario
    name: str
    port: int
    terms: dict[str, Any] = field(default_factory=dict)

    async def ask(self, do: str, **what: Any) -> Any:
        return await asyncio.to_thread(self.java.ask, self.name, do, **what)

    async def agree(self, **changes: Any) -> None:
        """Begin anew under these terms."""
        self.terms = {**self.terms, **changes}
        await self.ask("agree", terms=self.terms)

    async def send(self, octets: bytes | None = None, /, **message: Any) -> dict[str, Any]:
        """Send a message, and return what was answered; without octets, a request to the MSH."""
        payloads = [] if octets is None else [b64encode(octets).decode()]
        sent = await self.ask("send", message={"payloads": payloads, **message})
        return {**sent, "messageId": message["messageId"]}

    async def take(self) -> list[dict[str, Any]]:
        """Wait for what it is sending by itself; return what came in since the last time."""
        await self.ask("settle")
        return await self.ask("take")


def payload(received: dict[str, Any]) -> bytes:
    """Return the only payload of what came in."""
    (one,) = received["payloads"]
    return b64decode(one)


def digests(references: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """Return what they say, without the white space of base64."""
    return [(one["uri"], one["method"], "".join(one["value"].split())) for one in references]
