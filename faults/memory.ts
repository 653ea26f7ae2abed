import { memoryMebibytes, total } from "../local/machine/processes";
import { parts, type Part, type System } from "./system";

interface Sample {
  readonly at: number;
  readonly part: Part;
  readonly mebibytes: number;
}

/** Memory of one part over a run, in MiB: medians of the quarters of the run. */
export interface MemoryCourse {
  readonly part: Part;
  readonly quarters: readonly number[];
  readonly highest: number;
  /** Whether the last quarter is about as high as the second; undefined when the run was too short to tell. */
  readonly flat: boolean | undefined;
}

const sampleMilliseconds = 5_000;
/** A process that has just started has not yet what it needs. */
const youngMilliseconds = 30_000;
const tolerance = { ratio: 1.2, mebibytes: 32 };
const shortestCourseMilliseconds = 15 * 60_000;

/** Notes how much memory each part takes. */
export class MemoryWatch {
  private readonly samples: Sample[] = [];
  private readonly firstSeen = new Map<number, number>();
  private readonly timer: NodeJS.Timeout;
  private readonly begun = Date.now();

  constructor(private readonly system: System) {
    this.timer = setInterval(() => this.sample(), sampleMilliseconds);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  courses(): MemoryCourse[] {
    const length = Date.now() - this.begun;
    return parts.flatMap((part) => {
      const own = this.samples.filter((sample) => sample.part === part);
      if (own.length === 0) return [];
      const quarters = [0, 1, 2, 3].map((quarter) =>
        median(
          own
            .filter(({ at }) => Math.min(3, Math.floor((4 * (at - this.begun)) / length)) === quarter)
            .map(({ mebibytes }) => mebibytes),
        ),
      );
      const [, second, , last] = quarters as [number, number, number, number];
      const measured = length >= shortestCourseMilliseconds && Number.isFinite(second) && Number.isFinite(last);
      return [
        {
          part,
          quarters,
          highest: Math.max(...own.map(({ mebibytes }) => mebibytes)),
          flat: measured ? last <= second * tolerance.ratio + tolerance.mebibytes : undefined,
        },
      ];
    });
  }

  private sample(): void {
    const at = Date.now();
    for (const part of parts) {
      const process = this.system.part(part);
      if (!process.running || process.pid === undefined) continue;
      if (!this.firstSeen.has(process.pid)) this.firstSeen.set(process.pid, at);
      if (at - (this.firstSeen.get(process.pid) as number) < youngMilliseconds) continue;
      this.samples.push({ at, part, mebibytes: total(process.pid, memoryMebibytes) });
    }
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
