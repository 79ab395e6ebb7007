"""Connections to PostgreSQL that are found alive before they are used.

The pool's own way asks the server each time a connection is taken from it: three round trips for every transaction,
most of which are shorter. A connection that was used a moment ago is known to be alive unless the driver has heard
otherwise; one that has rested for longer may have been forgotten by a firewall without a word, and is asked.
"""

import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

RESTED_SECONDS = 1.0
"""After how long without use a connection is asked whether it is alive."""

_SINCE = "opsgraph_resting_since"


def replace_dead_connections(engine: Engine) -> None:
    """Have the pool replace what is dead, before anybody gets it."""
    event.listen(engine, "checkin", _rests)
    event.listen(engine, "checkout", _is_taken)


def plan_anew(connection: Any, _record: Any) -> None:
    """Have a new connection keep no plans."""
    connection.run_async(lambda driver: driver.execute("SET plan_cache_mode = force_custom_plan"))


def _rests(_connection: Any, record: Any) -> None:
    record.info[_SINCE] = time.monotonic()


def _is_taken(connection: Any, record: Any, _proxy: Any) -> None:
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the server has closed the connection")
    if time.monotonic() - record.info.get(_SINCE, time.monotonic()) > RESTED_SECONDS:
        try:
            connection.ping()
        except Exception as error:
            raise DisconnectionError("the server has forgotten the connection") from error
