import * as pulumi from "@pulumi/pulumi";
import { isLater } from "./arguments";

/**
 * The Kafka cluster of a component's arguments with the SCRAM user's password as a secret. Pulumi keeps arguments in its
 * state, so this must happen before they get there.
 *
 * @param members All members that the component uses. Callers may pass a whole `KafkaCluster`; the others are left out.
 */
export function withSecretScramPassword<Kafka extends { scramPassword: pulumi.Input<string> }>(
  kafka: Kafka,
  members: Readonly<Record<keyof NoInfer<Kafka>, true>>,
): Kafka {
  // An output where a plain object belongs is refused later. Until then it must not show the password.
  if (isLater(kafka)) return pulumi.secret(kafka) as unknown as Kafka;
  const names = Object.keys(members) as (keyof Kafka)[];
  const used = Object.fromEntries(names.map((name) => [name, kafka[name]])) as unknown as Kafka;
  return { ...used, scramPassword: pulumi.secret(kafka.scramPassword) };
}
