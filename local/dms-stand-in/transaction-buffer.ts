import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One message of a transaction, with its place in the WAL. */
export interface BufferedMessage {
  readonly position: bigint;
  readonly line: string;
}

const frameHeaderBytes = 12;
const readChunkBytes = 1 << 20;

/**
 * The messages between BEGIN and COMMIT of the open transaction, held back because only COMMIT carries the commit time.
 * Beyond a limit they go to a nameless temporary file, as DMS swaps to disk.
 */
export class TransactionBuffer {
  private messages: BufferedMessage[] = [];
  private characters = 0;
  private file: number | undefined;
  private first: bigint | undefined;

  /** @param maxCharacters of text that may stay in memory. Default 8 Mi. */
  constructor(private readonly maxCharacters = 8 << 20) {}

  /** Place of the first message; undefined when there is none. */
  get firstPosition(): bigint | undefined {
    return this.first;
  }

  add(position: bigint, line: string): void {
    this.first ??= position;
    this.messages.push({ position, line });
    this.characters += line.length;
    if (this.characters > this.maxCharacters) this.spill();
  }

  /** Forgets everything. */
  clear(): void {
    this.messages = [];
    this.characters = 0;
    this.first = undefined;
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }

  /** All messages in order, a group at a time. */
  *groups(): Generator<readonly BufferedMessage[]> {
    if (this.file !== undefined) yield* readFrames(this.file);
    yield this.messages;
  }

  private spill(): void {
    this.file ??= namelessFile();
    const frames = this.messages.flatMap(({ position, line }) => {
      const header = Buffer.allocUnsafe(frameHeaderBytes);
      header.writeBigUInt64BE(position, 0);
      header.writeUInt32BE(Buffer.byteLength(line), 8);
      return [header, Buffer.from(line)];
    });
    writeFully(this.file, Buffer.concat(frames));
    this.messages = [];
    this.characters = 0;
  }
}

/** Removed from its folder at once, so that not even a kill leaves it behind. */
function namelessFile(): number {
  const folder = mkdtempSync(join(tmpdir(), "dms-stand-in-"));
  const file = openSync(join(folder, "transaction"), "w+", 0o600);
  rmSync(folder, { recursive: true });
  return file;
}

function writeFully(file: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}

function* readFrames(file: number): Generator<readonly BufferedMessage[]> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(readChunkBytes);
    const count = readSync(file, chunk, 0, chunk.length, offset);
    if (count === 0) return;
    offset += count;
    const bytes = Buffer.concat([rest, chunk.subarray(0, count)]);
    const group: BufferedMessage[] = [];
    let start = 0;
    while (start + frameHeaderBytes <= bytes.length) {
      const end = start + frameHeaderBytes + bytes.readUInt32BE(start + 8);
      if (end > bytes.length) break;
      const line = bytes.toString("utf8", start + frameHeaderBytes, end);
      group.push({ position: bytes.readBigUInt64BE(start), line });
      start = end;
    }
    rest = bytes.subarray(start);
    yield group;
  }
}
