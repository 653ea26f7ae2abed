import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { format } from "prettier";
import { mermaidPicture } from "../recorder/picture";
import { alarmTable } from "./alarm-table";
import { between } from "./between-marks";
import { folderTable } from "./architecture/check";
import { componentReference } from "./component-reference";
import { costReference } from "./cost";
import { withFaults } from "./fault-reference";
import { lifetimeTables } from "./lifetime-table";
import { previewPolicy } from "./preview-policy";
import { recorded } from "./recorded";
import { settingsReference } from "./settings-reference";

const repositoryFolder = resolve(__dirname, "..");

/** A file whose content follows from the sources. */
interface GeneratedDocument {
  /** Seen from the repository. */
  readonly file: string;
  /**
   * @param committed The file as it is: what stands around a generated part stays.
   * @param graphOf The recorded graph of a stack.
   */
  readonly content: (committed: string, graphOf: typeof recorded) => string | Promise<string>;
}

export const generatedDocuments: readonly GeneratedDocument[] = [
  { file: "docs/settings.md", content: settingsReference },
  { file: "docs/components.md", content: componentReference },
  { file: "docs/cost.md", content: (_, graphOf) => costReference(graphOf) },
  { file: "docs/architecture.md", content: architecture },
  { file: "docs/reliability.md", content: withFaults },
  {
    file: "docs/runbook.md",
    content: (text) => between("versions", between("alarms", text, alarmTable()), lifetimeTables()),
  },
  {
    file: "docs/preview-policy.json",
    content: () => format(JSON.stringify(previewPolicy()), { parser: "json", printWidth: 120 }),
  },
];

/** Puts the picture of the smallest stack and the table of folders between their marks. */
async function architecture(text: string, graphOf: typeof recorded): Promise<string> {
  const picture = `\`\`\`mermaid\n${mermaidPicture(await graphOf("dev"))}\`\`\``;
  return between("table of folders", between("picture of dev", text, picture), folderTable());
}

/** A document as it is; empty before it was written first. */
export function committed(file: string): string {
  const path = join(repositoryFolder, file);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

if (require.main === module) {
  new Command("docs")
    .description("Writes the documents that follow from the sources.")
    .action(async () => {
      for (const { file, content } of generatedDocuments) {
        writeFileSync(join(repositoryFolder, file), await content(committed(file), recorded));
        console.log(file);
      }
    })
    .parseAsync()
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    });
}
