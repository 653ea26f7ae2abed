import { randomUUID } from "node:crypto";
import { Consumer, MessagesStreamModes, ProduceAcks, Producer } from "@platformatic/kafka";
import { topicEndOffsets } from "../../local/servers/topics";

const batchRecords = 2000;

/**
 * Appends every record of a topic with one partition to another topic, as often as told, in order and unchanged.
 *
 * @returns How many records were written.
 */
export async function copyTopic(bootstrapServers: string, from: string, to: string, times: number): Promise<number> {
  const bootstrapBrokers = bootstrapServers.split(",");
  const producer = new Producer({ clientId: "bench", bootstrapBrokers, compression: "lz4" });
  const [records = 0n] = await topicEndOffsets(bootstrapServers, from);
  let written = 0;
  try {
    for (let round = 0; round < times; round += 1) {
      const consumer = new Consumer({
        clientId: "bench",
        groupId: `bench-copy-${randomUUID()}`,
        bootstrapBrokers,
        autocommit: false,
        maxBytes: 2 ** 24,
      });
      const stream = await consumer.consume({ topics: [from], mode: MessagesStreamModes.EARLIEST });
      let batch: { topic: string; partition: number; key: Buffer; value: Buffer }[] = [];
      for await (const { key, value, offset } of stream) {
        batch.push({ topic: to, partition: 0, key, value });
        const last = offset === records - 1n;
        if (batch.length < batchRecords && !last) continue;
        await producer.send({ messages: batch, acks: ProduceAcks.LEADER });
        written += batch.length;
        batch = [];
        if (last) break;
      }
      await stream.close();
      await consumer.close(true);
    }
  } finally {
    await producer.close();
  }
  return written;
}
