// Runs the audit of the npm package graphql-http against a GraphQL endpoint.
// Usage: node graphql_http_audit.mjs FOLDER_WITH_NODE_MODULES URL
// Prints a line for each check that is not ok and a line with the counts; ends with 0 only if all are ok.
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, url] = process.argv.slice(2);
const { auditServer } = createRequire(join(folder, "package.json"))("graphql-http");

const results = await auditServer({ url });
const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const { id, name, status, reason } of results) {
  counts[status] += 1;
  if (status !== "ok") {
    console.log(`${status} ${id} ${name}: ${reason}`);
  }
}
const { ok, notice, warn, error } = counts;
console.log(`${ok} of ${results.length} ok, ${notice} notices, ${warn} warnings, ${error} errors`);
process.exitCode = ok === results.length ? 0 : 1;
