import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import type { AuditPipelineArgs } from "../../../components/audit-pipeline";
import { checkArguments, plainArgumentProblems } from "../../../components/shared/arguments";
import { withSecretScramPassword } from "../../../components/shared/scram-user";
import { builtArtifacts, kafka, pipelineArguments } from "../support/pipeline-arguments";

const later = <T>(value: T) => pulumi.output(value) as unknown as T;

function problems(args: Partial<AuditPipelineArgs>): string[] {
  const artifacts = builtArtifacts();
  try {
    const given = { ...pipelineArguments(artifacts), ...args };
    return plainArgumentProblems("AuditPipeline", given).map(({ setting }) => setting);
  } finally {
    artifacts.remove();
  }
}

describe("plain arguments", () => {
  it("may stand beside outputs, secrets and promises in arguments that take inputs", () => {
    expect(problems({ vpcId: pulumi.output("vpc-1"), subnetIds: pulumi.output(["subnet-1", "subnet-2"]) })).toEqual([]);
    expect(problems({ capture: { engineVersion: pulumi.secret("3.6.1"), multiAz: Promise.resolve(true) } })).toEqual(
      [],
    );
  });

  it.each<[string, Partial<AuditPipelineArgs>, string]>([
    ["an argument", { retainData: later(false) }, "retainData"],
    ["a secret", { sourceId: pulumi.secret("shop") as unknown as string }, "sourceId"],
    ["a promise", { lobMaxSizeKilobytes: Promise.resolve(64) as unknown as number }, "lobMaxSizeKilobytes"],
    ["a member", { topics: { prefix: later("shop") } }, "topics.prefix"],
    ["a whole object", { operator: later({ enabled: false }) }, "operator"],
    ["a whole list", { tables: later([{ schema: "public", table: "%" }]) }, "tables"],
    ["an element", { tables: [later({ schema: "public", table: "%" })] }, "tables[0]"],
    [
      "a list within an element",
      { tables: [{ schema: "public", table: "%", redactedColumns: later(["pin"]) }] },
      "tables[0].redactedColumns",
    ],
    [
      "an element of that list",
      { tables: [{ schema: "public", table: "%", redactedColumns: ["pin", later("email")] }] },
      "tables[0].redactedColumns[1]",
    ],
  ])("are named when they hold an output: %s", (_, args, setting) => {
    expect(problems(args)).toEqual([setting]);
  });

  it("are named in a map of plain values", () => {
    const topics = [{ name: "events", partitions: 1, config: { "cleanup.policy": later("compact") } }];
    const found = plainArgumentProblems("KafkaCluster", { vpcId: "vpc-1", subnetIds: [], brokers: 2, topics });
    expect(found.map(({ setting }) => setting)).toEqual(['topics[0].config["cleanup.policy"]']);
  });

  it("are checked before anything else looks into the arguments, and all are named at once", () => {
    const args = { brokers: later(2), retainData: later(true) };
    const look = () => {
      throw new Error("The arguments were looked into.");
    };
    const check = () =>
      checkArguments({ kind: "KafkaCluster", name: "kafka", resource: {} as pulumi.Resource }, args, look);
    expect(check).toThrow(/brokers = "\(an output\)".*\n.*retainData = "\(an output\)".*configuration/);
  });
});

describe("a Kafka cluster that comes as an output", () => {
  it("keeps its password secret until it is refused", async () => {
    const members = { scramPassword: true, scramUsername: true } as const;
    const whole = later({ scramPassword: "correct-horse", scramUsername: kafka.scramUsername });
    const kept = withSecretScramPassword(whole, members) as unknown as pulumi.Output<unknown>;
    expect(pulumi.Output.isInstance(kept)).toBe(true);
    expect(await pulumi.isSecret(kept)).toBe(true);
  });
});
