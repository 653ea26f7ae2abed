import { artifacts } from "../../contract/artifacts";
import { type Problem, checkDistinct, checkOneOf, checkPattern, checkWholeNumber } from "../shared/checks";
import { imageProblems } from "../shared/container-image";
import { CpuArchitecture } from "../shared/cpu-architecture";
import { checkFargateSize } from "../shared/fargate";
import { checkLogRetention } from "../shared/log-groups";
import { dockerfile } from "./names";
import { sizeOf, smallestCpu } from "./sizes";
import type { ReviewGroupArgs, ReviewServiceArgs } from "./types";

/** Everything that is wrong with the arguments of a reviewer's page; unknown values are left to AWS. */
export function reviewServiceProblems(args: ReviewServiceArgs): Problem[] {
  const size = sizeOf(args);
  return [
    ...imageProblems(args, { dockerfile, noun: "review", built }),
    ...checkDistinct("subnetIds", args.subnetIds, 2, "subnets"),
    ...checkHostName(args.hostName),
    ...checkCertificate(args),
    ...checkClients(args.clientCidrs),
    ...checkLogin(args),
    ...checkGroups(args.groups),
    ...checkMaskedColumns(args.maskedColumns ?? []),
    ...checkPattern("readerClaim", args.readerClaim, claimPattern, claimRule),
    ...checkWholeNumber("sessionHours", args.sessionHours, 1, 24),
    ...checkOneOf("architecture", args.architecture, Object.values(CpuArchitecture)),
    ...checkFargateSize(size, smallestCpu),
    ...checkWholeNumber("tasks", size.tasks, 1, 10),
    ...checkLogRetention("logRetentionDays", args.logRetentionDays),
  ];
}

const built = { path: artifacts.reviewServer, command: "npm run build:review" };

const claimPattern = /^[A-Za-z0-9_.:/-]{1,200}$/;
const claimRule = "the name of a claim, such as email";

const hostNamePattern = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

function checkHostName(hostName: string | undefined): Problem[] {
  const allowed = "a host name in lower case without https:// and without a path, such as audit.example.com";
  if (hostName === undefined)
    return [missing("hostName", allowed, "Set hostName to the name that the certificate is for.")];
  return checkPattern("hostName", hostName, hostNamePattern, allowed);
}

function checkCertificate({ certificateArn }: ReviewServiceArgs): Problem[] {
  const allowed = "the ARN of an ACM certificate, arn:aws:acm:<region>:<account>:certificate/<id>";
  if (certificateArn === undefined) {
    return [
      missing("certificateArn", allowed, "Request a certificate for hostName in ACM, and set certificateArn to it."),
    ];
  }
  return checkPattern("certificateArn", certificateArn, /^arn:[^:]+:acm:[a-z0-9-]+:\d{12}:certificate\/.+$/, allowed);
}

function checkClients(cidrs: readonly string[] | undefined): Problem[] {
  const allowed = "one or more IPv4 networks such as 10.8.0.0/16, each once, none wider than /8";
  const value = cidrs ?? [];
  const wrong = value.filter((cidr, index) => !isNetwork(cidr) || value.indexOf(cidr) < index);
  if (value.length > 0 && wrong.length === 0) return [];
  return [
    {
      setting: "clientCidrs",
      value: value.length === 0 ? cidrs : wrong,
      allowed,
      fix: "Name the networks from which people open the page, such as that of your VPN.",
    },
  ];
}

/** A network with its first address, of at most 2^24 addresses. */
function isNetwork(cidr: string): boolean {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  if (!match) return false;
  const [first = 256, second = 256, third = 256, fourth = 256, bits = 33] = match.slice(1).map(Number);
  const parts = [first, second, third, fourth];
  if (parts.some((part) => part > 255) || bits < 8 || bits > 32) return false;
  const address = parts.reduce((sum, part) => sum * 256 + part, 0);
  return address % 2 ** (32 - bits) === 0;
}

