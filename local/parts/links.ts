import { freePorts } from "../machine/managed-process";
import type { ClientListener } from "../servers/kafka-broker";

/** Parts that connect to the broker. */
const brokerClients = ["DMS stand-in", "transformer", "worker"] as const;
export type BrokerClient = (typeof brokerClients)[number];

/** Two parts that talk to each other; the one that connects is named first. */
export type PipelineLink = `${BrokerClient} to broker` | "sink to database";

/** Leads a link through something else: given the port where one part listens, resolves to the port for the other. */
export type LinkDetour = (link: PipelineLink, port: number) => Promise<number>;

/**
 * A listener of the broker for each client, or none without a detour. Kafka tells a client which address to connect to,
 * so a client that takes a detour needs a listener that advertises it.
 */
export async function brokerListeners(
  between: LinkDetour | undefined,
): Promise<ReadonlyMap<BrokerClient, ClientListener>> {
  if (!between) return new Map();
  const ports = await freePorts(brokerClients.length);
  return new Map(
    await Promise.all(
      brokerClients.map(async (client, index): Promise<[BrokerClient, ClientListener]> => {
        const port = ports[index] as number;
        return [client, { port, advertisedPort: await between(`${client} to broker`, port) }];
      }),
    ),
  );
}
