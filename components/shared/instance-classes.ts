import type * as pulumi from "@pulumi/pulumi";
import { type Problem, known } from "./checks";

/** The classes of instances that a service offers. */
export interface OfferedClasses {
  readonly service: string;
  /** `db`, `kafka` or `dms`: what stands before the family. */
  readonly prefix: string;
  /** Sizes of each family. */
  readonly families: Readonly<Record<string, readonly string[]>>;
  /** Families that may have come after this table was read: they are left to AWS. */
  readonly later: RegExp;
  /** A class to begin with. */
  readonly smallest: string;
}

const larger = ["xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"];
const common = ["large", ...larger];

/** Aurora user guide, "Supported DB engines for DB instance classes"; without what PostgreSQL 15 and later don't run on. */
export const auroraClasses: OfferedClasses = {
  service: "Aurora PostgreSQL",
  prefix: "db",
  families: {
    t3: ["medium", "large"],
    t4g: ["medium", "large"],
    r5: [...common, "24xlarge"],
    r6g: common,
    r6gd: larger,
    r6i: [...common, "24xlarge", "32xlarge"],
    r6id: ["24xlarge", "32xlarge"],
    r7g: common,
    r7i: [...common, "24xlarge", "48xlarge"],
    r8g: [...common, "24xlarge", "48xlarge"],
    r8gd: [...larger, "24xlarge", "48xlarge"],
    x2g: common,
  },
  later: /^(r([89]|\d\d)|x([3-9]|\d\d)|t([5-9]|\d\d))[a-z]*$/,
  smallest: "db.t4g.medium",
};

/** MSK developer guide, "Standard broker sizes". */
export const brokerClasses: OfferedClasses = {
  service: "MSK for standard brokers",
  prefix: "kafka",
  families: { t3: ["small"], m5: [...common, "24xlarge"], m7g: common },
  later: /^m([89]|\d\d)[a-z]*$/,
  smallest: "kafka.t3.small",
};

/** DMS user guide, "Choosing the right replication instance". */
export const replicationClasses: OfferedClasses = {
  service: "DMS",
  prefix: "dms",
  families: {
    t2: ["micro", "small", "medium", "large"],
    t3: ["micro", "small", "medium", "large"],
    c4: ["large", "xlarge", "2xlarge", "4xlarge"],
    c5: ["large", "xlarge", "2xlarge", "4xlarge", "9xlarge", "12xlarge", "18xlarge", "24xlarge"],
    c6i: [...common, "24xlarge", "32xlarge"],
    r4: ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge"],
    r5: [...common, "24xlarge"],
    r6i: [...common, "24xlarge", "32xlarge"],
  },
  later: /^(t([4-9]|\d\d)|[cmr]([7-9]|\d\d))[a-z]*$/,
  smallest: "dms.t3.small",
};

/** A problem unless the service has the class; unknown values pass. */
export function checkInstanceClass(
  setting: string,
  input: pulumi.Input<string | undefined> | undefined,
  { service, prefix, families, later, smallest }: OfferedClasses,
): Problem[] {
  const value = known(input);
  if (value === undefined) return [];
  const [found, family = "", size = "", ...rest] = value.split(".");
  const isForm = found === prefix && rest.length === 0 && /^(micro|small|medium|\d*x?large)$/.test(size);
  const sizes = families[family];
  if (isForm && (sizes ? sizes.includes(size) : later.test(family))) return [];
  const allowed =
    isForm && sizes
      ? `${prefix}.${family} in the sizes that ${service} has: ${sizes.join(", ")}`
      : `a class of ${service}, which has the families ${Object.keys(families)
          .map((each) => `${prefix}.${each}`)
          .join(", ")}`;
  return [{ setting, value, allowed, fix: `Choose one of them; ${smallest} is the smallest that this is meant for.` }];
}
