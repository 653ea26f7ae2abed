import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryFolder } from "../../local/machine/folders";

/** Makes the clock of one process jump on demand, by a library that is compiled and preloaded into it. */
export class ShiftedClock {
  private constructor(
    private readonly library: string,
    private readonly file: string,
  ) {}

  /** Why no clock can be shifted here; undefined when one can. */
  static obstacle(): string | undefined {
    if (process.platform !== "linux") return "shifting the clock of one process needs Linux";
    try {
      execFileSync("cc", ["--version"], { stdio: "ignore" });
      return undefined;
    } catch {
      return "shifting the clock of one process needs a C compiler (cc)";
    }
  }

  static create(folder: string): ShiftedClock {
    const library = join(folder, "clock-shift.so");
    execFileSync("cc", [
      "-shared",
      "-fPIC",
      "-O2",
      "-o",
      library,
      join(repositoryFolder, "faults/injection/clock-shift.c"),
      "-ldl",
    ]);
    const file = join(folder, "clock-shift");
    writeFileSync(file, Buffer.alloc(8));
    return new ShiftedClock(library, file);
  }

  /** For the process whose clock it is. */
  get environment(): Record<string, string> {
    return { LD_PRELOAD: this.library, CLOCK_SHIFT_FILE: this.file };
  }

  /** Sets the clock ahead by this many seconds, to the millisecond, or back when it is below 0. */
  shift(seconds: number): void {
    const value = Buffer.alloc(8);
    value.writeBigInt64LE(BigInt(Math.round(seconds * 1000)));
    const file = openSync(this.file, "r+");
    writeSync(file, value, 0, value.length, 0);
    closeSync(file);
  }
}
