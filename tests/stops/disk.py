"""`gateway serve` on a disk that a file fills or makes read-only: `python -m tests.stops.disk`.

Arguments: the installation, and the file: empty, or `full`, or `readonly`. SQLite itself gives
the errors, as it does on such a disk.
"""

import sys
from pathlib import Path

from gateway.cli.serving import serve
from gateway.store.sqlite import Sqlite

ROOMY = 1_000_000


def install(trouble: Path) -> None:
    """Look into the file at each BEGIN."""
    begin = Sqlite.begin

    def troubled(self: Sqlite, connection):
        word = trouble.read_text(encoding="utf-8").strip()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        most = pages if word == "full" else ROOMY
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")
        read_only = "ON" if word == "readonly" else "OFF"
        connection.exec_driver_sql(f"PRAGMA query_only = {read_only}")
        begin(self, connection)

    Sqlite.begin = troubled


if __name__ == "__main__":
    install(Path(sys.argv[2]))
    serve(Path(sys.argv[1]))
