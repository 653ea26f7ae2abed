import { sinkConnectorProperties, type SinkSettings } from "../../../../contract/sink-connector";
import { pipelineTopics, type TopicSettings } from "../../../../contract/topics";

/** What the Java tests ask for on standard input: the settings of the sink, with those of its topics. */
interface Request {
  readonly topics: TopicSettings;
  readonly sink: Omit<SinkSettings, "topics">;
}

/** Prints the contract's connector properties and topics for each request, so that the tests run no copy of them. */
async function main(): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const request = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Request;
  const topics = pipelineTopics(request.topics);
  process.stdout.write(JSON.stringify({ topics, properties: sinkConnectorProperties({ ...request.sink, topics }) }));
}

void main();
