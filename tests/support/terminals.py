"""Commands as people see them: their output goes to a terminal."""

import os
import pty
import subprocess
from pathlib import Path

from tests.packaging.environments import surroundings
from tests.support.cli import OPSGRAPH

_READ = 65_536


def seen(folder: Path, *arguments: str, **settings: str) -> str:
    """What a command writes to a terminal of 100 columns, in colours, where it is 9 hours later than in Greenwich."""
    leader, follower = pty.openpty()
    environment = {"TERM": "xterm-256color", "COLUMNS": "100", "TZ": "Asia/Tokyo", **settings}
    with subprocess.Popen(
        [OPSGRAPH, *arguments],
        cwd=folder,
        env=surroundings(environment),
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(follower)
        output = _all_of(leader)
        assert process.wait() == 0, output
    return output.replace("\r\n", "\n")


def _all_of(leader: int) -> str:
    """Everything that is written, until nobody writes any more."""
    found = b""
    with open(leader, "rb", buffering=0) as reader:
        while True:
            try:
                piece = reader.read(_READ)
            except OSError:  # how Linux tells that the last writer is gone
                piece = b""
            if not piece:
                return found.decode()
            found += piece
