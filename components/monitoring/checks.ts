import { type Problem, checkPattern, checkWholeNumber } from "../shared/checks";
import type { MonitoringArgs } from "./types";

/** Everything that is wrong with the arguments of a monitoring; unknown values are left to AWS. */
export function monitoringProblems(args: MonitoringArgs): Problem[] {
  return [
    ...thresholdProblems(args),
    ...checkWholeNumber("operator.canaryIntervalMinutes", args.operator?.canaryIntervalMinutes, 1, 60),
  ];
}

type Thresholds = Pick<
  MonitoringArgs,
  "email" | "latencySeconds" | "slotLagGiB" | "kafkaDiskUsedPercent" | "partitionDaysAhead"
>;

/** What is wrong with the thresholds and the address of the alarms. */
export function thresholdProblems(args: Thresholds): Problem[] {
  return [
    ...checkPattern(
      "email",
      args.email,
      /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
      "one e-mail address, such as on-call@example.com",
    ),
    ...checkWholeNumber("latencySeconds", args.latencySeconds, 60, 86_400),
    ...checkWholeNumber("slotLagGiB", args.slotLagGiB, 1, 10_000),
    ...checkWholeNumber("kafkaDiskUsedPercent", args.kafkaDiskUsedPercent, 10, 95),
    ...checkWholeNumber("partitionDaysAhead", args.partitionDaysAhead, 1, 365),
  ];
}
