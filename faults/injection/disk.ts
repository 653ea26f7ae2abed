import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const unmountAttempts = 20;

/** A separate file system in a file, which can be filled to the last byte. Only root on Linux can have one. */
export class Disk {
  private constructor(
    readonly folder: string,
    private readonly image: string,
  ) {}

  /** Why there can be no such disk here; undefined when there can. */
  static obstacle(): string | undefined {
    if (process.platform !== "linux") return "a file system of a limited size needs Linux";
    if (process.getuid?.() !== 0) return "mounting a file system of a limited size needs root";
    const trial = mkdtempSync(join(tmpdir(), "cdc-audit-disk-"));
    try {
      const { folder, image } = describe(trial, "trial");
      make(folder, image, 16 << 20);
      execFileSync("umount", [folder]);
      return undefined;
    } catch (error) {
      return `no file system can be mounted (${(error as Error).message.trim().split("\n").at(-1)})`;
    } finally {
      rmSync(trial, { recursive: true, force: true });
    }
  }

  /** @param bytes size of the file system; its file takes only what is used. */
  static create(parent: string, name: string, bytes: number): Disk {
    const { folder, image } = describe(parent, name);
    make(folder, image, bytes);
    return new Disk(folder, image);
  }

  /** Takes every free block. */
  async fill(): Promise<void> {
    let { bavail: blocks } = statfsSync(this.folder);
    const { bsize } = statfsSync(this.folder);
    for (let part = 0; blocks > 0; part += 1) {
      try {
        await run("fallocate", ["--length", String(blocks * bsize), join(this.folder, `ballast-${part}`)]);
        blocks = statfsSync(this.folder).bavail;
      } catch {
        // The file system needed blocks for itself, or another process took some.
        blocks = Math.min(statfsSync(this.folder).bavail, Math.floor(blocks / 2));
      }
    }
  }

  async free(): Promise<void> {
    await run("find", [this.folder, "-maxdepth", "1", "-name", "ballast-*", "-delete"]);
  }

  async remove(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await run("umount", [this.folder]);
        break;
      } catch (error) {
        if (attempt === unmountAttempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
    rmSync(this.image, { force: true });
  }
}

function describe(parent: string, name: string) {
  return { folder: join(parent, name), image: join(parent, `${name}.ext4`) };
}

function make(folder: string, image: string, bytes: number): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(image, "");
  truncateSync(image, bytes);
  // No blocks are reserved for root, because the broker may run as root.
  execFileSync("mkfs.ext4", ["-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", image]);
  execFileSync("mount", ["-o", "loop", image, folder]);
}
