import { existsSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { buildFolders, localFolder, repositoryFolder } from "../machine/folders";
import { endLeftProcesses, lastRun } from "../machine/processes-file";

const help = `npm run local:clean [-- --source URL]

Removes data, logs and everything that was built, and ends what a killed run has left running.

  --source URL   instead, takes back what local runs have left in this database of your own
`;

/** `npm run local:clean`: see {@link help}. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { source: { type: "string" }, help: { type: "boolean" } } });
  if (values.help) return console.log(help);
  if (values.source !== undefined) return cleanSource(values.source);
  await cleanFolders();
}

async function cleanFolders(): Promise<void> {
  const last = lastRun(localFolder);
  if (last?.running !== undefined) {
    throw new Error(
      `The local pipeline is running (process ${last.running}). First stop it: Ctrl-C, or kill ${last.running}`,
    );
  }
  for (const part of await endLeftProcesses(localFolder)) console.log(`ended ${part}, left by a run that was killed`);
  const folders = [localFolder, ...buildFolders].filter((folder) => existsSync(folder));
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
    console.log(`removed ${relative(repositoryFolder, folder)}/`);
  }
  if (folders.length === 0) console.log("Nothing to remove.");
  if (last?.source === undefined) return;
  console.log(`The run that was killed may have left its capture in ${last.source}. To take it back:
  npm run local:clean -- --source postgres://user:password@${last.source}`);
}

async function cleanSource(url: string): Promise<void> {
  // Loaded only for this: the rest works without what npm installs.
  const { connectToSource, takeBackLeft, thisRunner } = await import("./source-setup");
  const source = await connectToSource(url, thisRunner(""));
  try {
    if (source.left) await takeBackLeft(source, source.left, { note: (text) => console.log(text) });
    else console.log(`No local run has left anything in ${source.place}.`);
  } finally {
    await source.close();
  }
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
