import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { endWarnings, checkLifetime } from "../../../components/shared/lifetimes";
import { notBelowRunning } from "../../../components/shared/running-version";
import type { ValueMap } from "../../../recorder/values";
import { deploy } from "../support/deployment";
import { placement, kafka as kafkaAccess, captureSecretArn, database } from "../support/pipeline-arguments";

const capture = {
  ...placement,
  source: { ...database, secretArn: captureSecretArn },
  kafka: { ...kafkaAccess, scramPassword: "correct-horse" },
  rawTopic: "cdc.raw",
  tables: [{ schema: "public", table: "orders" }],
};

/** A component that runs a version, and what AWS says of what runs. */
interface Versioned {
  readonly what: string;
  readonly resource: string;
  readonly property: string;
  /** A version to ask for, the next one that AWS may have raised it to, and one higher still. */
  readonly versions: readonly [asked: string, raised: string, higher: string];
  make(opts: pulumi.ComponentResourceOptions, version: string | undefined): Promise<pulumi.ComponentResource>;
  answer(version: string): Readonly<Record<string, ValueMap>>;
}

const versioned: readonly Versioned[] = [
  {
    what: "brokers",
    resource: "kafka-cluster",
    property: "kafkaVersion",
    versions: ["3.8.x.kraft", "3.9.x.kraft", "4.0.x.kraft"],
    async make(opts, kafkaVersion) {
      const { KafkaCluster } = await import("../../../components/kafka-cluster");
      return new KafkaCluster("kafka", { ...placement, brokers: 2, kafkaVersion }, opts);
    },
    answer: (kafkaVersion) => ({ "aws:msk/getCluster:getCluster": { kafkaVersion } }),
  },
  {
    what: "database",
    resource: "database-cluster",
    property: "engineVersion",
    versions: ["17.4", "17.5", "17.6"],
    async make(opts, engineVersion) {
      const { AuroraPostgres } = await import("../../../components/aurora-postgres");
      return new AuroraPostgres("database", { ...placement, engineVersion }, opts);
    },
    answer: (engineVersion) => ({ "aws:rds/getCluster:getCluster": { engineVersion } }),
  },
  {
    what: "replication instance",
    resource: "capture-instance",
    property: "engineVersion",
    versions: ["3.6.1", "3.6.2", "3.7.0"],
    async make(opts, engineVersion) {
      const { ChangeCapture } = await import("../../../components/change-capture");
      return new ChangeCapture("capture", { ...capture, engineVersion }, opts);
    },
    answer: (engineVersion) => ({ "aws:dms/getReplicationInstance:getReplicationInstance": { engineVersion } }),
  },
];

describe.each(versioned)("the version of a $what", ({ resource, property, versions, make, answer }) => {
  const [asked, raised, higher] = versions;

  it("that nobody asks for is chosen when it is made, and never planned again", async () => {
    const { only, invokes } = await deploy((opts) => make(opts, undefined));
    expect(only(resource).options.ignoreChanges).toContain(property);
    expect(only(resource).inputs[property]).toBeTruthy();
    expect(invokes).not.toContain(Object.keys(answer(asked))[0]);
  });

  it("that is asked for is planned, when nothing runs yet", async () => {
    const { only } = await deploy((opts) => make(opts, asked));
    expect(only(resource).inputs[property]).toBe(asked);
    expect(only(resource).options.ignoreChanges ?? []).not.toContain(property);
  });

  it("is raised when a higher one is asked for", async () => {
    const { only } = await deploy((opts) => make(opts, higher), { answers: answer(raised) });
    expect(only(resource).inputs[property]).toBe(higher);
  });
});

