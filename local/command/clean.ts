import { existsSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { buildFolders, localFolder, repositoryFolder, runFile } from "../machine/folders";

/** `npm run local:clean`: removes data, logs and everything that was built. */
if (existsSync(runFile)) {
  console.error(
    "The local pipeline is running, or was not stopped in order. First stop it with Ctrl-C, or run npm run local once more.",
  );
  process.exit(1);
}
const folders = [localFolder, ...buildFolders].filter((folder) => existsSync(folder));
for (const folder of folders) {
  rmSync(folder, { recursive: true, force: true });
  console.log(`removed ${relative(repositoryFolder, folder)}/`);
}
if (folders.length === 0) console.log("Nothing to remove.");
