import * as aws from "@pulumi/aws";
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { inspect, problems } from "./support";

interface TaskSettings {
  readonly TargetMetadata?: { readonly BatchApplyEnabled?: boolean; readonly FullLobMode?: boolean };
  readonly BeforeImageSettings?: { readonly EnableBeforeImage?: boolean; readonly ColumnFilter?: string } | null;
  readonly ErrorBehavior?: Readonly<Record<string, unknown>>;
}

/** Error policies of a task whose defaults skip rows silently. */
const errorPolicies = ["DataErrorPolicy", "DataTruncationErrorPolicy", "TableErrorPolicy"];

/** DMS writes every change, whole, or stops. */
export const captureLosesNothing: ResourceValidationPolicy = {
  name: "capture-loses-nothing",
  description: "A DMS task to Kafka carries transactions, old values and NULLs, and stops rather than skip a row.",
  enforcementLevel: "mandatory",
  severity: "high",
  remediationSteps: "Use the task settings and the endpoint format of the ChangeCapture component.",
  validateResource: [
    inspect(aws.dms.ReplicationTask, (task) => {
      if (task.migrationType === "full-load") return [];
      const settings = JSON.parse(task.replicationTaskSettings ?? "{}") as TaskSettings;
      const lax = errorPolicies.filter((policy) => settings.ErrorBehavior?.[policy] !== "STOP_TASK");
      return problems(
        [
          settings.TargetMetadata?.BatchApplyEnabled === true,
          "Batch apply may lose changes on a Kafka target. Set BatchApplyEnabled to false.",
        ],
        [
          settings.TargetMetadata?.FullLobMode === true,
          "Kafka targets have no full LOB mode. Set FullLobMode to false.",
        ],
        [
          settings.BeforeImageSettings?.EnableBeforeImage !== true ||
            settings.BeforeImageSettings.ColumnFilter !== "all",
          "Leaves out old values. Set EnableBeforeImage to true and its ColumnFilter to all.",
        ],
        [lax.length > 0, `Skips rows or tables after an error. Set ${lax.join(", ")} to STOP_TASK.`],
      );
    }),
    inspect(aws.dms.Endpoint, ({ engineName, kafkaSettings }) => {
      if (engineName !== "kafka") return [];
      return problems(
        [
          kafkaSettings?.includeTransactionDetails !== true,
          "Leaves out the transaction, so that a change has no identity. Set includeTransactionDetails to true.",
        ],
        [
          kafkaSettings?.includeNullAndEmpty !== true,
          "Leaves out NULLs, so that they look like absent values. Set includeNullAndEmpty to true.",
        ],
        [
          kafkaSettings?.messageFormat !== "json-unformatted",
          "Spreads a record over several lines. Set messageFormat to json-unformatted.",
        ],
      );
    }),
    inspect(aws.rds.ClusterParameterGroup, ({ parameters }) =>
      problems([
        (parameters ?? []).some(({ name }) => name === "max_slot_wal_keep_size"),
        "Lets PostgreSQL drop changes that DMS has not read. Remove max_slot_wal_keep_size.",
      ]),
    ),
  ],
};