describe("a version that AWS has raised", () => {
  const component = {} as pulumi.Resource;
  const asked = (running: () => Promise<string>) =>
    ({ service: "kafka", setting: "kafkaVersion", owner: "the cluster audit", running }) as const;

  it("is not planned back: the program is told what to set", async () => {
    const refused = notBelowRunning(
      "3.9.x.kraft",
      asked(() => Promise.resolve("4.0.x.kraft")),
      component,
    );
    await expect(refused).rejects.toThrow(
      /^kafkaVersion \(in a stack's settings kafka\.kafkaVersion\) = "3\.9\.x\.kraft": allowed is 4\.0\.x\.kraft or newer: .* Set it to 4\.0\.x\.kraft, and deploy with pulumi up --refresh/,
    );
    const error: unknown = await refused.catch((caught: unknown) => caught);
    expect((error as pulumi.ResourceError).resource).toBe(component);
  });

  it("is kept, and a higher one is planned", async () => {
    const running = asked(() => Promise.resolve("4.0.x.kraft"));
    expect(await notBelowRunning("4.0.x.kraft", running, component)).toBe("4.0.x.kraft");
    expect(await notBelowRunning("4.1.x.kraft", running, component)).toBe("4.1.x.kraft");
  });

  it("is looked for in vain before anything runs", async () => {
    const none = asked(() => Promise.reject(new Error("no cluster of that name")));
    expect(await notBelowRunning("3.9.x.kraft", none, component)).toBe("3.9.x.kraft");
  });
});

it("a database with a minor version leaves it to AWS only where none is asked for", async () => {
  const automatic = async (engineVersion: string | undefined) => {
    const { only } = await deploy(async (opts) => {
      const { AuroraPostgres } = await import("../../../components/aurora-postgres");
      return new AuroraPostgres("database", { ...placement, engineVersion }, opts);
    });
    return only("database-instance-0").inputs.autoMinorVersionUpgrade as unknown;
  };
  expect([await automatic(undefined), await automatic("17"), await automatic("17.5")]).toEqual([true, true, false]);
});

describe("a version that ends", () => {
  const engine = (version: pulumi.Input<string>) =>
    ({ service: "dmsEngine", setting: "engineVersion", version }) as const;

  it("is refused once nothing new can be made with it, with one that can", () => {
    expect(checkLifetime(engine("3.5.3"), new Date("2026-12-01"))).toEqual([
      {
        setting: "engineVersion",
        value: "3.5.3",
        allowed: "3.5.4, 3.6.1: nothing new can be made with DMS engine 3.5.3 since 2026-02-28",
        fix: "Set engineVersion to 3.6.1. What runs with an older one is upgraded in place.",
      },
    ]);
    expect(checkLifetime(engine("3.6.1"), new Date("2026-12-01"))).toEqual([]);
    expect(checkLifetime(engine(pulumi.output("3.5.3")), new Date("2026-12-01"))).toEqual([]);
  });

  it("is refused with the version that the package was tried with, in the spelling of the setting", () => {
    const ended = { service: "kafka", setting: "kafkaVersion", version: "3.7.x.kraft", usual: "3.9.x.kraft" } as const;
    const [problem] = checkLifetime(ended, new Date("2026-12-01"));
    expect(problem?.fix).toContain("Set kafkaVersion to 3.9.x.kraft.");
    expect(problem?.allowed).toContain("3.8.x.kraft, 3.9.x.kraft, 4.0.x.kraft, 4.1.x.kraft");
  });

  it("is refused without a wrong advice when the table knows no other", () => {
    const [problem] = checkLifetime(engine("3.6.1"), new Date("2030-01-01"));
    expect(problem?.fix).toContain("newer version of this package");
  });

  it("is a warning before, with its day and what to set", () => {
    expect(endWarnings([engine("3.5.4")], new Date("2026-12-01"))).toEqual([
      expect.stringMatching(
        /^DMS engine 3\.5\.4 ends on 2026-11-15\. .*Set engineVersion \(in a stack's settings capture\.engineVersion\) to 3\.6\.1\./,
      ),
    ]);
    expect(endWarnings([engine("3.6.1")], new Date("2026-12-01"))).toEqual([]);
    expect(endWarnings([engine("3.6.1")], new Date("2027-03-01"))[0]).toContain("Look for a newer one");
    const runtime = { service: "lambdaRuntime", version: "nodejs22.x" } as const;
    expect(endWarnings([runtime], new Date("2026-12-01"))[0]).toContain("Take a newer version of this package.");
  });
});
