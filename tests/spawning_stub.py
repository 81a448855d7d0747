"""Stands for a program that `tests/spawning_server.py` forks: see `tests/spawning.py`.

Arguments: the socket of the server, and those of the program, as Python takes them. Loaded
without `site`, as it runs for each of them.
"""

import array
import json
import os
import signal
import socket
import sys

PASSED_ON = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2),
)


def main() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(sys.argv[1])
        with memoryfile() as asked:
            files = array.array("i", [0, 1, 2, asked.fileno()])
            server.sendmsg([b"run"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
        for number in PASSED_ON:
            signal.signal(number, lambda number, _: server.send(b"%d" % number))
        answer = server.recv(16)
    status = int(answer) if answer else -signal.SIGKILL
    if status < 0:
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def memoryfile():
    """What is asked, of any size."""
    file = open(os.memfd_create("asked"), "w+", encoding="utf-8", errors="surrogateescape")
    asked = {"arguments": sys.argv[2:], "environment": dict(os.environ), "folder": os.getcwd()}
    json.dump(asked, file)
    file.flush()
    return file


main()
