import { nameLimits, physicalName } from "../shared/names";
import type { AuditSinkArgs } from "./types";

/** The connector's name, known at preview. */
export function connectorNameOf(name: string, args: Pick<AuditSinkArgs, "connectorName">): string {
  return args.connectorName ?? physicalName(name, nameLimits.connector);
}

/** The group that a sink connector reads with; Kafka Connect makes it from the connector's name. */
export function consumerGroupOf(connectorName: string): string {
  return `connect-${connectorName}`;
}
