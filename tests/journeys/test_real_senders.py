"""Real programs point at a real server: Prometheus, Alertmanager, amtool and a client of PagerDuty's API."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from httpx2 import HTTPTransport, Request, Response
from pagerduty import EventsApiV2Client

from opsgraph.storage.database import Database
from tests.packaging.environments import run, succeeded
from tests.packaging.serving import free_port, query, serving
from tests.support.inbound import ROUTING_KEY
from tests.support.programs import program, started, until

OPSGRAPH = Path(sys.executable).parent / "opsgraph"
ALERTS = "{ alerts { nodes { message severity status serviceName source occurrences labels incident { number } } } }"
INCIDENTS = "{ incidents { nodes { status alertCount timeline { nodes { type actor } } } } }"

PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs:
- {{job_name: checkout, static_configs: [{{targets: ["127.0.0.1:{target}"]}}]}}
alerting:
  alertmanagers:
  - static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]
"""
RULES = """
groups:
- name: checkout
  rules:
  - alert: CheckoutFails
    expr: checkout_errors > 0
    labels: {severity: page, service: checkout}
    annotations: {summary: "checkout fails on {{ $labels.job }}"}
"""
ALERTMANAGER = """
route: {{receiver: opsgraph, group_wait: 1s, group_interval: 1s, group_by: [alertname]}}
receivers:
- name: opsgraph
  webhook_configs: [{{url: "{url}/webhooks/alertmanager"}}]
"""


@pytest.fixture
def url(database_url: str, database: Database, tmp_path: Path) -> Iterator[str]:
    """A server on an empty database, which is emptied afterwards."""
    with serving(OPSGRAPH, tmp_path, {"OPSGRAPH_DATABASE_URL": database_url}) as address:
        yield address


