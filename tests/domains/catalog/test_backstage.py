"""Reading Backstage's catalog files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.catalog.formats import backstage
from opsgraph.domains.catalog.formats.backstage_entities import Catalog, EntityRef, entity_name, parse_ref
from opsgraph.domains.catalog.model import Lifecycle, Link
from opsgraph.kernel.documents import read_documents
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import label

SAMPLES = Path(__file__).parents[2] / "data" / "backstage"
REAL_FILES = Path(__file__).parents[3].parent / "shared" / "data" / "backstage"

NOT_A_NAME = (
    'metadata.name "not a name" is not an entity name: 1 to 63 letters, digits and inner hyphens, underscores and dots'
)
HEAD = "apiVersion: backstage.io/v1alpha1\nkind: Component\n"


def read(*texts: str) -> Catalog:
    """Read texts as the files 1.yaml, 2.yaml, ..."""
    parts = [part for n, text in enumerate(texts, 1) for part in read_documents(text, f"{n}.yaml")]
    return backstage.read(parts)


def sample(name: str) -> str:
    """The text of a sample file."""
    return (SAMPLES / name).read_text(encoding="utf-8")


def component(metadata: str = "", spec: str = "") -> str:
    """A component called `web` with more in its two halves, written in flow style."""
    return f"{HEAD}metadata: {{name: web, {metadata}}}\nspec: {{owner: shop, lifecycle: production, {spec}}}\n"


def group(name: str, namespace: str = "default") -> EntityRef:
    """A reference to a group."""
    return EntityRef("group", namespace, name)


def test_a_component_is_read_whole() -> None:
    """Everything opsgraph keeps of a component is there, references in one form."""
    first = read(sample("catalog-info.yaml")).components[0]
    assert (str(first.ref), first.name) == ("component:default/checkout_api", "Checkout_Api")
    assert (first.title, first.description) == ("Checkout API", "Takes orders and hands them to fulfilment.")
    assert (first.type, first.lifecycle, first.owner) == ("service", Lifecycle.DEPRECATED, group("shop"))
    assert first.tags == ("python", "orders")
    assert first.links == (
        Link("Dashboard", "https://dashboards.example.com/checkout"),
        Link("https://code.example.com/checkout", "https://code.example.com/checkout"),
    )
    assert [str(ref) for ref in first.depends_on] == ["component:default/payments", "component:default/stock"]


def test_namespaces_are_kept_apart() -> None:
    """A component's own namespace is what its references assume; an explicit one wins."""
    second = read(sample("catalog-info.yaml")).components[1]
    assert (second.namespace, second.owner) == ("money", group("shop"))
    there = read(component("namespace: Money", "dependsOn: [ledger]")).components[0]
    assert [str(ref) for ref in there.depends_on] == ["component:money/ledger"]
    assert there.owner == group("shop", "money")


def test_what_is_not_imported_is_warned_of() -> None:
    """Resources and other kinds are left out, each with its line."""
    warnings = [str(warning) for warning in read(sample("catalog-info.yaml")).warnings]
    assert warnings == [
        '1.yaml:25: Checkout_Api: spec.dependsOn "resource:orders-db" was left out: it is not a component',
        '1.yaml:34: checkout-api: kind "API" is not imported; the document was skipped',
    ]


def test_groups_and_people_are_read() -> None:
    """Teams, users and both ways of saying who belongs to whom."""
    catalog = read(sample("people.yaml"))
    (team,), (ada,) = catalog.groups, catalog.people
    assert (team.ref, team.title, team.description) == (group("shop"), "The shop team", "Sells things")
    assert [str(ref) for ref in team.members] == ["user:default/ada", "user:people/grace"]
    assert (ada.display_name, ada.email) == ("Ada Example", "ada@example.com")
    assert ada.member_of == (group("shop"), group("on-call"))


