// What opsgraph's live feeds are measured beside: the server of the npm package graphql-ws, with the alerts in memory.
// Usage: node graphql_ws.mjs FOLDER_WITH_NODE_MODULES PORT
// POST /publish?n=50 publishes 50 alerts to every subscriber of /graphql.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, port] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { buildSchema } = require("graphql");
const { WebSocketServer } = require("ws");
const { useServer } = require("graphql-ws/use/ws");

const schema = buildSchema(`
  type Service { name: String! tier: Int! }
  type Incident { number: Int! status: String! alertCount: Int! }
  type Alert { severity: String! message: String! service: Service incident: Incident }
  type AlertEvent { cursor: String! kind: String! alert: Alert! }
  type Query { ready: Boolean }
  type Subscription { alertFeed: AlertEvent! }
`);

const feeds = new Set();

async function* feed() {
  const queue = [];
  let wake = () => {};
  const push = (event) => {
    queue.push(event);
    wake();
  };
  feeds.add(push);
  try {
    for (;;) {
      while (queue.length) {
        yield { alertFeed: queue.shift() };
      }
      await new Promise((resolve) => (wake = resolve));
    }
  } finally {
    feeds.delete(push);
  }
}

schema.getSubscriptionType().getFields().alertFeed.subscribe = feed;

let published = 0;
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
  const count = pathname === "/publish" ? Number(searchParams.get("n")) : 0;
  for (let n = 0; n < count; n += 1) {
    published += 1;
    const alert = {
      severity: "CRITICAL",
      message: `alert ${published}`,
      service: { name: "service-0", tier: 1 },
      incident: { number: 1, status: "OPEN", alertCount: published },
    };
    feeds.forEach((push) => push({ cursor: String(published), kind: "FIRED", alert }));
  }
  response.end("ready");
});
useServer({ schema }, new WebSocketServer({ server, path: "/graphql" }));
server.listen(Number(port), "127.0.0.1");