class Checkout:
    """A service that Prometheus scrapes; a test says whether it fails."""

    def __init__(self) -> None:
        self.errors = 1
        checkout = self

        class Metrics(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(b"checkout_errors %d\n" % checkout.errors)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
                """Nothing is worth a line."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
        self.port: int = self.server.server_address[1]
        Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


def stored(url: str) -> list[dict[str, Any]]:
    """Every alert that opsgraph knows."""
    nodes: list[dict[str, Any]] = query(url, ALERTS)["data"]["alerts"]["nodes"]
    return nodes


def statuses(url: str) -> list[str]:
    """Whether they fire."""
    return [alert["status"] for alert in stored(url)]


def watched(stack: ExitStack, folder: Path, alertmanager: int) -> tuple[Checkout, "subprocess.Popen[bytes]"]:
    """A failing service, and a Prometheus that watches it and tells an Alertmanager at this port."""
    checkout = Checkout()
    stack.callback(checkout.close)
    config = folder / "prometheus.yml"
    config.write_text(PROMETHEUS.format(target=checkout.port, alertmanager=alertmanager))
    (folder / "rules.yml").write_text(RULES)
    command = [
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{free_port()}",
        "--rules.alert.resend-delay=2s",  # it may find out only after the first time where to send to
    ]
    return checkout, stack.enter_context(started(command, folder))


def relaying(stack: ExitStack, folder: Path, url: str) -> int:
    """The port of an Alertmanager whose webhook is opsgraph."""
    port, config = free_port(), folder / "alertmanager.yml"
    config.write_text(ALERTMANAGER.format(url=url))
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    stack.enter_context(started(command, folder))
    return port


def directly(_stack: ExitStack, _folder: Path, url: str) -> int:
    """The port of opsgraph itself, which Prometheus takes for an Alertmanager."""
    return int(url.rpartition(":")[2])


@pytest.mark.parametrize("by", [directly, relaying])
def test_prometheus_delivers_a_firing_and_a_resolved_alert(
    url: str, tmp_path: Path, by: Callable[[ExitStack, Path, str], int]
) -> None:
    """Straight to the Alertmanager-compatible API, and by a real Alertmanager's webhook: one alert, one incident."""
    with ExitStack() as stack:
        checkout, prometheus = watched(stack, tmp_path, by(stack, tmp_path, url))
        until(prometheus, lambda: statuses(url) == ["FIRING"], "the alert fires")
        checkout.errors = 0
        until(prometheus, lambda: statuses(url) == ["RESOLVED"], "the alert is resolved")
    (alert,) = stored(url)
    assert (alert["message"], alert["severity"]) == ("checkout fails on checkout", "CRITICAL")
    assert (alert["serviceName"], alert["source"]) == ("checkout", "alertmanager")
    assert alert["labels"]["alertname"] == "CheckoutFails"
    assert alert["incident"] is not None


def amtool(url: str, folder: Path, *arguments: str) -> str:
    """What amtool prints; it must succeed. It says on its own that its version is not opsgraph's."""
    command = [program("amtool"), f"--alertmanager.url={url}", *arguments]
    lines = succeeded(run(command, folder)).splitlines()
    return "\n".join(line for line in lines if not line.startswith("Warning: amtool version"))


def test_amtool_adds_and_finds_alerts(url: str, tmp_path: Path) -> None:
    """By matchers; ended by the same command with an end."""
    add = ("alert", "add", "Disk", "service=db", "severity=warning")
    amtool(url, tmp_path, *add, "--annotation=summary=the disk is full")
    (found,) = json.loads(amtool(url, tmp_path, "-o", "json", "alert", "query", "service=~d."))
    assert (found["labels"]["alertname"], found["annotations"]) == ("Disk", {"summary": "the disk is full"})
    assert json.loads(amtool(url, tmp_path, "-o", "json", "alert", "query", "service=web")) == []
    assert [alert["severity"] for alert in stored(url)] == ["MEDIUM"]
    amtool(url, tmp_path, *add, f"--end={found['startsAt']}")
    assert statuses(url) == ["RESOLVED"]


def test_amtool_makes_finds_and_ends_silences(url: str, tmp_path: Path) -> None:
    """What is silenced makes no incident, and is shown as suppressed."""
    id_ = amtool(url, tmp_path, "silence", "add", "service=db", "--comment=new disk", "--duration=1h").strip()
    (silence,) = json.loads(amtool(url, tmp_path, "-o", "json", "silence", "query", "service=db"))
    assert (silence["id"], silence["comment"], silence["status"]["state"]) == (id_, "new disk", "active")
    amtool(url, tmp_path, "alert", "add", "Disk", "service=db")
    assert json.loads(amtool(url, tmp_path, "-o", "json", "alert", "query")) == []
    (alert,) = json.loads(amtool(url, tmp_path, "-o", "json", "alert", "query", "--silenced"))
    assert (alert["status"]["state"], alert["status"]["silencedBy"]) == ("suppressed", [id_])
    assert [alert["incident"] for alert in stored(url)] == [None]
    amtool(url, tmp_path, "silence", "expire", id_)
    assert json.loads(amtool(url, tmp_path, "-o", "json", "silence", "query")) == []


class WithoutTls(HTTPTransport):
    """Does what a proxy in front of opsgraph does: the client insists on https."""

    def handle_request(self, request: Request) -> Response:
        """Send it in the clear, to this machine."""
        request.url = request.url.copy_with(scheme="http")
        return super().handle_request(request)


def test_a_client_of_pagerduty_triggers_acknowledges_and_resolves(url: str) -> None:
    """The client of PagerDuty's own package, told another address."""
    address = url.replace("http:", "https:")
    with EventsApiV2Client(ROUTING_KEY, base_url=address, transport=WithoutTls()) as client:
        key = client.trigger("disk full", "db-1", severity="error", custom_details={"free": "1%"})
        client.trigger("disk full", "db-1", dedup_key=key, severity="error")
        client.acknowledge(key)
        (incident,) = query(url, INCIDENTS)["data"]["incidents"]["nodes"]
        client.resolve(key)
    assert (incident["status"], incident["alertCount"]) == ("ACKNOWLEDGED", 1)
    assert ("STATUS_CHANGED", "integration:pagerduty") in {
        (entry["type"], entry["actor"]) for entry in incident["timeline"]["nodes"]
    }
    (alert,) = stored(url)
    assert (alert["status"], alert["occurrences"], alert["severity"]) == ("RESOLVED", 2, "HIGH")
