// Starts GraphiQL against this server. Everything it loads comes from this server, so that it works offline and under
// a content security policy without inline scripts.
"use strict";

const EXAMPLES = [
  "platform-report",
  "services",
  "save-service",
  "record-facts",
  "service",
  "teams",
  "report-alert",
  "alerts",
  "alert-feed",
  "incidents",
  "respond",
  "declare-manifest",
  "readiness",
];

const HEADERS = `{
  "authorization": "Bearer "
}`;

const HISTORY = new Set(["graphiql:queries", "graphiql:favorites"]);

const NO_KEY = /^\s*(Bearer\s*)?$/i;

/** Sends one operation; `headers` are those of the headers editor, which win over the defaults. */
async function send(operation, { headers } = {}) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      "accept": "application/graphql-response+json, application/json, text/event-stream",
      "content-type": "application/json",
      ...withoutBlanks(headers),
    },
    body: JSON.stringify(operation),
  });
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("event-stream")) {
    return results(response.body.pipeThrough(new TextDecoderStream()).getReader());
  }
  return type.includes("json") ? response.json() : { errors: [{ message: await described(response) }] };
}

/** The results of a subscription, one by one, until it ends or nobody wants more. */
async function* results(reader) {
  let unread = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      const events = (unread + value).split("\n\n");
      unread = events.pop();
      yield* events.filter((event) => event.includes("event: next\n")).map((event) => JSON.parse(event.split("\ndata: ")[1]));
    }
  } finally {
    await reader.cancel();
  }
}

/** A header without a value, or with "Bearer" and no key after it, is one that nobody has filled in yet. */
function withoutBlanks(headers = {}) {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => !NO_KEY.test(value)));
}

async function described(response) {
  return `${response.status} ${response.statusText}: ${await response.text()}`;
}

async function example(name) {
  const response = await fetch(`/static/examples/${name}.graphql`);
  if (!response.ok) {
    throw new Error(await described(response));
  }
  return { query: await response.text(), headers: HEADERS };
}

/** The examples that could be read; the editor starts without the rest. */
async function examples() {
  const read = await Promise.allSettled(EXAMPLES.map(example));
  return read.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
}

/**
 * The browser's storage without what GraphiQL's history would keep of the headers editor: it writes the headers of each
 * executed operation beside the operation, whatever `shouldPersistHeaders` says, and an API key does not belong there.
 */
const storage = {
  get length() {
    return Object.keys(localStorage).length;
  },
  getItem(key) {
    return localStorage.getItem(key);
  },
  setItem(key, value) {
    localStorage.setItem(key, HISTORY.has(key) ? withoutHeaders(value) : value);
  },
  removeItem(key) {
    localStorage.removeItem(key);
  },
  clear() {
    Object.keys(localStorage).filter((key) => key.startsWith("graphiql:")).forEach((key) => localStorage.removeItem(key));
  },
};

function withoutHeaders(history) {
  return JSON.stringify(JSON.parse(history, (name, value) => (name === "headers" ? undefined : value)));
}

async function start() {
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  root.render(
    React.createElement(GraphiQL, {
      fetcher: send,
      defaultTabs: await examples(),
      defaultHeaders: HEADERS,
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: false,
      storage,
      inputValueDeprecation: true,
      schemaDescription: true,
    }),
  );
}

start();
