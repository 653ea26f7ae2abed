import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { format } from "prettier";
import { RunningPlugin } from "./plugin";

const componentsFolder = resolve(__dirname, "../components");

/** Writes the schema that Pulumi infers from the components' sources, for review and for the package. */
async function writeSchema(): Promise<void> {
  const plugin = await RunningPlugin.start(componentsFolder);
  try {
    const file = join(componentsFolder, "schema.json");
    writeFileSync(file, await format(JSON.stringify(await plugin.schema()), { parser: "json", printWidth: 120 }));
    console.log(file);
  } finally {
    plugin.stop();
  }
}

void writeSchema().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
