import type { MonitoringArgs } from "../types";
import { auditTableHop } from "./audit-table";
import { captureHop } from "./capture";
import { endToEndHop } from "./end-to-end";
import type { Hop } from "./hop";
import { kafkaHop } from "./kafka";
import { reviewHop } from "./review";
import { sinkHop } from "./sink";
import { sourceHop } from "./source";
import { transformerHop } from "./transformer";

/**
 * The flow from the source to the audit table: what is shown of each hop and what is an alarm. Alarms and dashboard are
 * both made from it.
 */
export function pipelineHops(args: MonitoringArgs): Hop[] {
  return [
    ...(args.sourceClusterIdentifier === undefined ? [] : [sourceHop(args, args.sourceClusterIdentifier)]),
    captureHop(args),
    kafkaHop(args),
    transformerHop(args),
    sinkHop(args),
    ...(args.operator === undefined ? [] : [auditTableHop(args, args.operator), endToEndHop(args.operator)]),
    ...(args.review === undefined ? [] : [reviewHop(args.review)]),
  ];
}
