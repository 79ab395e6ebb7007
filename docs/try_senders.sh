#!/usr/bin/env bash
# Points real senders at a real opsgraph, on this machine and in a folder of its own: Prometheus straight to the
# Alertmanager-compatible API, Prometheus by way of an Alertmanager, amtool, and PagerDuty's Events API with curl.
# Needs opsgraph (or OPSGRAPH=/path/to/opsgraph), curl, python3 and, on Debian or Ubuntu:
#   apt-get install prometheus prometheus-alertmanager
# Ends with 0 when every alert fired and ended as it should.
set -euo pipefail

opsgraph=${OPSGRAPH:-opsgraph}
for program in "$opsgraph" prometheus prometheus-alertmanager amtool curl python3; do
    command -v "$program" >/dev/null || { echo "$program is not installed; see the first lines of $0"; exit 2; }
done

folder=$(mktemp -d)
cd "$folder"
started=()
finish() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$folder"
}
trap finish EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
start() { "$@" >>"$(basename "$1").log" 2>&1 & started+=($!); }

# until_true WHAT COMMAND...: wait for a command to succeed, at most a minute.
until_true() {
    local what=$1
    shift
    for _ in $(seq 120); do
        if "$@"; then echo "ok    $what"; return; fi
        sleep 0.5
    done
    echo "FAIL  $what; the logs:"
    tail -n 20 ./*.log
    exit 1
}

serve=$(free_port) relay=$(free_port) watch=$(free_port) checkout=$(free_port)
url=http://127.0.0.1:$serve

ask() {
    curl -fsS --noproxy '*' "$url/graphql" -H 'content-type: application/json' \
        -d '{"query": "{ alerts { nodes { message status source occurrences incident { number status } } } }"}'
}
alert() { # alert MESSAGE STATUS: whether an alert with this message has this status
    ask | python3 -c '
import json, sys
message, status = sys.argv[1:]
alerts = json.load(sys.stdin)["data"]["alerts"]["nodes"]
sys.exit(not any(message in a["message"] and a["status"] == status for a in alerts))' "$1" "$2"
}
enqueue() { curl -fsS --noproxy '*' "$url/v2/enqueue" -H 'content-type: application/json' -d "$1" >/dev/null; }

echo "== opsgraph on $url"
OPSGRAPH_DATABASE_URL=sqlite:///opsgraph.db start "$opsgraph" serve --port "$serve"
until_true "opsgraph is ready" curl -fs --noproxy '*' -o /dev/null "$url/health/ready"

echo "== Prometheus watches a service that fails, and tells opsgraph directly and by way of an Alertmanager"
mkdir service
echo 'checkout_errors 1' >service/metrics.txt
start python3 -m http.server "$checkout" --bind 127.0.0.1 --directory service
cat >alertmanager.yml <<EOF
route: {receiver: opsgraph, group_wait: 1s, group_interval: 1s, group_by: [alertname]}
receivers:
- name: opsgraph
  webhook_configs: [{url: "$url/webhooks/alertmanager"}]
EOF
start prometheus-alertmanager --config.file=alertmanager.yml --storage.path=alertmanager \
    --web.listen-address="127.0.0.1:$relay" --cluster.listen-address=
cat >rules.yml <<'EOF'
groups:
- name: checkout
  rules:
  - alert: CheckoutFails
    expr: checkout_errors > 0
    labels: {severity: page, service: checkout}
    annotations: {summary: "checkout fails"}
EOF
cat >prometheus.yml <<EOF
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
- {job_name: checkout, metrics_path: /metrics.txt, static_configs: [{targets: ["127.0.0.1:$checkout"]}]}
alerting:
  alertmanagers:
  - static_configs: [{targets: ["127.0.0.1:$serve", "127.0.0.1:$relay"]}]
EOF
start prometheus --config.file=prometheus.yml --storage.tsdb.path=prometheus --web.listen-address="127.0.0.1:$watch"
until_true "the alert fires" alert "checkout fails" FIRING
echo 'checkout_errors 0' >service/metrics.txt
until_true "the alert is resolved" alert "checkout fails" RESOLVED

echo "== amtool"
am() { amtool --alertmanager.url="$url" "$@" 2>/dev/null; }
am alert add Disk service=db severity=warning --annotation=summary="the disk is full"
until_true "amtool adds an alert" alert "the disk is full" FIRING
am alert query service=db
id=$(am silence add service=db --comment="a new disk comes" --duration=1h)
am silence query service=db
am silence expire "$id"
echo "ok    amtool makes, finds and ends a silence"

echo "== PagerDuty's Events API"
key=0123456789abcdef0123456789abcdef # pragma: allowlist secret
enqueue '{"routing_key": "'$key'", "event_action": "trigger", "dedup_key": "queue",
          "payload": {"summary": "the queue is long", "source": "worker-1", "severity": "error"}}'
until_true "an event triggers" alert "the queue is long" FIRING
enqueue '{"routing_key": "'$key'", "event_action": "acknowledge", "dedup_key": "queue"}'
enqueue '{"routing_key": "'$key'", "event_action": "resolve", "dedup_key": "queue"}'
until_true "an event resolves" alert "the queue is long" RESOLVED

echo "== what opsgraph knows"
ask | python3 -m json.tool
