"""The completion of the shell, as the shell asks for it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def home(tmp_path):
    """A home with a `gateway` on its path."""
    program = tmp_path / "bin" / "gateway"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m gateway "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    (tmp_path / ".bashrc").write_text("# was there\n", encoding="utf-8")
    return tmp_path


def run(home, *command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def in_bash(home, script: str) -> list[str]:
    return run(home, "bash", "-c", script).split()


def completed(*words: str) -> str:
    """Return what bash does when somebody presses Tab at the end of these words."""
    line = " ".join(shlex.quote(word) for word in words)
    return (
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
        "_gateway_completion gateway; printf '%s\\n' \"${COMPREPLY[@]}\""
    )


def test_bash_completes_what_the_installed_script_says(home):
    """`--install-completion` knows the shell that it is called from."""
    run(home, "bash", "-c", "gateway --install-completion; true")
    bashrc = (home / ".bashrc").read_text(encoding="utf-8")
    script = ". ~/.bash_completions/gateway.sh; "

    assert bashrc.startswith("# was there\n")
    assert "gateway.sh" in bashrc
    assert in_bash(home, script + completed("gateway", "beri")) == ["berichten"]
    assert set(in_bash(home, script + completed("gateway", "certs", ""))) == {
        *("import", "list", "make-test-pki", "show"),
    }
    assert in_bash(home, script + completed("gateway", "doctor", "--par")) == ["--partners"]


def test_a_choice_is_completed_with_its_values(home):
    shown = run(home, "bash", "-c", "gateway --show-completion; true")
    words = ("gateway", "certs", "import", "x.pem", "--voor", "onder")

    assert "_GATEWAY_COMPLETE=complete_bash" in shown
    assert in_bash(home, f"eval {shlex.quote(shown)}; " + completed(*words)) == ["ondertekening"]


@pytest.mark.parametrize(
    ("shell", "more"),
    [("zsh", {}), ("fish", {"_TYPER_COMPLETE_FISH_ACTION": "get-args"})],
)
def test_other_shells_get_their_answer(home, shell, more):
    asked = {"_GATEWAY_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "gateway alar"}

    assert "alarmen" in run(home, "gateway", **asked, **more)
