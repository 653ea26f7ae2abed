import { nameLimits, physicalName } from "../shared/names";

/** The last part of the task's ARN, known at preview. */
export function taskIdentifierOf(name: string): string {
  return physicalName(`${name}-task`, nameLimits.replicationResource);
}
