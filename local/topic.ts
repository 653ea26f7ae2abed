import { existsSync, readFileSync } from "node:fs";
import { Consumer, stringDeserializers } from "@platformatic/kafka";
import { Command } from "commander";
import { runFile } from "./folders";

/** `npm run topic -- NAME`: the records of a topic of the running local pipeline, from the first one on, as they come. */
async function main(): Promise<void> {
  const command = new Command("npm run topic --")
    .argument("<name>", "the topic, e.g. cdc.raw")
    .option("--new", "only records that come from now on")
    .option("--count <number>", "stop after this many records", Number)
    .showHelpAfterError();
  const topic = command.parse().args[0] as string;
  const options = command.opts<{ new?: boolean; count?: number }>();
  if (!existsSync(runFile))
    throw new Error("The local pipeline does not run. Start it in another terminal: npm run local");
  const { bootstrapServers } = JSON.parse(readFileSync(runFile, "utf8")) as { bootstrapServers: string };

  const consumer = new Consumer({
    clientId: "topic-reader",
    groupId: `topic-reader-${process.pid}`,
    bootstrapBrokers: bootstrapServers.split(","),
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
