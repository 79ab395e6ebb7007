"""Clean virtual environments and commands that run in them, untouched by what the test process has installed or set."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.packaging import ROOT

Command = Sequence[str | Path]

_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SYSTEMROOT")
_KEPT_PREFIXES = (
    "PIP_",
    "HTTP",
    "http",
    "HTTPS",
    "https",
    "NO_PROXY",
    "no_proxy",
)  # how this machine reaches a registry


def surroundings(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a user who has set nothing but `settings`."""
    kept = {k: v for k, v in os.environ.items() if k in _KEPT or k.startswith(_KEPT_PREFIXES)}
    return kept | dict(settings or {})


def run(
    command: Command, folder: Path, *, settings: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder; the caller judges its exit status.

    Raises:
        subprocess.TimeoutExpired: it took more than `timeout` seconds; it has been killed.
    """
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=surroundings(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def succeeded(result: subprocess.CompletedProcess[str]) -> str:
    """What a command printed; fails the test with it when the command failed."""
    assert result.returncode == 0, f"{result.args} ended with {result.returncode}:\n{result.stdout}"
    return result.stdout


def built_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout into `folder`, with the build tools of the lock files."""
    command: Command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    succeeded(run(command, folder))
    (wheel,) = folder.glob("opsgraph-*.whl")
    return wheel


def environment_with(wheel: Path, folder: Path) -> Path:
    """A new virtual environment with the locked requirements and the wheel, by plain pip; returns its `bin`."""
    succeeded(run([sys.executable, "-m", "venv", folder], folder.parent))
    install: Command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps"]
    succeeded(run([*install, "--require-hashes", "-r", ROOT / "requirements.lock"], folder))
    succeeded(run([*install, "--no-index", wheel], folder))
    return folder / "bin"
