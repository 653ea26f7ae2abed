import { Consumer, stringDeserializers } from "@platformatic/kafka";
import { Command } from "commander";
import { chosenKafka, clientOptions, type KafkaOptions, withKafkaOptions } from "./kafka-option";

/** `npm run topic -- NAME`: the records of a topic, from the first one on, as they come. */
async function main(): Promise<void> {
  const command = withKafkaOptions(new Command("npm run topic --"))
    .argument("<name>", "the topic, e.g. cdc.raw")
    .option("--new", "only records that come from now on")
    .option("--count <number>", "stop after this many records", Number)
    .showHelpAfterError();
  const topic = command.parse().args[0] as string;
  const options = command.opts<KafkaOptions & { new?: boolean; count?: number }>();

  const consumer = new Consumer({
    clientId: "topic-reader",
    groupId: `topic-reader-${process.pid}`,
    ...clientOptions(chosenKafka(options)),
    deserializers: stringDeserializers,
  });
  const stream = await consumer.consume({
    topics: [topic],
    mode: options.new ? "latest" : "earliest",
    autocommit: false,
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stream.close());
  let count = 0;
  for await (const message of stream) {
    console.log(
      `${topic}-${message.partition}@${message.offset}  ${message.key ?? ""}\n  ${message.value ?? "(no value)"}`,
    );
    for (const [name, value] of message.headers) console.log(`  ${name}: ${value}`);
    count += 1;
    if (count === options.count) break;
  }
  await stream.close();
  await consumer.close();
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
