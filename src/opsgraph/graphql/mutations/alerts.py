"""Taking in alerts one by one, and ending one by hand."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from opsgraph.domains.alerts import model
from opsgraph.domains.alerts.formats.own import own_report
from opsgraph.domains.alerts.queries import alerts as queries
from opsgraph.graphql.alerts import Alert, alert_of
from opsgraph.graphql.context import Context
from opsgraph.graphql.incidents import Incident
from opsgraph.graphql.inputs import Input, given
from opsgraph.graphql.nodes import key_of, to_node
from opsgraph.graphql.problems import Problem
from opsgraph.graphql.rights import mutation
from opsgraph.graphql.scalars import JSON
from opsgraph.kernel.actor import Role
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown
from opsgraph.workflows.dismissing import resolve_alert


@strawberry.type(description="What became of a report.")
class IngestedAlert:
    """What became of a report."""

    incident_key: strawberry.Private[UUID | None]
    alert: Alert = strawberry.field(description="The alert as it is now.")
    outcome: model.AlertOutcome = strawberry.field(description="What the report led to.")
    incident: Incident | None = to_node(
        "Incident", key="incident_key", description="The incident that the alert belongs to, if it does to any."
    )


IngestAlertResult = Annotated[
    IngestedAlert | Problem, strawberry.union("IngestAlertResult", description="What became of the report, or why not.")
]


@strawberry.input(description="An alert to take in: that something fires.")
class IngestAlertInput:
    """An alert."""

    service: str = strawberry.field(description="The name of the service; it need not be registered.")
    severity: str = strawberry.field(
        description="How bad it is: critical, high, medium, low or info, or a word that means one, such as page."
    )
    message: str = strawberry.field(description="What happened, for people.")
    labels: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="Names and texts that silences match: an object of texts."
    )
    annotations: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="Further texts for people: an object of texts."
    )
    dedup_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Its identity within the service; else it is the same again if service, severity and the first 100 "
        "characters of the message are.",
    )
    starts_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it began; it tells one episode from the next."
    )


@strawberry.type
class AlertMutations:
    """What can be reported and ended."""

    @mutation(Role.RESPONDER, Role.INGEST, description="Take in one alert; answered once it is committed.")
    async def ingest_alert(
        self, info: strawberry.Info[Context, None], input: Input[IngestAlertInput]
    ) -> IngestAlertResult:
        """Take in one alert."""
        context = info.context
        answer = await context.take_in(_report(input, context.actor.name))
        if isinstance(answer, model.Refused):
            raise Invalid(answer.reason)
        return await _became(context, answer)

    @mutation(
        Role.RESPONDER,
        description="End one alert; its source may report it again. Ending it again changes nothing.",
    )
    async def resolve_alert(
        self,
        info: strawberry.Info[Context, None],
        id: Annotated[strawberry.ID, strawberry.argument(description="Its global id.")],
    ) -> IngestAlertResult:
        """End one alert."""
        context, key = info.context, key_of("Alert", id)
        async with context.writing() as tx:
            taken = await resolve_alert(tx, key, context.intake.alerting.policy)
        return await _became(context, taken)


def _report(wanted: IngestAlertInput, reporter: str) -> model.AlertReport:
    values = given(wanted, nulls=False)
    for name in ("labels", "annotations"):
        values[name] = _texts(values.get(name, {}), name)
    return own_report(**values, source="api", reporter=reporter)


def _texts(value: Any, field: str) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise Invalid(f"{field} is not an object of texts", field)
    for name, text in value.items():
        if not isinstance(text, str | None):
            raise Invalid(f"{field} has a value for {shown(name)} that is not a text", (field, name))
    return value


async def _became(context: Context, taken: model.Taken) -> IngestedAlert:
    if taken.alert_id is None:
        raise AssertionError("a report that something fires leads to an alert")
    async with context.reading() as session:
        found = await queries.alerts_by_id(session, [taken.alert_id])
    return IngestedAlert(incident_key=taken.incident_id, alert=alert_of(found[taken.alert_id]), outcome=taken.outcome)
