import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { withClient } from "../../local/servers/database-client";
import { accounts, fillAccounts } from "../load/workloads";
import { stored } from "../measurements/arrival";
import type { SystemUnderTest } from "../measurements/setting";
import { earlierName } from "../report/comparison-results";
import { pipelineSystem } from "./ours";
import { folderOfServers, type Running, settingOf, type Size } from "./own-servers";
import { type HostedPipeline, type HostOrder, hostVariable } from "./pipeline-host";
import type { BuiltTree } from "./work-tree";

/** The pipeline of another commit of this repository, run by its own code in a process of its own, on its own servers. */
export async function startEarlier(size: Size, running: Running, tree: BuiltTree): Promise<SystemUnderTest> {
  const folder = folderOfServers();
  const host = startHost({ tree: tree.folder, folder, scale: size.scale });
  const stop = running.add(async () => {
    await stopHost(host);
    rmSync(folder, { recursive: true, force: true });
  });
  const pipeline = await hostedPipeline(host, tree);
  const setting = settingOf(size, folder, pipeline.sample, pipeline.destination);
  const system = pipelineSystem(pipeline, earlierName(tree.commit));
  await withClient(setting.application, (client) => client.query(fillAccounts));
  await withClient(setting.observer, (observer) => stored(setting, observer, system, accounts));
  return { system, setting, stop };
}

function startHost(order: HostOrder): ChildProcess {
  return fork(join(__dirname, "pipeline-host.ts"), [], {
    // Packages and compiler options are those of the tree.
    cwd: order.tree,
    execArgv: ["--import", "tsx"],
    env: { ...process.env, [hostVariable]: JSON.stringify(order) },
  });
}

function hostedPipeline(host: ChildProcess, { commit }: BuiltTree): Promise<HostedPipeline> {
  return new Promise((resolve, reject) => {
    host.once("message", (message) => resolve(message as HostedPipeline));
    host.once("exit", (code) =>
      reject(new Error(`The pipeline of ${commit} did not start (exit code ${code}); its reason stands above.`)),
    );
  });
}

async function stopHost(host: ChildProcess): Promise<void> {
  if (host.exitCode !== null || host.signalCode !== null) return;
  const exited = once(host, "exit");
  host.send("stop");
  await exited;
}
