"""Running the commands of the lab."""

import subprocess
import tempfile


def run(*command: object) -> str:
    """Return what a command wrote, once it ended well.

    To a file: what it leaves behind as a daemon would keep a pipe open.
    """
    with tempfile.TemporaryFile() as said:
        words = [str(word) for word in command]
        code = subprocess.run(words, check=False, stdout=said, stderr=said, timeout=60).returncode
        said.seek(0)
        text = said.read().decode(errors="replace")
    assert code == 0, (words, text)
    return text
