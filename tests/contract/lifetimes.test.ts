import { describe, expect, it } from "vitest";
import { defaultEngineVersion as defaultPostgres } from "../../components/aurora-postgres/parameters";
import { connectVersion } from "../../components/audit-sink/names";
import { defaultEngineVersion as defaultEngine } from "../../components/change-capture/engine-versions";
import { defaultKafkaVersion } from "../../components/kafka-cluster/broker-configuration";
import { functionRuntime } from "../../components/operator/names";
import {
  type VersionedService,
  closedSince,
  compareVersions,
  daysUntil,
  endsSoon,
  firstEnd,
  lifetimes,
  openVersions,
  versionKey,
} from "../../contract/lifetimes";

const day = (date: string) => new Date(`${date}T12:00:00Z`);
const all = Object.entries(lifetimes).flatMap(([service, { versions }]) =>
  Object.entries(versions).map(([version, lifetime]) => ({ service, version, lifetime })),
);

describe("the table of lifetimes", () => {
  it("says where and when each service's dates were read", () => {
    for (const { source, read, atItsEnd } of Object.values(lifetimes)) {
      expect(source.length).toBeGreaterThan(20);
      expect(read).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      expect(atItsEnd).toMatch(/\.$/);
    }
  });

  it("holds real days, the earliest reading first, and no end before the last new resource", () => {
    for (const { service, version, lifetime } of all) {
      for (const days of [lifetime.noNewAfter ?? [], lifetime.ends ?? []]) {
        expect(
          days.map((each) => new Date(each).toISOString().slice(0, 10)),
          `${service} ${version}`,
        ).toEqual(days);
        expect([...days].sort(), `${service} ${version}`).toEqual(days);
      }
      const { noNewAfter, ends } = lifetime;
      if (noNewAfter && ends) expect(noNewAfter[0]! <= ends[0]!, `${service} ${version}`).toBe(true);
    }
  });

  it("lists the versions oldest first", () => {
    for (const { service, versions } of Object.values(lifetimes)) {
      const names = Object.keys(versions).map((version) => version.replace("nodejs", ""));
      expect(
        [...names].sort((a, b) => compareVersions(a, b)),
        service,
      ).toEqual(names);
    }
  });

  it.each<[VersionedService, string]>([
    ["dmsEngine", defaultEngine],
    ["kafka", defaultKafkaVersion],
    ["kafkaConnect", connectVersion],
    ["auroraPostgres", defaultPostgres],
    ["lambdaRuntime", functionRuntime],
  ])("knows what the components deploy unless told otherwise, and it has not ended: %s", (service, version) => {
    expect(Object.keys(lifetimes[service].versions)).toContain(versionKey(service, version));
    expect(closedSince(service, version, new Date())).toBeUndefined();
  });
});

describe("a version", () => {
  it("is closed from the day after the last one, by the latest of the sources", () => {
    expect(closedSince("dmsEngine", "3.5.3", day("2026-02-28"))).toBeUndefined();
    expect(closedSince("dmsEngine", "3.5.3", day("2026-03-01"))).toBe("2026-02-28");
    expect(closedSince("dmsEngine", "3.5.4", day("2026-12-01"))).toBeUndefined();
    expect(closedSince("dmsEngine", "3.5.4", day("2027-02-01"))).toBe("2027-01-31");
    expect(closedSince("kafka", "3.7.x.kraft", day("2026-09-02"))).toBe("2026-09-01");
  });

  it("ends soon from 180 days before, by the earliest of the sources", () => {
    expect(endsSoon("dmsEngine", "3.6.1", day("2026-12-31"))).toBeUndefined();
    expect(endsSoon("dmsEngine", "3.6.1", day("2027-01-02"))).toBe("2027-06-30");
    expect(endsSoon("dmsEngine", "3.5.4", day("2026-06-01"))).toBe("2026-11-15");
    expect(endsSoon("auroraPostgres", "15.10", day("2028-03-01"))).toBe("2028-01-31");
  });

  it("that is not in the table, or has no end, is open for ever", () => {
    expect(closedSince("dmsEngine", "3.7.0", day("2040-01-01"))).toBeUndefined();
    expect(endsSoon("kafka", "3.9.x.kraft", day("2040-01-01"))).toBeUndefined();
  });

  it("that ends first decides what the operator reports", () => {
    expect(
      firstEnd([
        ["dmsEngine", "3.6.1"],
        ["auroraPostgres", "15"],
        ["kafka", "3.9.x.kraft"],
      ]),
    ).toBe("2027-06-30");
    expect(firstEnd([["kafka", "3.9.x.kraft"]])).toBeUndefined();
    expect(daysUntil("2027-06-30", day("2027-06-29"))).toBe(1);
    expect(daysUntil("2027-06-30", day("2027-07-02"))).toBe(-2);
  });

  it("can be had as long as it is open", () => {
    expect(openVersions("dmsEngine", day("2026-12-01"))).toEqual(["3.5.4", "3.6.1"]);
    expect(openVersions("kafka", day("2026-12-01"))).toEqual([
      "3.8.x.kraft",
      "3.9.x.kraft",
      "4.0.x.kraft",
      "4.1.x.kraft",
    ]);
  });
});

describe("two versions", () => {
  it.each([
    ["17.5", "17.6", -1],
    ["17.10", "17.6", 1],
    ["17", "17.6", 0],
    ["17.6", "17", 0],
    ["16.9", "17", -1],
    ["3.9.x.kraft", "4.0.x.kraft", -1],
    ["3.9.x.kraft", "3.9.x", 0],
    ["3.6.1", "3.5.4", 1],
  ])("%s and %s are in the right order", (one, other, expected) => {
    expect(Math.sign(compareVersions(one, other))).toBe(expected);
  });
});
