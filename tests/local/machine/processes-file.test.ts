import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManagedProcess } from "../../../local/machine/managed-process";
import { endLeftProcesses, lastRun, ProcessesFile } from "../../../local/machine/processes-file";

let folder: string;
const started: number[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cdc-audit-processes-"));
});
afterEach(() => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

/** A part that sleeps; its command line names the folder. */
const part = (name: string) =>
  new ManagedProcess({
    name,
    command: process.execPath,
    arguments: ["-e", "setInterval(() => {}, 1000)", join(folder, name)],
    logFile: join(folder, `${name}.log`),
    ready: async () => undefined,
  });

async function launched(file: ProcessesFile, name: string): Promise<ManagedProcess> {
  const process = part(name);
  process.onLaunch(() => file.note(process));
  await process.start();
  started.push(process.pid as number);
  return process;
}

/** Makes the run of the file one whose command was killed. */
function killCommand(): void {
  const file = join(folder, "processes.json");
  const content = JSON.parse(readFileSync(file, "utf8")) as { command: { started: string } };
  // The number lives on, as another process.
  writeFileSync(file, JSON.stringify({ ...content, command: { pid: process.ppid, started: "long ago" } }));
}

describe("what a killed run left running", () => {
  it("is ended by the next run, and nothing else that names its folder", async () => {
    const file = ProcessesFile.begin(folder, "run-1", "db.example/shop");
    const broker = await launched(file, "broker");
    const reader = spawn("tail", ["-f", join(folder, "broker.log"), join(folder, "broker")], { stdio: "ignore" });
    started.push(reader.pid as number);
    killCommand();

    expect(lastRun(folder)).toEqual({ run: "run-1", running: undefined, source: "db.example/shop" });
    expect(await endLeftProcesses(folder)).toEqual(["broker"]);
    await sleep(100);
    expect(broker.running).toBe(false);
    expect(reader.exitCode ?? reader.signalCode).toBeNull();
    expect(lastRun(folder)).toBeUndefined();
  });

  it("is nothing when a part has ended, though its number is another's by now", async () => {
    const file = ProcessesFile.begin(folder, "run-1");
    const broker = await launched(file, "broker");
    await broker.kill();
    killCommand();

    expect(await endLeftProcesses(folder)).toEqual([]);
  });
});

describe("a run", () => {
  it("is known to run while its command does", () => {
    const command = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    started.push(command.pid as number);
    ProcessesFile.begin(folder, "run-1");
    const file = join(folder, "processes.json");
    const ticks = execFileSync("cat", [`/proc/${command.pid}/stat`], { encoding: "utf8" })
      .split(") ")[1]
      ?.split(" ")[19];
    const content = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...content, command: { pid: command.pid, started: ticks } }));

    expect(lastRun(folder)?.running).toBe(command.pid);
  });
});
