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
  ["Alerts firing", (report) => report.firing],
  ["Mean score", (report) => report.avgReliabilityScore.toFixed(1)],
  ["Monthly cost", (report) => money(report.totalMonthlyCost)],
  ["Unallocated", (report) => money(report.unallocatedCost)],
];

const COLUMNS = [
  (line) => cell("th", line.name),
  (line) => cell("td", line.team ?? "–"),
  (line) => cell("td", status(line.health)),
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
  document.getElementById("counts").replaceChildren(...COUNTS.map(([label, read]) => count(label, read(report))));
  document.getElementById("services").replaceChildren(...report.services.map(row));
}

function count(label, value) {
  const group = document.createElement("div");
  group.append(cell("dt", label), cell("dd", String(value)));
  return group;
}

function row(line) {
  const element = document.createElement("tr");
  element.append(...COLUMNS.map((column) => column(line)));
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
    show({ ...data.platformReport, firing: data.alerts.totalCount });
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
