"""What went wrong at Larkspur Goods in a month, and what does now. Oldest first.

Never with `api-gateway` and `payments`: they declare their incidents, as in the worked example of the rules.
"""

from datetime import timedelta

from opsgraph.domains.alerts.model import Matcher
from opsgraph.workflows.demo.model import Trouble

PAST = (
    Trouble(
        service="orders",
        severity="high",
        alerts={
            "OrderStateLag": "Orders take 9 s to change their state (99th percentile)",
            "OutboxGrows": "The outbox has 41,000 messages and grows",
        },
        ago=timedelta(days=26),
        acknowledged=timedelta(minutes=4),
        resolved=timedelta(minutes=41),
        by="Mateus Pires",
        note="A report held a transaction open for an hour. Ended it; reports have a time-out of a minute now.",
    ),
    Trouble(
        service="search",
        severity="high",
        alerts={"SearchUnavailable": "Search answers 503 to 4 % of its requests"},
        ago=timedelta(days=22),
        acknowledged=timedelta(minutes=2),
        resolved=timedelta(minutes=11),
        by="Noor Haddad",
        note="One shard came back without its index. Rebuilt from the replica.",
    ),
    Trouble(
        service="checkout",
        severity="page",
        alerts={
            "OrdersNotAccepted": "7 % of the orders are not accepted",
            "CheckoutErrors": "Checkout answers 500 to 6 % of its requests",
            "CheckoutLatency": "Checkout takes 2.4 s (99th percentile)",
            "PaymentsRetried": "31 % of the payments are tried again",
        },
        ago=timedelta(days=19),
        acknowledged=timedelta(minutes=2),
        resolved=timedelta(minutes=24),
        by="Lucía Herrera",
        note="12.9.0 opened a connection for each order. Rolled back; 12.9.1 uses the pool.",
    ),
    Trouble(
        service="inventory",
        severity="warning",
        alerts={"CountsAreOld": "Counts of warehouse B are 25 minutes old"},
        ago=timedelta(days=15),
        acknowledged=timedelta(minutes=6),
        resolved=timedelta(minutes=14),
        by="Anneli Koski",
        note="A scanner sent the same parcel again and again. Unplugged it.",
    ),
    Trouble(
        service="orders",
        severity="warning",
        alerts={"ConsumerLag": "The consumer of payments is 12,000 messages behind"},
        ago=timedelta(days=12),
        acknowledged=timedelta(minutes=12),
        resolved=timedelta(minutes=37),
        by="Siobhán Daly",
    ),
    Trouble(
        service="storefront",
        severity="high",
        alerts={
            "PagesAreSlow": "Pages take 3.2 s in Frankfurt (75th percentile)",
            "EdgeCacheMisses": "The edge in Frankfurt misses its cache 9 times of 10",
        },
        ago=timedelta(days=9),
        acknowledged=timedelta(minutes=3),
        resolved=timedelta(minutes=12),
        by="Ben Achterberg",
        note="A cookie of the new banner was part of the cache key.",
    ),
    Trouble(
        service="search",
        severity="warning",
        alerts={"IndexingLag": "New products are found after 20 minutes"},
        ago=timedelta(days=6),
        acknowledged=timedelta(minutes=5),
        resolved=timedelta(minutes=8),
        by="Yuki Tanabe",
    ),
    Trouble(
        service="orders",
        severity="high",
        alerts={"OrderStateLag": "Orders take 6 s to change their state (99th percentile)"},
        ago=timedelta(days=3),
        acknowledged=timedelta(minutes=5),
        resolved=timedelta(minutes=39),
        by="Mateus Pires",
        note="The new primary lacked an index. Added it, and a check that compares both.",
    ),
)

PRESENT = (
    Trouble(
        service="recommendations",
        severity="info",
        alerts={"ModelGrew": "Tonight's model is 4 % larger than last night's"},
        ago=timedelta(hours=5),
    ),
    Trouble(
        service="inventory",
        severity="high",
        alerts={"WarehouseOffline": "Warehouse B has not answered for 10 minutes"},
        ago=timedelta(hours=1),
    ),
    Trouble(
        service="checkout",
        severity="high",
        alerts={
            "AuthorisationsAreSlow": "Card authorisations take 5.1 s (95th percentile)",
            "CartsAbandoned": "A third more carts than usual are left at the last step",
        },
        ago=timedelta(minutes=7),
    ),
)

MOVE = (Matcher("service", "inventory"), Matcher("alertname", "Warehouse.*|CountsAreOld", regex=True))
"""What the silence means that is in force while the demonstration is young."""

MOVE_REASON = "Warehouse B moves its racks and is off the network until tomorrow."
MOVE_BY = "Anneli Koski"
MOVE_AGO = timedelta(hours=2)
MOVE_LASTS = timedelta(hours=26)
