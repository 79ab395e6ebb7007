"""The npm packages that the checks use, installed from their lock file into a cache below the checkout."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.packaging import ROOT

_MANIFESTS = Path(__file__).parent / "node"
_CACHE = ROOT / ".make"


def node() -> str:
    """The Node.js program; skips the test where there is none, or no npm to install with."""
    program = shutil.which("node")
    if program is None or shutil.which("npm") is None:
        pytest.skip("Node.js and npm are not installed")
    return program


def packages() -> Path:
    """A folder with node_modules as the lock file has them; made once for each state of the lock file."""
    lock = (_MANIFESTS / "package-lock.json").read_bytes()
    folder = _CACHE / f"node-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.is_dir():
        _CACHE.mkdir(exist_ok=True)
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=_CACHE) as temporary:
        unfinished = Path(temporary) / "node"
        shutil.copytree(_MANIFESTS, unfinished)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=unfinished,
            stdin=subprocess.DEVNULL,
            check=True,
            timeout=180,
        )
        if not folder.is_dir():  # another test process may have been faster
            unfinished.rename(folder)
