import { existsSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { join } from "node:path";
import { localFolder, repositoryFolder, runFile } from "../machine/folders";

/** `npm run local:clean`: removes data, logs and everything that was built. */
if (existsSync(runFile)) {
  console.error(
    "The local pipeline runs, or was not stopped in order. Stop it with Ctrl-C, or run npm run local once more, first.",
  );
  process.exit(1);
}
const folders = [
  localFolder,
  ...["transformer", "connect", "local/servers/kafka", "local/servers/kafka/broker", "local/servers/kafka/connect"].map(
    (module) => join(repositoryFolder, module, "target"),
  ),
].filter((folder) => existsSync(folder));
for (const folder of folders) {
  rmSync(folder, { recursive: true, force: true });
  console.log(`removed ${relative(repositoryFolder, folder)}/`);
}
if (folders.length === 0) console.log("Nothing to remove.");
