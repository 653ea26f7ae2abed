import { nameLimits, physicalName } from "../shared/names";
import type { TransformerServiceArgs } from "./types";

/** The consumer group of a transformer, known at preview. */
export function applicationIdOf(name: string, args: Pick<TransformerServiceArgs, "applicationId">): string {
  return args.applicationId ?? physicalName(name, nameLimits.consumerGroup);
}
