import * as aws from "@pulumi/aws";
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { inspect } from "./support";

interface Statement {
  readonly Sid?: string;
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: unknown;
}

/** No permission is given by wildcard, except where a statement's `Sid` says why. */
export const noWildcardPermissions: ResourceValidationPolicy = {
  name: "no-wildcard-permissions",
  description:
    "No policy allows every action of a service, and none acts on every resource without a Sid that says why.",
  enforcementLevel: "mandatory",
  severity: "high",
  remediationSteps: "List the actions and resources; where an action knows no resource, say so in the statement's Sid.",
  validateResource: [
    inspect(aws.iam.Policy, ({ policy }) => identityProblems(policy)),
    inspect(aws.iam.RolePolicy, ({ policy }) => identityProblems(policy)),
    inspect(aws.iam.RolePolicyAttachment, ({ policyArn }) =>
      policyArn.endsWith(":policy/AdministratorAccess") || policyArn.endsWith(":policy/PowerUserAccess")
        ? [`Attaches ${policyArn.split("/").at(-1)}. Attach what the role needs.`]
        : [],
    ),
    inspect(aws.iam.Role, ({ assumeRolePolicy }) =>
      statementsOf(assumeRolePolicy)
        .filter(isAllow)
        .filter(isForAnybody)
        .map(() => "Lets anybody take on the role. Name the principal."),
    ),
    inspect(aws.kms.Key, ({ policy }) => resourceProblems(policy)),
    inspect(aws.kms.KeyPolicy, ({ policy }) => resourceProblems(policy)),
    inspect(aws.sns.TopicPolicy, ({ policy }) => resourceProblems(policy)),
    inspect(aws.s3.BucketPolicy, ({ policy }) => resourceProblems(policy)),
    inspect(aws.secretsmanager.SecretPolicy, ({ policy }) => resourceProblems(policy)),
  ],
};

/** What an identity's own policy may not say. */
function identityProblems(policy: unknown): string[] {
  return statementsOf(policy)
    .filter(isAllow)
    .flatMap((statement) => {
      const name = statement.Sid ?? JSON.stringify(statement.Action ?? statement.NotAction);
      const found: string[] = [];
      if (statement.NotAction !== undefined)
        found.push(`${name} allows everything but a few actions. List the actions.`);
      const wide = list(statement.Action).filter((action) => action === "*" || action.endsWith(":*"));
      if (wide.length > 0) found.push(`${name} allows ${wide.join(", ")}. List the actions.`);
      if (list(statement.Resource).includes("*") && !statement.Sid) {
        found.push(`${name} acts on every resource. Name the resources, or say in a Sid why that is impossible.`);
      }
      return found;
    });
}

/** A resource's own policy may not open it to everybody; the account's own identities may have it whole. */
function resourceProblems(policy: unknown): string[] {
  return statementsOf(policy)
    .filter(isAllow)
    .filter((statement) => isForAnybody(statement) && statement.Condition === undefined)
    .map(
      (statement) => `${statement.Sid ?? "A statement"} is open to anybody. Name the principal, or add a condition.`,
    );
}

/** The statements of a policy, given as a document or as its text. */
function statementsOf(policy: unknown): readonly Statement[] {
  if (policy === undefined || policy === null) return [];
  const document = (typeof policy === "string" ? JSON.parse(policy) : policy) as {
    Statement?: Statement | Statement[];
  };
  return list(document.Statement);
}

function isAllow(statement: Statement): boolean {
  return statement.Effect === "Allow";
}

function isForAnybody({ Principal: principal }: Statement): boolean {
  if (typeof principal !== "object" || principal === null) return principal === "*";
  return Object.values(principal).some((names) => list(names as string | string[]).includes("*"));
}

function list<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
