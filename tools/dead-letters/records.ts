import { stripVTControlCharacters } from "node:util";
import { connectDeadLetterHeaders, deadLetterHeaders } from "../../contract/dead-letter";

/** A record of the dead-letter topic as Kafka holds it. */
export interface StoredRecord {
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since 1970. */
  readonly timestamp: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: ReadonlyMap<Buffer, Buffer | null>;
}

/** A dead letter as it is listed; members that its headers do not contain are null. */
export interface DeadLetter {
  /** Where it lies in the dead-letter topic. */
  readonly partition: number;
  readonly offset: string;
  readonly time: string;
  /** Where the refused record came from. */
  readonly topic: string | null;
  readonly topicPartition: number | null;
  readonly topicOffset: string | null;
  /** The transformer's reason, or the class name of Connect's exception. */
  readonly reason: string | null;
  readonly message: string | null;
  /** How often it had been sent through again before it was refused. */
  readonly attempts: number;
  /** Whether it has been sent through again since. */
  readonly replayed: boolean;
  readonly bytes: number;
}

/** A record for its topic of origin. */
export interface ReplayMessage {
  readonly topic: string;
  readonly partition?: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Map<Buffer, Buffer | null>;
}

/** What only says why a record was refused. The other two headers state its place, which a replay keeps. */
const placeHeaders: readonly string[] = [deadLetterHeaders.firstOrigin, deadLetterHeaders.streamOrder];
const ownHeaders = new Set(Object.values(deadLetterHeaders).filter((name) => !placeHeaders.includes(name)));
const connectPrefix = "__connect.errors.";

/** The dead letter in a record, or the offset of the one that a marker says was replayed. */
export function readRecord(record: StoredRecord): Omit<DeadLetter, "replayed"> | { readonly replayedOffset: string } {
  const headers = textHeaders(record);
  const replayedOffset = headers.get(deadLetterHeaders.replayedOffset);
  if (replayedOffset !== undefined) return { replayedOffset };
  // A record that the transformer refused has its headers; one that the sink refused has Connect's.
  const names = headers.has(deadLetterHeaders.topic) ? deadLetterHeaders : connectDeadLetterHeaders;
  const partition = headers.get(names.partition);
  return {
    partition: record.partition,
    offset: String(record.offset),
    time: new Date(Number(record.timestamp)).toISOString(),
    topic: headers.get(names.topic) ?? null,
    topicPartition: partition === undefined ? null : Number(partition),
    topicOffset: headers.get(names.offset) ?? null,
    reason: headers.get(names.reason) ?? null,
    message: headers.get(names.message) ?? null,
    attempts: Number(headers.get(deadLetterHeaders.attempts) ?? 0),
    bytes: record.value?.length ?? 0,
  };
}

/** Collects dead letters in the order of the topic, each with whether it was replayed. */
export class DeadLetterList {
  private readonly letters: Omit<DeadLetter, "replayed">[] = [];
  private readonly replayed = new Set<string>();

  add(record: StoredRecord): void {
    const read = readRecord(record);
    if ("replayedOffset" in read) this.replayed.add(`${record.partition}@${read.replayedOffset}`);
    else this.letters.push(read);
  }

  all(): DeadLetter[] {
    return this.letters.map((letter) => ({
      ...letter,
      replayed: this.replayed.has(`${letter.partition}@${letter.offset}`),
    }));
  }
}

/**
 * The original record, for its topic of origin: without what only says why it was refused, with the place
 * that it had, and with its replays counted. Undefined when its headers do not say where it came from.
 */
export function replayMessage(record: StoredRecord, letter: DeadLetter): ReplayMessage | undefined {
  if (letter.topic === null) return undefined;
  const original = [...record.headers].filter(([name]) => {
    const text = name.toString();
    return !ownHeaders.has(text) && !text.startsWith(connectPrefix);
  });
  const attempts = Buffer.from(String(letter.attempts + 1));
  return {
    topic: letter.topic,
    ...(letter.topicPartition === null ? {} : { partition: letter.topicPartition }),
    key: record.key,
    value: record.value,
    headers: new Map([...original, [Buffer.from(deadLetterHeaders.attempts), attempts]]),
  };
}

/** The record that marks a dead letter as replayed. */
export function replayMarker(deadLetterTopic: string, letter: DeadLetter): ReplayMessage {
  return {
    topic: deadLetterTopic,
    partition: letter.partition,
    key: null,
    value: null,
    headers: new Map([[Buffer.from(deadLetterHeaders.replayedOffset), Buffer.from(letter.offset)]]),
  };
}

const previewCharacters = 160;

/** The beginning of a value, on one line. */
export function preview(value: Buffer | null): string {
  if (value === null) return "(no value)";
  if (value.length === 0) return "(empty)";
  const text = printable(value.subarray(0, previewCharacters * 4).toString("utf8"));
  return text.length > previewCharacters || value.length > previewCharacters * 4
    ? `${text.slice(0, previewCharacters)}… (${value.length} bytes)`
    : text;
}

/** A table that a person can read, with a preview (by `partition@offset`) below each dead letter that has one. */
export function deadLetterTable(letters: readonly DeadLetter[], previews?: ReadonlyMap<string, string>): string {
  const heading = ["OFFSET", "TIME", "FROM", "REASON", "REPLAYS", "STATE", "MESSAGE"];
  const rows = letters.map((letter) => [
    letter.offset,
    letter.time.replace("T", " ").replace(/\.\d+Z$/, "Z"),
    letter.topic === null ? "unknown" : `${letter.topic}-${letter.topicPartition ?? "?"}@${letter.topicOffset ?? "?"}`,
    // A Java class without its package.
    letter.reason?.split(".").at(-1) ?? "unknown",
    String(letter.attempts),
    letter.replayed ? "replayed" : "open",
    printable(letter.message ?? ""),
  ]);
  const widths = heading.map((_, column) => Math.max(...[heading, ...rows].map((row) => (row[column] ?? "").length)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [
    line(heading),
    ...rows.flatMap((row, index) => {
      const letter = letters[index] as DeadLetter;
      const value = previews?.get(`${letter.partition}@${letter.offset}`);
      return value === undefined ? [line(row)] : [line(row), `    ${value}`];
    }),
  ].join("\n");
}

/** Text from a record may hold anything; a terminal must not obey it. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, " ");
}

function textHeaders(record: StoredRecord): Map<string, string> {
  return new Map([...record.headers].map(([name, value]) => [name.toString(), value?.toString() ?? ""]));
}
