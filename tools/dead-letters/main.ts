import { Admin, Consumer, Producer } from "@platformatic/kafka";
import { Command } from "commander";
import { pipelineTopics } from "../../contract/topics";
import { type KafkaConnection, withKafkaAdmin } from "../../operator/kafka/admin";
import {
  DeadLetterList,
  deadLetterTable,
  preview,
  replayMarker,
  replayMessage,
  type DeadLetter,
  type ReplayMessage,
  type StoredRecord,
} from "./records";
import { chosenKafka, clientOptions, type KafkaOptions, withKafkaOptions } from "../kafka-option";

interface Options extends KafkaOptions {
  readonly topic: string;
  readonly json?: boolean;
  readonly showValues?: boolean;
  readonly replay?: boolean;
  readonly offset?: string[];
}

const replayBatchBytes = 1 << 20;

const description = `Lists the records that could not be read or stored, or sends them through again.

A record that is refused again comes back as a new dead letter that counts its replays.
A record that was replayed is marked, and is replayed again only when its offset is named.

Exit code: 0 when everything that was asked for is done,
           1 when Kafka does not answer or a record could not be replayed.`;

/** `npm run dead-letters`. */
async function main(): Promise<void> {
  const command = withKafkaOptions(new Command("npm run dead-letters --").description(description))
    .option("--topic <name>", "the dead-letter topic", pipelineTopics().deadLetter.name)
    .option("--offset <number...>", "only the dead letters at these offsets")
    .option("--replay", "send them through again; without --offset, all that were never replayed")
    .option("--json", "print one JSON object per line")
    .option("--show-values", "also show the refused records; they may contain personal data")
    .showHelpAfterError()
    .allowExcessArguments(false);
  const options = command.parse().opts<Options>();
  const kafka = chosenKafka(options);
  const letters = selected(await listDeadLetters(kafka, options.topic), options.offset);
  if (options.replay) {
    const open = options.offset ? letters : letters.filter(({ replayed }) => !replayed);
    await replay(kafka, options, open);
  } else {
    await list(kafka, options, letters);
  }
}

async function listDeadLetters(kafka: KafkaConnection, topic: string): Promise<DeadLetter[]> {
  const list = new DeadLetterList();
  await readTopic(kafka, topic, async (record) => list.add(record));
  return list.all();
}

function selected(letters: DeadLetter[], offsets: string[] | undefined): DeadLetter[] {
  if (!offsets) return letters;
  const missing = offsets.filter((offset) => !letters.some((letter) => letter.offset === offset));
  if (missing.length > 0) throw new Error(`There is no dead letter at offset ${missing.join(", ")}.`);
  return letters.filter(({ offset }) => offsets.includes(offset));
}

async function list(kafka: KafkaConnection, options: Options, letters: readonly DeadLetter[]): Promise<void> {
  const wanted = new Set(letters.map(placeOf));
  const previews = new Map<string, string>();
  if (options.showValues && letters.length > 0) {
    await readTopic(kafka, options.topic, async (record) => {
      if (wanted.has(placeOf(record))) previews.set(placeOf(record), preview(record.value));
    });
  }
  if (options.json) {
    for (const letter of letters) print({ ...letter, preview: previews.get(placeOf(letter)) });
  } else if (letters.length === 0) {
    console.log(`No dead letters in ${options.topic}.`);
  } else {
    console.log(deadLetterTable(letters, previews));
    const open = letters.filter(({ replayed }) => !replayed).length;
    if (open > 0) console.log(`\n${open} open. To send them through again: npm run dead-letters -- --replay`);
  }
}

async function replay(kafka: KafkaConnection, options: Options, letters: readonly DeadLetter[]): Promise<void> {
  const byPlace = new Map(letters.map((letter) => [placeOf(letter), letter]));
  const topics = await existingTopics(kafka);
  const producer = new Producer({
    clientId: "dead-letters",
    ...clientOptions(kafka),
    idempotent: true,
    retries: 5,
  });
  const refused: DeadLetter[] = [];
  let batch: { letter: DeadLetter; message: ReplayMessage }[] = [];
  let bytes = 0;
  const send = async () => {
    if (batch.length === 0) return;
    // First the records, then the marker that they were replayed: a crash in between sends them again, and loses none.
    await producer.send({ messages: batch.map(({ message }) => message) as never });
    await producer.send({ messages: batch.map(({ letter }) => replayMarker(options.topic, letter)) as never });
    for (const { letter } of batch) if (options.json) print({ ...letter, replayed: true });
    batch = [];
    bytes = 0;
  };
  try {
    await readTopic(kafka, options.topic, async (record) => {
      const letter = byPlace.get(placeOf(record));
      if (!letter) return;
      const message = replayMessage(record, letter);
      if (!message || !topics.has(message.topic)) return void refused.push(letter);
      batch.push({ letter, message });
      bytes += letter.bytes;
      if (bytes > replayBatchBytes) await send();
    });
    await send();
  } finally {
    await producer.close();
  }
  if (!options.json)
    console.log(`Sent ${letters.length - refused.length} of ${letters.length} dead letters through again.`);
  if (refused.length > 0) {
    const places = refused.map(({ offset, topic }) => `${offset} (from ${topic ?? "an unknown topic"})`);
    throw new Error(`Not replayed, because the topic they came from is not there: ${places.join(", ")}.`);
  }
}

async function existingTopics(kafka: KafkaConnection): Promise<Set<string>> {
  const admin = new Admin({ clientId: "dead-letters", ...clientOptions(kafka) });
  try {
    return new Set(await admin.listTopics());
  } finally {
    await admin.close();
  }
}

/** Gives every record that the topic holds now to `use`, one after the other. */
async function readTopic(
  kafka: KafkaConnection,
  topic: string,
  use: (record: StoredRecord) => Promise<void>,
): Promise<void> {
  const [start, end] = await withKafkaAdmin(kafka, (admin) =>
    Promise.all([admin.startOffsets(topic), admin.endOffsets(topic)]),
  );
  let open = end.filter((offset, partition) => offset > (start[partition] ?? 0n)).length;
  if (open === 0) return;
  const consumer = new Consumer({
    clientId: "dead-letters",
    groupId: `dead-letters-${process.pid}-${Date.now()}`,
    ...clientOptions(kafka),
  });
  try {
    const stream = await consumer.consume({ topics: [topic], mode: "earliest", autocommit: false, maxWaitTime: 100 });
    for await (const { partition, offset, timestamp, key, value, headers } of stream) {
      const last = (end[partition] ?? 0n) - 1n;
      if (offset <= last) await use({ partition, offset, timestamp, key, value, headers });
      if (offset === last && --open === 0) break;
    }
    await stream.close();
  } finally {
    await consumer.close(true);
  }
}

function placeOf({ partition, offset }: { partition: number; offset: string | bigint }): string {
  return `${partition}@${offset}`;
}

function print(line: object): void {
  console.log(JSON.stringify(line));
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
