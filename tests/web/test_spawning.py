"""What is forked by `tests/spawning.py` is the program: whoever starts it sees no difference."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.spawning import program, without_gateway

ROOT = Path(__file__).parents[2]
SAYS = """
import asyncio, atexit, json, os, signal, sys, threading
loaded = sys.modules.keys() & {"gateway.service", "gateway.cli.serving"}
print(json.dumps({
    "argv": sys.argv, "environment": dict(os.environ), "folder": os.getcwd(), "name": __name__,
    "path": sys.path[0], "input": sys.stdin.read(), "threads": threading.active_count(),
    "loop": asyncio._get_running_loop() is not None,
    "open": sorted(os.listdir("/proc/self/fd"))[:-1],
    "signals": [signal.getsignal(n) is d for n, d in (
        (signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL),
        (signal.SIGCHLD, signal.SIG_DFL), (signal.SIGPIPE, signal.SIG_IGN))],
    "buffered": not sys.stdout.write_through,
}))
print("é", file=sys.stderr)
atexit.register(print, "the end")
"""
ENDS = {
    "returns": "pass",
    "status": "raise SystemExit(75)",
    "words": "raise SystemExit('gone')",
    "error": "raise ValueError('wrong')",
    "interrupted": "import os, signal; os.kill(os.getpid(), signal.SIGINT)",
    "terminated": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "at once": "import os; os._exit(3)",
}
WAITS = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", flush=True)
time.sleep(60)
"""


def heard():
    """Whoever runs the tests in the background has them ignore these, and their programs too."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def ran(command, folder, **options):
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        preexec_fn=heard,
        **options,
    )


@pytest.fixture
def script(tmp_path):
    def write(text: str) -> str:
        (tmp_path / "script.py").write_text(text, encoding="utf-8")
        return "script.py"

    return write


@pytest.mark.parametrize("arguments", [("script.py",), ("-u", "script.py"), ("-m", "script")])
def test_it_is_given_what_a_program_is_given(script, tmp_path, arguments):
    script(SAYS)
    given = {"input": "what comes in\n", "env": {"A": "1", "B": "two words", "LC_ALL": "C.UTF-8"}}
    arguments = (*arguments, "x y", "--é")

    forked = ran(program(*arguments), tmp_path, **given)
    started = ran((sys.executable, *arguments), tmp_path, **given)

    assert forked.stdout == started.stdout
    assert '"open": ["0", "1", "2"]' in forked.stdout
    assert (forked.returncode, forked.stderr) == (started.returncode, started.stderr) == (0, "é\n")


@pytest.mark.parametrize("how", ENDS)
def test_it_ends_as_a_program_ends(script, tmp_path, how):
    name = script(ENDS[how])

    forked = ran(program(name), tmp_path)
    started = ran((sys.executable, name), tmp_path)

    assert forked.returncode == started.returncode
    assert forked.stderr.splitlines()[-1:] == started.stderr.splitlines()[-1:]


@pytest.mark.parametrize(
    ("number", "status"),
    [
        *((signal.SIGTERM, 7), (signal.SIGINT, -signal.SIGINT)),
        *((signal.SIGKILL, -signal.SIGKILL), (signal.SIGHUP, -signal.SIGHUP)),
    ],
)
def test_a_signal_reaches_it(script, tmp_path, number, status):
    """Also one that nobody can pass on: its output ends, so it does not run any longer."""
    with subprocess.Popen(
        program(script(WAITS)),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=heard,  # noqa: PLW1509 - no other thread runs here
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        begun = time.monotonic()
        process.send_signal(number)
        assert process.stdout.read() == b""
        assert process.wait(30) == status

    assert time.monotonic() - begun < 30


def test_what_is_imported_is_imported_once_and_none_of_the_gateway_where_it_is_to_change(
    script, tmp_path
):
    name = script(
        "import sys; print('aiohttp' in sys.modules, 'gateway.service' in sys.modules,"
        " any(m.partition('.')[0] in ('gateway', 'tests') for m in sys.modules))"
    )

    assert ran(program(name), tmp_path).stdout == "True True True\n"
    assert ran(without_gateway(name), tmp_path).stdout == "True False False\n"


@pytest.mark.parametrize(
    "arguments", [("--help",), ("berichten", "list", "-c", "/nowhere"), ("x",)]
)
def test_the_command_itself_says_the_same_from_an_interpreter_of_its_own(arguments):
    installed = Path(sys.executable).with_name("gateway")
    environment = {"env": {"COLUMNS": "100", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}}

    real = ran((installed, *arguments), ROOT, **environment)
    forked = ran(program("-m", "gateway", *arguments), ROOT, **environment)

    assert (forked.returncode, forked.stdout, forked.stderr) == (
        *(real.returncode, real.stdout, real.stderr),
    )
