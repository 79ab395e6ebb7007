"""The Dockerfile, parsed: its stages, and its instructions in order."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped]  # its stubs would serve this one line

from tests.packaging import ROOT


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name in capitals, and the rest of it on one line."""

    name: str
    value: str

    @property
    def flags(self) -> dict[str, str]:
        """The leading ``--name=value`` options."""
        return dict(re.findall(r"--([a-z-]+)=(\S+)", self.value.partition("[")[0]))

    @property
    def words(self) -> list[str]:
        """What follows the options."""
        return [word for word in shlex.split(self.value) if not word.startswith("--")]

    @property
    def argv(self) -> list[str]:
        """The command of an instruction in exec form; raises `ValueError` when it is in shell form."""
        argv: list[str] = json.loads(self.value[self.value.index("[") :])
        return argv


def stages() -> list[list[Instruction]]:
    """The instructions of each stage, in order; each begins with its FROM."""
    found: list[list[Instruction]] = []
    for instruction in _instructions():
        if instruction.name == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def _instructions() -> Iterator[Instruction]:
    source = BytesIO((ROOT / "Dockerfile").read_bytes())
    for part in DockerfileParser(fileobj=source).structure:
        if part["instruction"] != "COMMENT":
            yield Instruction(part["instruction"], part["value"])


def only(stage: list[Instruction], name: str) -> Instruction:
    """The one instruction of that name in a stage."""
    (found,) = (instruction for instruction in stage if instruction.name == name)
    return found


def every(stage: list[Instruction], name: str) -> list[Instruction]:
    """All instructions of that name in a stage, in order."""
    return [instruction for instruction in stage if instruction.name == name]
