import { nameLimits, physicalName } from "../shared/names";
import type { AuditSinkArgs } from "./types";

/** The connector's name, known at preview. */
export function connectorNameOf(name: string, args: Pick<AuditSinkArgs, "connectorName">): string {
  return args.connectorName ?? physicalName(name, nameLimits.connector);
}
