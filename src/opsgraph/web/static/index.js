// The front page: the platform report, read again every few seconds through the public API.
"use strict";

const REFRESH_MS = 3000;

const REPORT = `{
  platformReport {
    generatedAt totalServices healthy degraded critical down unknown overallHealth sloBreaches overBudget
    governanceCompliant avgReliabilityScore
    totalMonthlyCost { amount currency }
    unallocatedCost { amount currency }
    services(first: 50) {
      name team health reliabilityScore governance monthlyCost monthlyCostCurrency slosMet slosTotal
    }
  }
  alerts(filter: { statuses: [FIRING] }) { totalCount }
  incidents(first: 20, filter: { statuses: [OPEN, ACKNOWLEDGED, IN_PROGRESS] }, orderBy: SEVERITY) {
    totalCount
    nodes { number severity status serviceName title assignee { name } createdAt }
  }
}`;

const COUNTS = [
  ["Services", (report) => report.totalServices],
  ["Healthy", (report) => report.healthy],
  ["Degraded", (report) => report.degraded],
  ["Critical", (report) => report.critical],
  ["Down", (report) => report.down],
  ["Unknown", (report) => report.unknown],
  ["Miss an SLO", (report) => report.sloBreaches],
  ["Over budget", (report) => report.overBudget],
  ["Compliant", (report) => report.governanceCompliant],
  ["Open incidents", (report) => report.incidents.totalCount],
  ["Alerts firing", (report) => report.firing],
  ["Mean score", (report) => report.avgReliabilityScore.toFixed(1)],
  ["Monthly cost", (report) => money(report.totalMonthlyCost), "wide"],
  ["Unallocated", (report) => money(report.unallocatedCost), "wide"],
];

const INCIDENT = [
  (line) => cell("th", `#${line.number}`),
  (line) => cell("td", status(line.severity)),
  (line) => cell("td", words(line.status)),
  (line) => cell("td", line.serviceName),
  (line) => cell("td", line.title, "text"),
  (line) => cell("td", line.assignee?.name ?? "–"),
  (line) => cell("td", new Date(line.createdAt).toLocaleString()),
];

const SERVICE = [
  (line) => cell("th", line.name),
  (line) => cell("td", status(line.health)),
  (line) => cell("td", line.team ?? "–"),
  (line) => cell("td", line.reliabilityScore ?? "–", "number"),
  (line) => cell("td", words(line.governance)),
  (line) => cell("td", `${line.monthlyCost} ${line.monthlyCostCurrency ?? ""}`, "number"),
  (line) => cell("td", `${line.slosMet} of ${line.slosTotal}`, "number"),
];

function money(amounts) {
  return amounts.map(({ amount, currency }) => `${amount} ${currency}`).join("\n") || "0";
}

function words(name) {
  return name.toLowerCase().replaceAll("_", " ");
}

function cell(tag, content, className = "") {
  const element = document.createElement(tag);
  element.append(content);
  element.className = className;
  if (tag === "th") {
    element.scope = "row";
  }
  return element;
}

function status(name) {
  const badge = document.createElement("span");
  badge.className = "status";
  badge.dataset.status = name;
  badge.textContent = words(name);
  return badge;
}

function show(report) {
  const overall = document.getElementById("overall");
  overall.textContent = words(report.overallHealth);
  overall.dataset.status = report.overallHealth;
  document.getElementById("generated").textContent = new Date(report.generatedAt).toLocaleString();
  document.getElementById("counts").replaceChildren(...COUNTS.map(([label, read, kind]) => count(label, read(report), kind)));
  fill("services", report.services, SERVICE);
  fill("incidents", report.incidents.nodes, INCIDENT);
  const { nodes, totalCount } = report.incidents;
  document.getElementById("incidents").hidden = nodes.length === 0;
  document.getElementById("calm").textContent = totalCount === 0 ? "None." : more(totalCount - nodes.length);
}

function more(left) {
  return left > 0 ? `The worst ones; ${left} more are open.` : "";
}

function count(label, value, kind = "") {
  const group = document.createElement("div");
  group.className = kind;
  group.append(cell("dt", label), cell("dd", String(value)));
  return group;
}

function fill(id, lines, columns) {
  const table = document.getElementById(id);
  const labels = [...table.tHead.rows[0].cells].map((head) => head.textContent);
  table.tBodies[0].replaceChildren(...lines.map((line) => row(line, columns, labels)));
}

function row(line, columns, labels) {
  const element = document.createElement("tr");
  columns.forEach((column, place) => {
    const made = column(line);
    made.dataset.label = labels[place]; // what a narrow screen shows in place of the table's head
    element.append(made);
  });
  return element;
}

function say(text) {
  const notice = document.getElementById("notice");
  if (notice.textContent !== text) {
    notice.textContent = text;
  }
}

async function refresh() {
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "accept": "application/graphql-response+json", "content-type": "application/json" },
      body: JSON.stringify({ query: REPORT }),
    });
    const { data, errors } = await response.json();
    if (!data) {
      throw new Error(errors?.[0]?.message ?? response.statusText);
    }
    show({ ...data.platformReport, firing: data.alerts.totalCount, incidents: data.incidents });
    say(data.platformReport.totalServices ? "" : "No services yet: GraphiQL's examples create the first one.");
  } catch (error) {
    say(`Not up to date: ${error.message}`);
  }
  setTimeout(refresh, REFRESH_MS);
}

for (const code of document.querySelectorAll("pre code")) {
  code.textContent = code.textContent.replace("http://127.0.0.1:8000", location.origin);
}
refresh();