def test_the_broken_are_refused_and_the_good_kept() -> None:
    """Each refusal has file, line, name and reason; the neighbour is imported."""
    catalog = read(sample("broken.yaml"))
    assert [entity.name for entity in catalog.components] == ["good"]
    assert [str(refusal) for refusal in catalog.refusals] == [
        "1.yaml:4: not a name: " + NOT_A_NAME,
        "1.yaml:9: numbered: metadata.title is a number, not a text",
        "1.yaml:15: listed: spec is a list, not a mapping",
        '1.yaml:20: key "metadata" is given twice; the first is on line 19',
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1", "apiVersion is missing"),
        ("apiVersion: backstage.io/v1alpha1", "kind is missing"),
        (HEAD, "metadata is missing"),
        (HEAD + "metadata: {name: a}", "spec is missing"),
        (HEAD + "metadata: {name: 5}\nspec: {}", "metadata.name is a number, not a text"),
        (HEAD + "metadata: {}\nspec: {}", "metadata.name is missing"),
        (HEAD + "metadata: {name: {$text: ./name}}\nspec: {}", "metadata.name is a mapping, not a text"),
        (component("tags: python"), "metadata.tags is a text, not a list"),
        (component("links: [x]"), "metadata.links[0] is a text, not a mapping"),
        (component("links: [{title: x}]"), "metadata.links[0].url is missing"),
        (component("", "dependsOn: [5]"), "spec.dependsOn holds something that is not a text"),
        (component("", "owner2: x, dependsOn: x"), "spec.dependsOn is a text, not a list"),
        (component("description: [x]"), "metadata.description is a list, not a text"),
    ],
)
def test_wrong_shapes_are_refused(text: str, reason: str) -> None:
    """A wrong type or a missing part is refused with its reason, never raised."""
    catalog = read(text)
    assert [refusal.reason for refusal in catalog.refusals] == [reason]
    assert catalog.components == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            component("tags: [ok, Not OK]"),
            'tag "Not OK" was left out: it is not of lower-case letters, digits, +, # and :',
        ),
        (component("links: [{url: 'javascript:alert(1)'}]"), "a link was left out: "),
        (component("description: {$text: ./README.md}"), "metadata.description is a $text placeholder, which is not"),
        (component("tags: {$json: ./tags.json}"), "metadata.tags is a $json placeholder, which is not followed"),
        (component("links: {$yaml: ./links.yaml}"), "metadata.links is a $yaml placeholder, which is not followed"),
        (component("", "dependsOn: [component:web]"), "it is the component itself"),
        (component("", "dependsOn: ['a b']"), 'spec.dependsOn "a b" was left out: it is not a component'),
        (component().replace("production", "someday"), 'spec.lifecycle "someday" is not experimental, production or'),
        (component().replace("lifecycle: production,", ""), "spec.lifecycle is missing; production is assumed"),
        (component().replace("owner: shop", "owner: 'user:guest'"), 'spec.owner "user:guest" is not a group; the'),
        (component().replace("owner: shop,", ""), "spec.owner is missing; the service gets no team"),
        ("apiVersion: apps/v1\nkind: Deployment", 'apiVersion "apps/v1" is not Backstage\'s; the document was skipped'),
    ],
)
def test_what_can_be_taken_is_taken_with_a_warning(text: str, reason: str) -> None:
    """Nothing is refused; one warning says what was left out or assumed."""
    catalog = read(text)
    assert catalog.refusals == ()
    assert [reason in warning.reason for warning in catalog.warnings] == [True]
    assert [entity.lifecycle for entity in catalog.components] in ([Lifecycle.PRODUCTION], [])


def test_names_are_unique_in_any_case() -> None:
    """The second component of a name is refused and points to the first; another namespace is another name."""
    other = component("namespace: other")
    catalog = read(component(), component().replace("web", "WEB"), other)
    assert [str(entity.ref) for entity in catalog.components] == ["component:default/web", "component:other/web"]
    assert [str(refusal) for refusal in catalog.refusals] == [
        "2.yaml:1: WEB: component:default/web is already defined at 1.yaml:1"
    ]


@given(st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", fullmatch=True))
def test_entity_names_become_labels(name: str) -> None:
    """Each entity name has a service name that the catalog accepts, and it says when the two differ."""
    made, changed = backstage.service_name(entity_name(name))
    assert label(made) == made
    assert changed == ("_" in name or "." in name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a b", "a/b", "é", "a" * 64, "a\n"])
def test_other_names_are_none(name: str) -> None:
    """Backstage's rule for names is kept at its edges."""
    with pytest.raises(Invalid):
        entity_name(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Web", "component:here/web"),
        ("There/web", "component:there/web"),
        ("API:web", "api:here/web"),
        ("Group:there/On.Call_1", "group:there/on.call_1"),
        ("a/b/c", None),
        ("a:b:c", None),
        (":web", None),
        ("web/", None),
        ("", None),
    ],
)
def test_references_are_parsed_without_case(text: str, expected: str | None) -> None:
    """All three forms, and nothing else."""
    ref = parse_ref(text, "component", "here")
    assert (str(ref) if ref else None) == expected


@pytest.mark.skipif(not REAL_FILES.is_dir(), reason="the published files are not on this machine")
def test_published_files() -> None:
    """Seven of the eight files import; the invalid component is refused by its name."""
    parts = [part for p in sorted(REAL_FILES.glob("*.yaml")) for part in read_documents(p.read_text("utf-8"), p.name)]
    catalog = backstage.read(parts)
    assert (len(catalog.components), len(catalog.groups), len(catalog.people)) == (6, 1, 4)
    assert [(refusal.file, refusal.name) for refusal in catalog.refusals] == [
        ("invalid-component.yaml", "invalid component")
    ]
    assert len(catalog.warnings) == 3
