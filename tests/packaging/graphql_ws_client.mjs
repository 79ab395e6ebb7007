// Follows alerts with the npm client graphql-ws while its connection is cut off again and again.
// Usage: node graphql_ws_client.mjs FOLDER_WITH_NODE_MODULES URL_OF_GRAPHQL ALERTS CUTS
// Prints one line of JSON: the messages in the order in which they came, the connections that were made, the answer to a
// query over the same socket, and the errors of an operation that is none.
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, url, alerts, cuts] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { createClient } = require("graphql-ws");

const INGEST = `mutation ($input: IngestAlertInput!) { ingestAlert(input: $input) { __typename } }`;
const FEED = `subscription ($after: String) { alertFeed(after: $after) { cursor alert { message } } }`;

async function post(query, variables) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()).data;
}

let connections = 0;
const client = createClient({
  url: url.replace("http", "ws"),
  webSocketImpl: require("ws"),
  retryAttempts: Number(cuts) + 5,
  retryWait: async () => {},
  on: { connected: () => (connections += 1) },
});

// On a new connection the client sends the same object again: with the cursor kept in it, it goes on where it was.
const variables = { after: (await post("{ feedCursor }")).feedCursor };
const messages = [];
const done = new Promise((resolve, reject) => {
  client.subscribe({ query: FEED, variables }, {
    next({ data: { alertFeed: { cursor, alert } } }) {
      variables.after = cursor;
      messages.push(alert.message);
      if (messages.length % Math.ceil(alerts / cuts) === 1) {
        client.terminate();
      }
      if (messages.length === Number(alerts)) {
        resolve();
      }
    },
    error: reject,
    complete: () => reject(new Error("the feed has ended")),
  });
});

for (let number = 1; number <= alerts; number += 1) {
  await post(INGEST, { input: { service: "api", severity: "high", message: `alert ${number}` } });
}
await done;

async function only(query) {
  try {
    for await (const result of client.iterate({ query })) {
      return result;
    }
  } catch (errors) {
    return { errors };
  }
}

const answer = await only("{ alerts { totalCount } }");
const { errors } = await only("{ alerts {");
const again = await only("{ viewer { name } }");
console.log(JSON.stringify({ messages, connections, answer, errors, again }));
await client.dispose();
