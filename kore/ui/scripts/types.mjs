// Writes src/types.ts from the description of Kore's API, which comes on standard input.
// With --check compares it instead, and fails where the file is stale.

import { readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const FILE = fileURLToPath(new URL("../src/types.ts", import.meta.url));
const HEADER = `// What Kore's REST API takes and answers. Generated from openapi.json: \`make types\`.

`;

/** Leave out what says nothing that the name does not say. */
function withoutTitles(value) {
  if (Array.isArray(value)) return value.map(withoutTitles);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, each]) => key !== "title" || typeof each !== "string")
      .map(([key, each]) => [key, withoutTitles(each)]),
  );
}

const { openapi, info, components } = JSON.parse(await text(process.stdin));
const schemas = Object.fromEntries(
  Object.entries(withoutTitles(components.schemas)).sort(([a], [b]) => (a < b ? -1 : 1)),
);
const nodes = await openapiTS(
  { openapi, info, paths: {}, components: { schemas } },
  { rootTypes: true, rootTypesNoSchemaPrefix: true, silent: true },
);
const types =
  HEADER + astToString(nodes).replace(/^export type (paths|webhooks|operations|\$defs) .*\n/gm, "");

if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== types) {
    console.error("kore/ui/src/types.ts is not what the API answers: run make types");
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, types);
}
