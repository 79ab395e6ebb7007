"""The Dockerfile keeps its promises, and its commands work: those of the builder are run, with folders mapped."""

import re
import shutil
import sys
import tomllib
from pathlib import Path

from tests.packaging import ROOT
from tests.packaging.dockerfile import Instruction, every, only, stages
from tests.packaging.environments import Command, run, succeeded
from tests.packaging.serving import free_port, serving

BUILDER, FINAL = stages()
EVERYTHING = [*BUILDER, *FINAL]


def test_two_stages_stand_on_one_exactly_pinned_slim_image() -> None:
    """A rebuild next year starts from the same Python."""
    bases = [only(stage, "FROM").words[0] for stage in (BUILDER, FINAL)]
    assert bases[0] == bases[1]
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", bases[0])
    assert only(BUILDER, "FROM").words[1:] == ["AS", "builder"]


def test_the_python_of_the_image_is_one_that_the_project_supports() -> None:
    """The classifiers of pyproject.toml name the image's Python."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = re.search(r"python:(3\.\d+)\.", only(FINAL, "FROM").value)
    assert version is not None
    assert f"Programming Language :: Python :: {version[1]}" in project["classifiers"]


def test_everything_from_a_registry_is_pinned_by_hash() -> None:
    """Each pip command takes a lock file with hashes, or nothing from a registry at all."""
    commands = [part.strip() for run_ in every(BUILDER, "RUN") for part in run_.value.split("&&") if "pip " in part]
    installs = [command for command in commands if " uninstall " not in command]
    assert installs
    assert [c for c in installs if not re.search(r"--require-hashes|--no-index|--no-build-isolation", c)] == []
    assert [c for c in installs if "--no-deps" not in c] == []


def test_requirements_are_installed_before_the_source_is_copied() -> None:
    """A change of code does not install everything again."""
    values = [instruction.value for instruction in BUILDER]
    installed = next(i for i, value in enumerate(values) if "requirements.lock" in value and "pip install" in value)
    assert installed < values.index("src ./src")


def test_the_final_stage_has_no_tools_to_build_or_fetch_with() -> None:
    """No package manager runs in it, and the environment it receives has lost its pip."""
    commands = " ".join(instruction.value for instruction in FINAL)
    assert re.findall(r"\b(apt-get|apk|pip|gcc|make|curl|wget|git)\b", commands) == []
    assert "pip uninstall" in every(BUILDER, "RUN")[-1].value
    assert every(EVERYTHING, "ADD") == []


def test_it_runs_as_a_numbered_user_without_privileges() -> None:
    """Orchestrators can verify by number that it is not root; nothing runs as root after that."""
    user = only(FINAL, "USER")
    assert all(int(number) >= 1000 for number in user.value.split(":"))
    after = {instruction.name for instruction in FINAL[FINAL.index(user) + 1 :]}
    assert "CMD" in after
    assert not after & {"RUN", "COPY", "ADD", "USER"}


def test_what_it_copies_into_the_image_belongs_to_that_user() -> None:
    """The one COPY takes the environment from the builder."""
    copy = only(FINAL, "COPY")
    assert copy.flags == {"from": "builder", "chown": only(FINAL, "USER").value}


def test_it_carries_the_standard_labels() -> None:
    """Title, description, licence, version and revision, as image registries show them."""
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', only(FINAL, "LABEL").value))
    assert set(labels) == {"title", "description", "licenses", "version", "revision"}
    assert labels["licenses"] == "Apache-2.0"


def test_its_version_is_the_version_of_the_project() -> None:
    """The default of the build argument follows pyproject.toml."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"VERSION={version}" in [argument.value for argument in every(FINAL, "ARG")]


def test_it_checks_its_own_health_without_curl() -> None:
    """With the intervals that the documentation names, in exec form."""
    check = only(FINAL, "HEALTHCHECK")
    assert check.flags == {"interval": "30s", "timeout": "5s", "start-period": "15s", "retries": "3"}
    assert check.argv[:2] == ["python", "-c"]
    assert "http://127.0.0.1:8000/health'" in check.argv[2]


def test_its_port_its_data_and_its_command() -> None:
    """What someone who runs it relies on; exec form, so that signals reach the server."""
    assert only(FINAL, "EXPOSE").value == "8000"
    assert only(FINAL, "VOLUME").argv == ["/data"] == [only(FINAL, "WORKDIR").value]
    assert only(FINAL, "CMD").argv == ["opsgraph", "serve", "--host", "0.0.0.0", "--port", "8000"]  # noqa: S104 - the image's own


def test_it_carries_no_secret() -> None:
    """No variable or argument of the image is named like one."""
    named = " ".join(i.value for i in EVERYTHING if i.name in {"ARG", "ENV"})
    assert re.findall(r"(?i)\w*(?:password|secret|token|key)\w*", named) == []


def test_the_context_holds_what_is_copied_and_little_else() -> None:
    """.dockerignore refuses everything that it does not name."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    copied = {source for copy in every(BUILDER, "COPY") for source in copy.words[:-1]}
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied


class Sandbox:
    """The folders of the image, mapped into a temporary one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.build = root / "build"
        self.build.mkdir()

    def mapped(self, command: str) -> str:
        """The command with the image's folders replaced by the sandbox's."""
        return re.sub(r"(?<![\w./])/(?=(?:opt|build)\b)", f"{self.root}/", command)

    def apply(self, instruction: Instruction) -> None:
        """Do what the instruction does; those that only describe the image are passed over."""
        if instruction.name == "COPY":
            *sources, target = instruction.words
            for source in sources:
                self._copy(source, target)
        elif instruction.name == "RUN":
            python_first = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
            command = ["sh", "-ec", self.mapped(instruction.value)]
            succeeded(run(command, self.build, settings=python_first, timeout=300))

    def _copy(self, source: str, target: str) -> None:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, self.build / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, self.build / target)


def test_the_commands_of_the_image_work(tmp_path: Path) -> None:
    """The builder's lines make an environment whose server is refused on all addresses, and is healthy on loopback.

    The final stage's RUN makes a user, which needs root in an image of its own; it is not run here.
    """
    sandbox = Sandbox(tmp_path)
    for instruction in BUILDER:
        sandbox.apply(instruction)
    bin_folder = tmp_path / "opt" / "opsgraph" / "bin"
    assert not list((tmp_path / "opt" / "opsgraph").glob("lib/python*/site-packages/pip"))

    program, *arguments = only(FINAL, "CMD").argv
    refused = run([bin_folder / program, *with_port(arguments, free_port())], tmp_path, timeout=60)
    assert refused.returncode != 0
    assert "opsgraph keys create" in " ".join(refused.stdout.split())

    _, flag, code = only(FINAL, "HEALTHCHECK").argv
    with serving(bin_folder / "opsgraph", tmp_path) as url:
        check: Command = [bin_folder / "python", flag, code.replace("http://127.0.0.1:8000", url)]
        succeeded(run(check, tmp_path))
    assert run(check, tmp_path).returncode != 0


def with_port(arguments: list[str], port: int) -> list[str]:
    """The arguments with another port than the image's, which may be taken on this machine."""
    return [str(port) if argument == "8000" else argument for argument in arguments]
