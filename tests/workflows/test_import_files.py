"""Finding and reading files: in a fixed order, each once, in bounded memory, and never with a traceback."""

import gzip
import os
from pathlib import Path

import pytest

from opsgraph.workflows.importing import files
from opsgraph.workflows.importing.files import UnusableFileError, find_files, read_lines, read_text

YAML = (".yaml", ".yml")


def names(folder: Path, *paths: Path) -> list[str]:
    """The files found, relative to a folder."""
    return [str(file.path.relative_to(folder)) for file in find_files(paths, YAML)[0]]


def put(path: Path, content: bytes = b"x") -> Path:
    """A file with what it needs around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def lines(path: Path) -> list[str]:
    """All lines of a file that was named."""
    (file,), _ = find_files([path], ())
    return list(read_lines(file, lambda _: None))


def refused(path: Path) -> tuple[str, int | None]:
    """Why a file cannot be read line by line, and from which line on."""
    with pytest.raises(UnusableFileError) as caught:
        lines(path)
    return caught.value.reason, caught.value.line


def test_folders_are_searched_in_order(tmp_path: Path) -> None:
    """Those below included, by name; other endings and hidden names are passed over."""
    for name in ("b.yaml", "a/z.YML", "a/c/1.yaml", "c.txt", ".git/x.yaml", ".x.yaml", "d.yaml/e.yaml"):
        put(tmp_path / name)
    assert names(tmp_path, tmp_path) == ["a/c/1.yaml", "a/z.YML", "b.yaml", "d.yaml/e.yaml"]


def test_a_named_file_counts_whatever_its_name(tmp_path: Path) -> None:
    """Whoever names a file means it; the order of arguments is kept."""
    hidden, plain = put(tmp_path / ".hidden"), put(tmp_path / "a.yaml")
    assert names(tmp_path, hidden, plain) == [".hidden", "a.yaml"]


def test_a_file_counts_once(tmp_path: Path) -> None:
    """Named twice, in a folder that is named as well, linked, or linked hard."""
    first = put(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").symlink_to(first)
    os.link(first, tmp_path / "c.yaml")
    assert names(tmp_path, first, tmp_path, first) == ["a.yaml"]


def test_links_in_circles_end(tmp_path: Path) -> None:
    """A folder that leads back to itself is looked into once."""
    put(tmp_path / "a" / "x.yaml")
    (tmp_path / "a" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert names(tmp_path, tmp_path) == ["a/x.yaml"]


def test_problems_with_paths_are_named(tmp_path: Path) -> None:
    """Missing, broken or impossible ones; others are found all the same."""
    (tmp_path / "broken.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "broken.txt").symlink_to(tmp_path / "nowhere")
    found, problems = find_files([tmp_path / "missing", Path("nul\0"), tmp_path, Path("/dev/null")], YAML)
    assert found == []
    assert [(Path(problem.file).name, problem.reason.partition(":")[0]) for problem in problems] == [
        ("missing", "there is no such file or folder"),
        ("nul\\x00", "cannot be read"),
        ("broken.yaml", "there is no such file or folder"),
        ("null", "is neither a file nor a folder"),
    ]


def test_names_in_messages_are_plain_text(tmp_path: Path) -> None:
    """Line breaks, escape sequences and bytes that are no text cannot steer a terminal or break JSON."""
    odd = os.fsdecode(b"a\n\x1b[31m\xff.yaml")
    put(tmp_path / odd)
    ((file,), _) = find_files([tmp_path], YAML)
    assert file.name == f"{tmp_path}/a\\n\\x1b[31m\\udcff.yaml"


def test_text_is_read_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large, binary or of another encoding is refused with its line."""
    monkeypatch.setattr(files, "LARGEST_TEXT", 20)
    contents = {
        "good": "ü\n".encode(),
        "large": b"x" * 21,
        "binary": b"a\nb\0c",
        "latin": b"one\ntwo\nK\xf6ln",
    }
    paths = [put(tmp_path / f"{name}.yaml", content) for name, content in contents.items()]
    found, _ = find_files(paths, YAML)
    assert read_text(found[0]) == "ü\n"
    said = []
    for file in found[1:]:
        with pytest.raises(UnusableFileError) as caught:
            read_text(file)
        said.append((caught.value.reason, caught.value.line))
    assert said == [
        ("has 21 bytes; at most 20 are read", None),
        ("is not UTF-8 text: it holds zero bytes", 2),
        ("is not UTF-8 text: byte 0xF6 does not fit", 3),
    ]


def test_lines_are_read_as_they_are_also_packed(tmp_path: Path) -> None:
    """Whether a file is packed shows in its content, not in its name."""
    text = "ü,1\r\n2\n\n3"
    plain, packed = put(tmp_path / "a.csv.gz", text.encode()), put(tmp_path / "b.csv", gzip.compress(text.encode()))
    assert lines(plain) == lines(packed) == ["ü,1\r\n", "2\n", "\n", "3"]


def test_damaged_files_say_where_they_break(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off, scrambled, with an endless line, or no text: a reason each, and the line where there is one."""
    monkeypatch.setattr(files, "LONGEST_LINE", 10)
    packed = bytearray(gzip.compress(os.urandom(3000).hex("\n").encode()))
    assert refused(put(tmp_path / "cut.gz", bytes(packed[:500])))[0].startswith("cannot be read: Compressed file ended")
    packed[200:210] = b"##########"
    assert refused(put(tmp_path / "scrambled.gz", bytes(packed)))[0].startswith("cannot be read")
    assert refused(put(tmp_path / "long.csv", b"1234567890\n12345678901\n")) == ("the line is longer than 10 bytes", 1)
    assert refused(put(tmp_path / "nul.csv", b"1\n2\0\n")) == ("is not UTF-8 text: it holds zero bytes", 2)
    assert refused(put(tmp_path / "latin.csv", b"1\n2\n\xff\n")) == ("is not UTF-8 text: byte 0xFF does not fit", 3)


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    """As `export | import /dev/stdin` does; only when it is named, never when a folder holds one."""
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    assert names(tmp_path, tmp_path) == []
    descriptor = os.open(pipe, os.O_RDWR)  # both ends, so that opening it to read does not wait
    os.write(descriptor, b"a: 1\n")
    (file,), _ = find_files([pipe], YAML)
    stream = read_lines(file, lambda _: None)
    assert next(stream) == "a: 1\n"
    os.close(descriptor)
    assert list(stream) == []
