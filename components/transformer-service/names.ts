import { nameLimits, physicalName } from "../shared/names";
import type { TransformerServiceArgs } from "./types";

/** The consumer group of a transformer, known at preview. */
export function applicationIdOf(name: string, args: Pick<TransformerServiceArgs, "applicationId">): string {
  return args.applicationId ?? physicalName(name, nameLimits.consumerGroup);
}

/** Path of the transformer's Dockerfile in its build context. */
export const dockerfile = "transformer/Dockerfile";
