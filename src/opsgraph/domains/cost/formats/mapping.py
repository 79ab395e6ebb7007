"""Whose cost a charge is: rules from a tag, a sub-account or a resource to a service; the first that fits decides.

The file of ``opsgraph import focus --map``::

    rules:
      - tag: service                      # the tag's value is the service's name
      - tag: CostCenter                   # only these values ...
        pattern: "12*"
        service: payments                 # ... are this service's
      - subAccount: "Atlas Nimbus"        # SubAccountId or SubAccountName
        service: search
      - resource: "arn:aws:sqs:*:checkout-*"   # ResourceId or ResourceName
        service: checkout

Patterns are globs (``*``, ``?``, ``[abc]``) over the whole value, without regard to case. Tag keys are compared as
written. A charge that no rule fits has no service.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache, partial
from typing import Protocol

from opsgraph.domains.cost.formats.focus import ChargeRow
from opsgraph.kernel.documents import Document, read_documents
from opsgraph.kernel.fields import Fields, Warn, attempt
from opsgraph.kernel.findings import Finding, Findings
from opsgraph.kernel.text import free_name, label, name_key

DEFAULT_TAGS = ("service", "opsgraph/service", "service_name", "app")

_SUBJECTS = ("tag", "subAccount", "resource")
_name_key = lru_cache(4_096)(name_key)


class Rule(Protocol):
    """One rule of a map."""

    def service_of(self, row: ChargeRow) -> str | None:
        """The service's name as spelled, or None if the rule does not fit."""
        ...


@dataclass(frozen=True, slots=True)
class TagRule:
    """Fits charges with the tag, if its value matches the pattern; without a service, the value names it."""

    key: str
    pattern: re.Pattern[str] | None = None
    service: str | None = None

    def service_of(self, row: ChargeRow) -> str | None:
        """The service's name as spelled, or None if the rule does not fit; an empty value never does."""
        value = row.tags.get(self.key, "").strip()
        if not value or (self.pattern and not self.pattern.match(value)):
            return None
        return self.service or value


@dataclass(frozen=True, slots=True)
class SubAccountRule:
    """Fits charges whose sub-account's id or name matches the pattern."""

    pattern: re.Pattern[str]
    service: str

    def service_of(self, row: ChargeRow) -> str | None:
        """The service's name as spelled, or None if the rule does not fit."""
        return self.service if _matches(self.pattern, row.sub_account_id, row.sub_account_name) else None


@dataclass(frozen=True, slots=True)
class ResourceRule:
    """Fits charges whose resource's id or name matches the pattern."""

    pattern: re.Pattern[str]
    service: str

    def service_of(self, row: ChargeRow) -> str | None:
        """The service's name as spelled, or None if the rule does not fit."""
        return self.service if _matches(self.pattern, row.resource_id, row.resource_name) else None


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """Rules in their order."""

    rules: tuple[Rule, ...]

    def service_of(self, row: ChargeRow) -> str | None:
        """The service of a charge, in the form under which names are unique (`name_key`), or None."""
        for rule in self.rules:
            name = rule.service_of(row)
            if name is not None:
                return _name_key(name)
        return None


DEFAULT = ServiceMap(tuple(TagRule(key) for key in DEFAULT_TAGS))
"""What applies without a file: the first of these tags names the service."""


def read_map(text: str, file: str) -> ServiceMap | tuple[Finding, ...]:
    """Read a map, or give everything that is wrong with it, each with its place."""
    parts = read_documents(text, file)
    broken = tuple(part for part in parts if isinstance(part, Finding))
    documents = [part for part in parts if isinstance(part, Document)]
    if broken or len(documents) != 1:
        return broken or (Finding(file, None, f"a map is one document with rules; this has {len(documents)}"),)
    findings = Findings()
    rules = tuple(_read_rules(documents[0], findings))
    return tuple(findings.refusals) or ServiceMap(rules)


def _read_rules(document: Document, findings: Findings) -> Iterator[Rule]:
    for fields in attempt(document, None, _rule_list, findings) or []:
        rule = attempt(document, None, partial(_read_rule, fields), findings)
        if rule is not None:
            yield rule


def _rule_list(fields: Fields, _warn: Warn) -> list[Fields]:
    _refuse_beyond(fields, ("rules",))
    rules = fields.mappings("rules")
    if not rules:
        raise fields.misfit("rules is missing or empty", "rules")
    return rules


def _read_rule(fields: Fields, _document: Fields, _warn: Warn) -> Rule:
    _refuse_beyond(fields, (*_SUBJECTS, "pattern", "service"))
    given = [subject for subject in _SUBJECTS if fields.has(subject)]
    if len(given) != 1:
        problem = " and ".join(given) if given else "none of them"
        raise fields.misfit(f"{fields.label()} takes one of {', '.join(_SUBJECTS)}; it has {problem}")
    if given == ["tag"]:
        pattern = fields.checked("pattern", free_name)
        return TagRule(fields.required("tag", free_name), _glob(pattern), fields.checked("service", label))
    if fields.has("pattern"):
        raise fields.misfit(f"{fields.label('pattern')} goes with a tag; {given[0]} is a pattern itself", "pattern")
    pattern, service = fields.required(given[0], free_name), fields.required("service", label)
    return (SubAccountRule if given == ["subAccount"] else ResourceRule)(_compiled(pattern), service)


def _refuse_beyond(fields: Fields, known: tuple[str, ...]) -> None:
    for key in fields.values:
        if key not in known:
            raise fields.misfit(f"{fields.label(key)} is not known; there are {', '.join(known)}", key)


def _glob(pattern: str | None) -> re.Pattern[str] | None:
    return None if pattern is None else _compiled(pattern)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern), re.IGNORECASE)


def _matches(pattern: re.Pattern[str], *texts: str | None) -> bool:
    return any(text is not None and pattern.match(text) for text in texts)
