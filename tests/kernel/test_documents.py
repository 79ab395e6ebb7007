"""Reading and writing YAML documents."""

from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.kernel import documents
from opsgraph.kernel.documents import Document, read_documents, write_documents
from opsgraph.kernel.fields import Fields, Misfit
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.text import free_name

REAL_FILES = Path(__file__).parents[2].parent / "shared" / "data"


def values(text: str) -> list[dict[str, object]]:
    """The values of a text in which everything can be read."""
    return [part.value for part in good(text)]


def good(text: str) -> list[Document]:
    """The documents of a text in which everything can be read."""
    parts = read_documents(text, "a.yaml")
    assert [part for part in parts if isinstance(part, Finding)] == []
    return [part for part in parts if isinstance(part, Document)]


def only_fault(text: str) -> Finding:
    """The finding of a text of which nothing else is left."""
    (found,) = read_documents(text, "a.yaml")
    assert isinstance(found, Finding)
    return found


@pytest.fixture(params=["libyaml", "python"])
def _each_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.setattr(documents, "_LOADER", yaml.SafeLoader)


@pytest.mark.usefixtures("_each_parser")
class TestBothParsers:
    """What holds with and without libyaml."""

    def test_documents_know_their_lines(self) -> None:
        """Each document has the line it begins on, whatever stands between them."""
        found = good("# a comment\na: 1\n---\n\n# another\nb:\n  - x\n  - y: 2\n...\n---\nc: 3\n")
        assert [(part.line, part.value) for part in found] == [
            (2, {"a": 1}),
            (6, {"b": ["x", {"y": 2}]}),
            (11, {"c": 3}),
        ]
        assert found[1].line_of(("b", 1, "y")) == 8

    def test_a_block_ends_with_its_document(self) -> None:
        """A text before a document marker keeps its line end, as the last one of the file does."""
        assert values("a: |\n  x\n---\nb: |\n  y\n...\nc: |\n  z") == [{"a": "x\n"}, {"b": "y\n"}, {"c": "z"}]

    def test_a_list_is_a_document_an_item(self) -> None:
        """Items of a top-level list are documents with lines and paths of their own."""
        first, second = good("- a: 1\n-\n  b:\n    c: 2\n")
        assert (first.line, second.line, second.line_of(("b", "c"))) == (1, 3, 4)

    def test_a_broken_document_costs_no_other(self) -> None:
        """The documents before and after a broken one are read, and it is reported with its line."""
        first, broken, last = read_documents("a: 1\n---\nb: c: d\n---\ne: 2\n", "a.yaml")
        assert isinstance(first, Document)
        assert isinstance(last, Document)
        assert isinstance(broken, Finding)
        assert (broken.line, last.line) == (3, 5)
        assert str(broken).startswith("a.yaml:3: not valid YAML: ")

    def test_a_broken_item_costs_no_other(self) -> None:
        """In a list, only the item with the duplicate key is lost."""
        first, broken, last = read_documents("- a: 1\n- b: 1\n  b: 2\n- c: 3\n", "a.yaml")
        assert isinstance(first, Document)
        assert isinstance(last, Document)
        assert str(broken) == 'a.yaml:3: key "b" is given twice; the first is on line 2'

    def test_items_before_a_syntax_error_are_kept(self) -> None:
        """A list that breaks off still gives what came before."""
        first, broken = read_documents("- a: 1\n- b: [\n", "a.yaml")
        assert isinstance(first, Document)
        assert isinstance(broken, Finding)

    def test_scalars_follow_the_core_schema(self) -> None:
        """Words, clock times and dates stay texts; numbers are exact."""
        found = values('a: [yes, on, 12:30, 2022-01-01 12:00:00, "5", 010, 0x1F, 0.30, 1e3, ~, true, !!str 7]')
        texts, numbers = ["yes", "on", "12:30", "2022-01-01 12:00:00", "5"], [10, 31, Decimal("0.30"), Decimal("1e3")]
        assert found == [{"a": [*texts, *numbers, None, True, "7"]}]
        assert str(found[0]["a"]).count("0.30") == 1

    def test_merge_keys_and_aliases_are_followed(self) -> None:
        """What is written out wins over what is merged in."""
        found = values('base: &base {x: 1, y: 2}\nm: {<<: *base, y: 3}\nn: *base\nt: {"<<": text}\n')[0]
        assert found["m"] == {"x": 1, "y": 3}
        assert found["n"] == {"x": 1, "y": 2}
        assert found["t"] == {"<<": "text"}

    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ("a: 1\na: 2", 2, 'key "a" is given twice; the first is on line 1'),
            ("5: 1\n'5': 2", 2, 'key "5" is given twice; the first is on line 1'),
            ("a: 1\nb: \x00", 2, "contains the character U+0000, which is not accepted"),
            ('a: "\\0"', 1, "contains the character U+0000, which is not accepted"),
            ("a: \ud800", 1, "contains the character U+D800, which is not accepted"),
            ("a:\n  - .inf", 2, "number .inf is not finite"),
            ("a: 1e999", 1, 'number "1e999" is out of range; put it in quotes if it is a text'),
            ("a: !thing x", 1, 'tag "!thing" is not accepted'),
            ("!!python/object:os.system {}", 1, 'tag "tag:yaml.org,2002:python/object:os.system" is not accepted'),
            ("a: &x [*x]", 1, "alias *x refers to nothing that ends before it"),
            ("? [a]\n: 1", 1, "a key is a text, not a list"),
            ("a: {<<: 5}", 1, "a merge key << takes a mapping or a list of mappings"),
            ("just a text", 1, "a document is a mapping, not a text"),
            ("a: " + "[" * 5_000, 1, "nested deeper than 64 levels"),
        ],
    )
    def test_bad_input_is_named(self, text: str, line: int, reason: str) -> None:
        """Each refusal says where and why."""
        assert only_fault(text) == Finding("a.yaml", line, reason)

    def test_an_alias_bomb_is_refused(self) -> None:
        """Aliases of aliases do not grow beyond the limit."""
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
        assert only_fault("\n".join(lines)).reason == "aliases stand for more than 100000 values"

    def test_aliases_do_not_hide_depth(self) -> None:
        """A tower of aliases counts as what it stands for."""
        lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 80)]
        assert only_fault("\n".join(lines)).reason == "nested deeper than 64 levels"


