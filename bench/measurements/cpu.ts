import { cpuSeconds, machineCpuSeconds, postgresCpuSeconds, total } from "../../local/machine/processes";
import type { AuditSystem } from "../systems/audit-system";
import type { Measured } from "./setting";

/** CPU seconds so far: of each part, PostgreSQL's by what it does, and of everything else on the machine. */
export function cpu(parts: ReturnType<AuditSystem["processes"]>): Map<string, number> {
  const seconds = new Map<string, number>();
  let measured = 0;
  for (const part of parts) {
    const pid = part.pid as number;
    if (part.name === "PostgreSQL") {
      for (const [role, value] of Object.entries(postgresCpuSeconds(pid))) {
        seconds.set(`PostgreSQL, ${role}`, value);
        measured += value;
      }
    } else {
      const value = total(pid, cpuSeconds);
      seconds.set(part.name, value);
      measured += value;
    }
  }
  seconds.set("everything else on the machine", machineCpuSeconds() - measured);
  return seconds;
}

/** What each part has used meanwhile, for 1,000 changes. */
export function cpuPerThousand(before: Map<string, number>, after: Map<string, number>, changes: number): Measured[] {
  return [...after].map(([name, seconds]) => ({
    metric: `CPU for 1,000 changes: ${name}`,
    value: ((seconds - (before.get(name) ?? 0)) * 1e6) / changes,
    unit: "ms",
  }));
}
