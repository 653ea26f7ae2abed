import { nameLimits, physicalName } from "../shared/names";
import type { AuditSinkArgs } from "./types";

/** The connector's name, known at preview. */
export function connectorNameOf(name: string, args: Pick<AuditSinkArgs, "connectorName">): string {
  return args.connectorName ?? physicalName(name, nameLimits.connector);
}

/** The line of Kafka Connect on Java 17, which the plugin is built for, in MSK Connect's spelling. */
export const connectVersion = "3.7.x";
