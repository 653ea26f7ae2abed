/** The version that a new cluster gets unless told otherwise. */
export const defaultKafkaVersion = "3.9.x.kraft";

/** How many copies of a topic's data exist, and how many must be written before a producer gets its acknowledgement. */
export interface Replication {
  readonly factor: number;
  readonly minimumInSync: number;
}

/**
 * Replication for a number of brokers. Three or more brokers keep three copies and acknowledge at two, so that losing one
 * loses nothing and stops nothing. Two brokers keep two copies and acknowledge at one: they stay writable while AWS
 * patches one of them, and losing a broker for good at the wrong moment can lose what was just acknowledged. DMS and the
 * transformer read their sources again, so that is acceptable where a small price matters more.
 */
export function replicationFor(brokers: number): Replication {
  return brokers >= 3 ? { factor: 3, minimumInSync: 2 } : { factor: brokers, minimumInSync: 1 };
}

/**
 * The brokers' `server.properties`. Every default of Kafka that assumes three brokers is set here: with those defaults
 * two brokers could not create the transaction topic.
 *
 * @param allowEveryoneWithoutAcl Whether SCRAM users may use what no access control list names. Must be false before
 *   the brokers are reached from outside.
 */
export function brokerProperties(replication: Replication, allowEveryoneWithoutAcl: boolean): Record<string, string> {
  const { factor, minimumInSync } = replication;
  return {
    "auto.create.topics.enable": "false",
    "default.replication.factor": String(factor),
    "min.insync.replicas": String(minimumInSync),
    "offsets.topic.replication.factor": String(factor),
    "transaction.state.log.replication.factor": String(factor),
    "transaction.state.log.min.isr": String(minimumInSync),
    "unclean.leader.election.enable": "false",
    "allow.everyone.if.no.acl.found": String(allowEveryoneWithoutAcl),
  };
}

/** Properties as MSK takes them: one a line, with real line feeds. */
export function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}
