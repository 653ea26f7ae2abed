import { readFileSync } from "node:fs";

/** Kernel clock ticks a second in /proc; 100 on every Linux that people run. */
const ticksPerSecond = 100;

/** CPU seconds, user and system, that a process has used. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident memory of a process in MiB, shared pages counted in proportion. */
export function memoryMebibytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1024;
}

/** A process and everything it started. */
export function withDescendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return [pid, ...(children ? children.split(" ").flatMap((child) => withDescendants(Number(child))) : [])];
}

/** Sum over a process and its descendants; one that ends meanwhile counts as nothing. */
export function total(pid: number, measure: (pid: number) => number): number {
  return withDescendants(pid).reduce((sum, each) => {
    try {
      return sum + measure(each);
    } catch {
      return sum;
    }
  }, 0);
}
