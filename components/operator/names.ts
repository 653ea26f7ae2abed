import { nameLimits, physicalName } from "../shared/names";

/** The function's name, known at preview. */
export function functionNameOf(name: string): string {
  return physicalName(name, nameLimits.function);
}

/** Runtime of the operator's function. */
export const functionRuntime = "nodejs24.x";
