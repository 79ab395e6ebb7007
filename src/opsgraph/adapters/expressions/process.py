"""A child process that evaluates: started, asked, and ended."""

import asyncio
import contextlib
import importlib.util
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from opsgraph.adapters.expressions.child import BEGUN

PATIENCE_SECONDS = 2 if sys.platform == "win32" else 30
"""How long an answer may take by the wall clock. The limit of CPU comes first where there is one; Windows has none."""

_PROGRAM = Path(__file__).with_name("child.py")
_LONGEST_LINE = 2**26
_AT_ONCE = 65_536
_KEPT = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""What an interpreter may need to start; nothing else of the environment reaches the child."""


@dataclass(frozen=True, slots=True)
class Death:
    """How a child ended while it was asked.

    Attributes:
        begun: how many evaluations of the request it had begun; 0 if it did not die of one.
        cause: what the last one of them did.
        words: what it said before.
    """

    begun: int
    cause: str
    words: str


class Child:
    """One process. It answers one request at a time; whoever gives up in the middle of one has to end it."""

    def __init__(self, process: Process, begun: int) -> None:
        self._process = process
        self._begun = begun
        self._killed = False
        self._ended = False

    @classmethod
    async def start(cls) -> Self:
        """A new one."""
        begun, write_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_PROGRAM), _installed()),
                stdin=PIPE,
                stdout=PIPE,
                stderr=write_end,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                limit=_LONGEST_LINE,
                start_new_session=True,  # a Ctrl-C is for the server, which ends its children in order
            )
        except BaseException:
            os.close(begun)
            raise
        finally:
            os.close(write_end)
        return cls(process, begun)

    async def ask(self, request: bytes, lines: int, evaluations: int) -> tuple[list[bytes], Death | None]:
        """The answers to a request, and how the child ended if it did before all of them.

        Args:
            request: one line.
            lines: how many lines the answers are.
            evaluations: how many evaluations it asks for.
        """
        answers: list[bytes] = []
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._send(request)
            while len(answers) < lines:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    line = await self._received.readline()
                if not line.endswith(b"\n"):
                    return answers, await self._death(stuck=False)
                answers.append(line)
        except TimeoutError:
            return answers, await self._death(stuck=True)
        self._forget(evaluations)
        return answers, None

    def kill(self) -> None:
        """End it at once; `end` has to follow."""
        if self._process.returncode is None and not self._killed:
            self._killed = True
            with contextlib.suppress(ProcessLookupError):
                self._signal_end()

    async def end(self) -> None:
        """End it, and give back what it took of this process."""
        if self._ended:
            return
        self._ended = True
        self.kill()
        await self._process.communicate()
        os.close(self._begun)

    @property
    def _received(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None, "it was asked for"  # noqa: S101 - tells mypy what PIPE means
        return self._process.stdout

    def _signal_end(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
        else:
            # Its own `kill` asks first whether and how it has ended: the system tells only once, and not asyncio then.
            os.kill(self._process.pid, signal.SIGKILL)

    async def _send(self, request: bytes) -> None:
        assert self._process.stdin is not None, "it was asked for"  # noqa: S101 - tells mypy what PIPE means
        with contextlib.suppress(ConnectionError):  # of its death the missing answer tells
            self._process.stdin.write(request)
            await self._process.stdin.drain()

    def _forget(self, evaluations: int) -> None:
        """Read what was said of evaluations that came to an end: it is there by now."""
        while evaluations > 0:
            evaluations -= os.read(self._begun, _AT_ONCE).count(BEGUN)

    async def _death(self, *, stuck: bool) -> Death:
        if stuck:
            self.kill()  # else it is dying by itself, and how is what there is to know
        await self._process.wait()
        said = bytearray()
        while read := os.read(self._begun, _AT_ONCE):
            said += read
        words = bytes(said).replace(BEGUN, b"").decode(errors="replace").strip()
        return Death(said.count(BEGUN), _cause(self._process.returncode, stuck=stuck), words)


def _installed() -> str:
    """The folder in which the binding of CEL is installed; to import it here would cost memory and serve nothing."""
    spec = importlib.util.find_spec("cel_expr_python")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("cel-expr-python is not installed", name="cel_expr_python")
    return str(Path(next(iter(spec.submodule_search_locations))).parent)


def _cause(code: int | None, *, stuck: bool) -> str:
    if stuck:
        return "does not come to an end"
    if sys.platform != "win32" and code == -signal.SIGPROF:
        return "takes too much CPU"
    return "takes too much memory"
