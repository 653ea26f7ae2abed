import { readFileSync } from "node:fs";

/** Kernel clock ticks a second in /proc; 100 on every Linux that people run. */
const ticksPerSecond = 100;

/** CPU seconds, user and system, that a process has used; with `ended`, also those of its children that have ended. */
export function cpuSeconds(pid: number, ended = false): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, ended ? 15 : 13).reduce((sum, field) => sum + Number(field), 0);
  return ticks / ticksPerSecond;
}

/** CPU seconds that the whole machine has spent on anything. */
export function machineCpuSeconds(): number {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond;
}

/** Resident memory of a process in MiB, shared pages counted in proportion. */
export function memoryMebibytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1024;
}

/** A process and all its descendants. A process that has ended in the meantime has none. */
export function withDescendants(pid: number): number[] {
  const children = childrenOf(pid).trim();
  return [pid, ...(children ? children.split(" ").flatMap((child) => withDescendants(Number(child))) : [])];
}

/** While a child ends, the kernel's list may lack others, so it is read until it is the same twice in a row. */
function childrenOf(pid: number): string {
  let list = readChildren(pid);
  for (let again = readChildren(pid); again !== list; again = readChildren(pid)) list = again;
  return list;
}

function readChildren(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}

/** Sum over a process and its descendants. One that ends in the meantime counts as 0. */
export function total(pid: number, measure: (pid: number) => number): number {
  return withDescendants(pid).reduce((sum, each) => sum + orNothing(() => measure(each)), 0);
}

/** CPU seconds of a PostgreSQL server, by what its processes do. `other` includes processes that have ended. */
export function postgresCpuSeconds(postmaster: number): Record<"decoding" | "storing" | "other", number> {
  for (;;) {
    const pids = withDescendants(postmaster);
    const seconds = { decoding: 0, storing: 0, other: cpuSeconds(postmaster, true) };
    for (const pid of pids.slice(1)) {
      const title = orNothing(() => readFileSync(`/proc/${pid}/cmdline`, "latin1"));
      seconds[role(String(title))] += orNothing(() => cpuSeconds(pid));
    }
    // A process that ended while they were read is counted twice or not at all, so read again.
    if (withDescendants(postmaster).join() === pids.join()) return seconds;
  }
}

function role(title: string): "decoding" | "storing" | "other" {
  if (title.includes("walsender")) return "decoding";
  return / (audit_writer|debezium) /.test(title) ? "storing" : "other";
}

function orNothing<T>(read: () => T): T | 0 {
  try {
    return read();
  } catch {
    return 0;
  }
}