def test_byte_order_mark_and_line_ends_do_not_matter() -> None:
    """Files from any editor read the same, with the same lines."""
    (first, second) = good("\ufeffa: 1\r\n---\r\nb: 2\r\n")
    assert (first.value, second.value, second.line) == ({"a": 1}, {"b": 2}, 3)


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "---\n---\n", "...\n"])
def test_empty_files_hold_nothing(text: str) -> None:
    """Nothing to read is no error."""
    assert read_documents(text, "a.yaml") == []


@given(st.text(alphabet=st.sampled_from("ab01:-?[]{}&*!|>'\"%@`#,.<~ \t\n\r\x00\x85é"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No input raises, and findings stand on lines that the file has."""
    for part in read_documents(text, "a.yaml"):
        lines = text.count("\n") + text.count("\r") + 1
        assert isinstance(part, Document) or 1 <= (part.line or 0) <= lines


TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t\r"), max_size=30)
SCALARS = (
    TEXTS
    | st.sampled_from(["yes", "1e5", "0o17", ".5", "-", "<<", "null", "", " x", "x ", "\n", "a\n\nb\n", "a: b", "#"])
    | st.integers(-(10**30), 10**30)
    | st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-1000, max_value=1000)
    | st.booleans()
    | st.none()
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


@given(st.lists(st.dictionaries(TEXTS, TREES, min_size=1, max_size=3), max_size=3))
def test_what_is_written_reads_back(trees: list[dict[str, object]]) -> None:
    """Writing and reading are inverse, and writing again gives the same bytes."""
    text = write_documents(trees)
    assert values(text) == trees
    assert write_documents(values(text)) == text


def test_long_texts_are_written_for_people() -> None:
    """Texts of several lines become blocks, lists are indented, and nothing is wrapped."""
    text = write_documents([{"query": "sum(\n  a\n)\n", "list": ["word " * 40]}])
    assert text == "query: |\n  sum(\n    a\n  )\nlist:\n  - '" + "word " * 40 + "'\n"


class TestFields:
    """Typed access to a document."""

    def test_paths_and_lines_are_named(self) -> None:
        """A wrong type is refused with its dotted path and its line."""
        fields = Fields.of(good("spec:\n  list:\n    - a: 1\n    - b: []\n")[0])
        _, second = fields.part("spec").mappings("list")
        with pytest.raises(Misfit, match=r"^spec\.list\[1\]\.b is a list, not a text$") as refused:
            second.text("b")
        assert refused.value.line == 4

    @pytest.mark.parametrize(
        ("read", "reason"),
        [
            (lambda fields: fields.required("none", free_name), "none is missing"),
            (lambda fields: fields.part("gone"), "gone is missing"),
            (lambda fields: fields.mapping("text"), "text is a text, not a mapping"),
            (lambda fields: fields.entries("text"), "text is a text, not a list"),
            (lambda fields: fields.mappings("list"), r"list\[0\] is a text, not a mapping"),
            (lambda fields: fields.number("flag"), "flag is true or false, not a number"),
            (lambda fields: fields.flag("number"), "number is a number, not true or false"),
            (lambda fields: fields.checked("blank", free_name), "blank is empty; it takes 1 to 200 characters"),
        ],
    )
    def test_misfits_say_what_would_fit(self, read: object, reason: str) -> None:
        """Each kind of misfit names the field and what it takes."""
        fields = Fields.of(good("{none: ~, text: x, list: [x], flag: true, number: 5, blank: ' '}")[0])
        assert callable(read)
        with pytest.raises(Misfit, match=f"^{reason}$"):
            read(fields)


@pytest.mark.skipif(not REAL_FILES.is_dir(), reason="the published files are not on this machine")
def test_published_files_are_read_whole() -> None:
    """Each YAML file that others published reads without a finding."""
    texts = {path: path.read_text(encoding="utf-8") for path in REAL_FILES.glob("*/*.yaml")}
    assert texts
    for path, text in texts.items():
        assert good(text), path
