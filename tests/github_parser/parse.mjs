// Reads workflows and `action.yml` files as GitHub does: `node parse.mjs PATH...` writes a JSON object with the errors of each.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { basename } from "node:path";

// The package imports its schemas as JSON without saying so, which Node.js refuses.
const hook = `
  import { readFileSync } from "node:fs";
  import { fileURLToPath } from "node:url";
  export const load = (url, context, next) => url.endsWith(".json")
    ? { format: "module", shortCircuit: true, source: "export default " + readFileSync(fileURLToPath(url), "utf8") }
    : next(url, context);
`;
register("data:text/javascript," + encodeURIComponent(hook));

const { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } = await import("@actions/workflow-parser");
const { parseAction } = await import("@actions/workflow-parser/actions/action-parser");

const found = {};
for (const path of process.argv.slice(2)) {
  const isAction = basename(path) === "action.yml";
  const file = { name: path, content: readFileSync(path, "utf8") };
  const { context, value } = (isAction ? parseAction : parseWorkflow)(file, new NoOperationTraceWriter());
  const errors = context.errors.getErrors().map((error) => error.message);
  if (!isAction && value) {
    const template = await convertWorkflowTemplate(context, value);
    errors.push(...(template.errors ?? []).map((error) => error.Message));
  }
  found[path] = [...new Set(errors)];
}
console.log(JSON.stringify(found));
