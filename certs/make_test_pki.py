"""Make test certificates: `python certs/make_test_pki.py FOLDER OIN NAME [OIN NAME ...]`."""  # noqa: INP001 - a script

import sys
from datetime import UTC, datetime
from pathlib import Path

from gateway.errors import Misconfigured
from gateway.keys.test_pki import write_test_pki


def main(arguments: list[str]) -> int:
    """Write the hierarchy; return the exit status."""
    if len(arguments) < 3 or len(arguments) % 2 == 0:  # noqa: PLR2004 - a folder and pairs
        sys.stderr.write(f"{__doc__}\n")
        return 2
    folder, *rest = arguments
    parties = dict(zip(rest[::2], rest[1::2], strict=True))
    try:
        write_test_pki(Path(folder), parties, at=datetime.now(UTC))
    except Misconfigured as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
