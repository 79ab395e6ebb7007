"""The whole company, put together from its teams."""

from collections.abc import Sequence

from opsgraph.workflows.demo import discovery, fintech, fulfilment, platform, storefront
from opsgraph.workflows.demo.model import Invoice, SampleService, SampleTeam, invoices

NAME = "Larkspur Goods"

_FILES = (platform, fintech, storefront, discovery, fulfilment)

TEAMS: Sequence[SampleTeam] = tuple(file.TEAM for file in _FILES)

SERVICES: Sequence[SampleService] = tuple(service for file in _FILES for service in file.SERVICES)

UNALLOCATED: Sequence[Invoice] = invoices(910, 1040, 1275, origin="shared account")
"""What was billed and belongs to no service that anyone knows of."""
