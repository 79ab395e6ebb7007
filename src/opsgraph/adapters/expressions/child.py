"""The program that compiles and evaluates expressions, in a process of its own.

`process.py` runs it by path, without the rest of opsgraph and without what is installed beside it, so that it is there
within milliseconds when one before it was killed. One request a line comes in on standard input, one answer a line goes
out: for each item of `items` a list with true, false or an error for each of its expressions, for `check` an object
with what is wrong. A byte on what was standard error says that an evaluation begins; whoever finds the process dead
counts them to know which it was. It ends with its input, and so with the process that asked.
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from typing import Any

if sys.platform != "win32":
    import resource

CPU_SECONDS = 0.025
"""When one evaluation is stopped. The kernel looks every few milliseconds and memory is given back: 0.05 in all."""

MEMORY_BYTES = 256 * 1024 * 1024
"""How much more memory than at the start there may be."""

BEGUN = b"\x01"

_REMEMBERED = 2_000
_SAID = 1_000
_USUAL = {
    "BOOL": True,
    "INT": 3,
    "DOUBLE": 1.5,
    "STRING": "a text",
    "LINK": "https://example.com/runbook",
    "STRINGS": ["one", "two"],
    "MAP": {"name": "a text", "count": 3, "flag": True, "list": [1, 2, 3]},
}

Fields = Mapping[str, str]
Values = Mapping[str, Any]
_Names = tuple[tuple[str, str], ...]


class Programs:
    """Compiled expressions, kept by the fields that they can name.

    Args:
        cel: the binding's module, which is found only once the program knows where it is.
    """

    def __init__(self, cel: Any) -> None:
        kinds = cel.Type
        self._types = {
            "BOOL": kinds.BOOL,
            "INT": kinds.INT,
            "DOUBLE": kinds.DOUBLE,
            "STRING": kinds.STRING,
            "LINK": kinds.STRING,
            "STRINGS": kinds.List(kinds.STRING),
            "MAP": kinds.Map(kinds.STRING, kinds.DYN),
        }
        self._cel = cel
        self._environments: dict[_Names, Any] = {}
        self._compiled: dict[tuple[_Names, str], Any] = {}

    def forget(self) -> None:
        """Make room once there are many; it takes a while, so it is done before the time of an evaluation counts."""
        if len(self._compiled) > _REMEMBERED:
            self._compiled.clear()
            self._environments.clear()

    def evaluate(self, text: str, fields: Fields, values: Values) -> bool | str:
        """What an expression comes to, or what went wrong."""
        try:
            found = self.compile(text, fields).eval(data=values)
            value, kind = found.value(), found.type()
        except Exception as error:  # noqa: BLE001 - whatever an expression does is an error in its place
            return _said(error)
        if kind == self._cel.Type.BOOL:
            return bool(value)
        return str(value)[:_SAID] if kind == self._cel.Type.ERROR else f"comes to {kind.name().lower()}, not to bool"

    def check(self, text: str, fields: Fields) -> dict[str, str]:
        """What is wrong with an expression: an `error` of compiling it or of its limits, or the `type` that it has.

        It is tried with nothing and with usual values, so that whoever saves one that breaks a limit learns it then.
        """
        try:
            program = self.compile(text, fields)
            kind = program.return_type()
            if kind != self._cel.Type.BOOL:
                return {"type": str(kind.name())}
            for values in ({}, {name: _USUAL[kind] for name, kind in fields.items()}):
                program.eval(data=values)
        except Exception as error:  # noqa: BLE001 - whatever an expression does is what is wrong with it
            return {"error": _said(error)}
        return {}

    def compile(self, text: str, fields: Fields) -> Any:
        """A program, from memory if it was compiled before; an error is met again each time."""
        names = tuple(fields.items())
        if names not in self._environments:
            variables = {name: self._types[kind] for name, kind in names}
            self._environments[names] = self._cel.NewEnv(variables=variables)
        key = (names, text)
        if key not in self._compiled:
            self._compiled[key] = self._environments[names].compile(text)
        return self._compiled[key]


class Meter:
    """Says which evaluation goes on, and lets none go on for long.

    Args:
        told: the file descriptor that takes a byte for each.
    """

    def __init__(self, told: int) -> None:
        self._told = told

    def begin(self) -> None:
        """Say that an evaluation begins; the process is killed when it has taken its time."""
        os.write(self._told, BEGUN)
        if sys.platform != "win32":  # there, whoever asked waits for so long and no longer
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)

    def end(self) -> None:
        """What follows is no evaluation."""
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, 0)


def serve(programs: Programs, meter: Meter, requests: Iterable[bytes]) -> None:
    """Answer each request."""
    for line in requests:
        request = json.loads(line)
        fields = request["fields"]
        programs.forget()
        if "check" in request:
            meter.begin()
            _answer(meter, programs.check(request["check"], fields))
        texts = request.get("expressions", ())
        for places, values in request.get("items", ()):
            _answer(meter, [_evaluated(programs, meter, texts[place], fields, values) for place in places])


def _evaluated(programs: Programs, meter: Meter, text: str, fields: Fields, values: Values) -> bool | str:
    meter.begin()
    return programs.evaluate(text, fields, values)


def _answer(meter: Meter, answer: Any) -> None:
    meter.end()
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()


def _said(error: Exception) -> str:
    return (str(error) if isinstance(error, RuntimeError) else f"{type(error).__name__}: {error}")[:_SAID]


def _quiet() -> int:
    """Standard error under another number: libraries write there what they find odd, and nobody reads it."""
    told = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return told


def _confine(files: int) -> None:
    """Take from this process what no expression needs: memory without end, more files, what is left of the dead."""
    if sys.platform == "win32":
        return
    for limit, most in (
        (resource.RLIMIT_AS, _memory() + MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(limit, (wanted, wanted))
        except (OSError, ValueError):
            continue  # macOS has no limit of addresses; the limit of time is left


def _memory() -> int:
    """How many bytes of addresses the process has."""
    try:
        with open("/proc/self/statm", "rb") as sizes:  # noqa: PTH123 - pathlib takes as long to import as all the rest
            return int(sizes.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 1024 * 1024 * 1024


def main(folder: str) -> None:
    """Serve with the binding that is installed in a folder."""
    sys.path.append(folder)
    from cel_expr_python import cel  # noqa: PLC0415 - it is found in the folder that was just named

    programs = Programs(cel)
    programs.check("true", {})
    told = _quiet()
    _confine(files=told + 1)
    gc.freeze()
    gc.disable()
    serve(programs, Meter(told), sys.stdin.buffer)


if __name__ == "__main__":
    main(sys.argv[1])