function checkLogin({ oidc, cognito }: ReviewServiceArgs): Problem[] {
  if (oidc === undefined && cognito === undefined) {
    return [
      missing(
        "oidc",
        "oidc or cognito: nobody opens the page without a login",
        "Set oidc to your identity provider's endpoints, or cognito to a user pool.",
      ),
    ];
  }
  if (oidc !== undefined && cognito !== undefined) {
    return [
      {
        setting: "cognito",
        value: "(given)",
        allowed: "either oidc or cognito",
        fix: "Remove one of them.",
      },
    ];
  }
  if (cognito !== undefined) {
    return checkPattern(
      "cognito.userPoolArn",
      cognito.userPoolArn,
      /^arn:[^:]+:cognito-idp:[a-z0-9-]+:\d{12}:userpool\/[\w-]+_[0-9A-Za-z]+$/,
      "the ARN of a user pool, arn:aws:cognito-idp:<region>:<account>:userpool/<id>",
    );
  }
  const url = "a whole address that begins with https://";
  return [
    ...(["issuer", "authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint"] as const).flatMap((member) =>
      checkPattern(`oidc.${member}`, oidc?.[member], /^https:\/\/[^\s/]+(\/\S*)?$/, url),
    ),
    ...checkScope(oidc?.scope),
    ...checkPattern("oidc.groupsClaim", oidc?.groupsClaim, claimPattern, claimRule),
  ];
}

function checkScope(scope: string | undefined): Problem[] {
  if (scope === undefined || scope.split(" ").includes("openid")) return [];
  return [
    {
      setting: "oidc.scope",
      value: scope,
      allowed: "scopes separated by spaces, among them openid",
      fix: "Add openid: without it the load balancer can't ask who logged in.",
    },
  ];
}

function checkGroups(groups: readonly ReviewGroupArgs[] | undefined): Problem[] {
  if (groups === undefined || groups.length === 0) {
    return [
      {
        setting: "groups",
        value: groups,
        allowed: "one or more groups: who is in none of them sees nothing",
        fix: 'Name a group of your identity provider, such as { name: "auditors", tables: ["*"] }.',
      },
    ];
  }
  return groups.flatMap((group, index) => [
    ...checkGroupName(groups, index),
    ...checkTables(`groups[${index}].tables`, group.tables),
    ...checkReveal(`groups[${index}].reveal`, group),
  ]);
}

function checkGroupName(groups: readonly ReviewGroupArgs[], index: number): Problem[] {
  const setting = `groups[${index}].name`;
  const { name } = groups[index]!;
  if (groups.findIndex((other) => other.name === name) < index) {
    return [{ setting, value: name, allowed: "each group once", fix: "Put the tables of both entries into one." }];
  }
  return checkPattern(setting, name, /^\S(.{0,253}\S)?$/u, "the name of a group, without spaces around it");
}

function checkTables(setting: string, tables: readonly string[] | undefined): Problem[] {
  const wrong = (tables ?? []).filter((table) => !/^(\*|[^.]+\.(\*|.+))$/.test(table));
  if (tables !== undefined && tables.length > 0 && wrong.length === 0) return [];
  return [
    {
      setting,
      value: wrong.length > 0 ? wrong : tables,
      allowed: "one or more of schema.table, schema.* and *",
      fix: "Name the tables that the group may see, with their schemas.",
    },
  ];
}

/** A right that changes nothing beside another is a misunderstanding. */
function checkReveal(setting: string, { unmasked, reveal }: ReviewGroupArgs): Problem[] {
  if (!unmasked || !reveal) return [];
  return [
    {
      setting,
      value: reveal,
      allowed: "false beside unmasked, with which nothing is left to reveal",
      fix: "Remove unmasked, so that each look has a reason, or remove reveal.",
    },
  ];
}

function checkMaskedColumns(columns: readonly string[]): Problem[] {
  const wrong = columns.filter((column) => !/^[^.]+\.[^.]+\..+$/.test(column));
  if (wrong.length === 0) return [];
  return [
    {
      setting: "maskedColumns",
      value: wrong,
      allowed: "columns as schema.table.column",
      fix: "Write each column with its schema and its table.",
    },
  ];
}

function missing(setting: string, allowed: string, fix: string): Problem {
  return { setting, value: undefined, allowed, fix };
}
