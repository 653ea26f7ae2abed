/** An IAM policy document, with the freedom that AWS allows in writing one. */
export interface Policy {
  readonly Version?: string;
  readonly Statement: Statement | readonly Statement[];
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Principal?: string | Readonly<Record<string, string | readonly string[]>>;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, ConditionValue>>>>;
}

type ConditionValue = string | number | boolean | readonly (string | number | boolean)[];

/** One call of AWS. */
export interface Call {
  readonly action: string;
  /** ARN of what is acted on; `*` for actions without a resource. */
  readonly resource: string;
  /** Condition keys that AWS would set, such as `aws:SourceAccount`. */
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  /** Who calls, for policies that name principals: `{"Service": "dms.amazonaws.com"}`. */
  readonly principal?: Readonly<Record<string, string>>;
}

/** `denied` is an explicit Deny, `not allowed` the absence of an Allow. */
export type Decision = "allowed" | "denied" | "not allowed";

/**
 * What AWS decides when these policies, and no others, apply to a call: an explicit Deny wins, then any Allow.
 *
 * Covers what the policies of this repository use and refuses the rest: (Not)Action, (Not)Resource, principals by type,
 * the String, Arn, Bool and Null operators with `IfExists`, and values with several keys. Policy variables are not
 * covered.
 *
 * @throws when a policy uses what is not covered, or is malformed.
 */
export function evaluate(policies: readonly Policy[], call: Call): Decision {
  const matching = policies.flatMap(statements).filter((statement) => applies(statement, call));
  if (matching.some(({ Effect }) => Effect === "Deny")) return "denied";
  return matching.length > 0 ? "allowed" : "not allowed";
}

/** The statements of a policy. @throws when one is malformed. */
export function statements(policy: Policy): readonly Statement[] {
  const list = asList(policy.Statement);
  for (const statement of list) {
    if (statement.Effect !== "Allow" && statement.Effect !== "Deny") {
      throw new Error(`Effect is Allow or Deny, not ${statement.Effect}.`);
    }
    if ((statement.Action === undefined) === (statement.NotAction === undefined)) {
      throw new Error(`A statement has either Action or NotAction: ${JSON.stringify(statement)}`);
    }
  }
  return list;
}

/** One or several, as a list. */
export function asList<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function applies(statement: Statement, call: Call): boolean {
  return (
    actionApplies(statement, call.action) &&
    resourceApplies(statement, call.resource) &&
    principalApplies(statement, call.principal) &&
    conditionHolds(statement.Condition ?? {}, call.context ?? {})
  );
}

function actionApplies(statement: Statement, action: string): boolean {
  const matches = (patterns: string | readonly string[] | undefined) =>
    asList(patterns).some((pattern) => like(pattern.toLowerCase(), action.toLowerCase()));
  return statement.NotAction === undefined ? matches(statement.Action) : !matches(statement.NotAction);
}

function resourceApplies(statement: Statement, resource: string): boolean {
  const matches = (patterns: string | readonly string[] | undefined) =>
    asList(patterns).some((pattern) => arnLike(pattern, resource));
  if (statement.NotResource !== undefined) return !matches(statement.NotResource);
  // Trust policies name no resource: they are the role's own.
  return statement.Resource === undefined || matches(statement.Resource);
}

function principalApplies(statement: Statement, principal: Call["principal"]): boolean {
  // Policies of identities name no principal: they are the identity's own.
  if (statement.Principal === undefined) return principal === undefined;
  if (principal === undefined) return false;
  if (statement.Principal === "*") return true;
  if (typeof statement.Principal === "string")
    throw new Error(`A principal is "*" or typed, not ${statement.Principal}.`);
  return Object.entries(statement.Principal).some(([type, names]) =>
    asList(names).some((name) => principal[type] !== undefined && (name === "*" || name === principal[type])),
  );
}

function conditionHolds(
  condition: NonNullable<Statement["Condition"]>,
  context: NonNullable<Call["context"]>,
): boolean {
  return Object.entries(condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => keyHolds(operator, key, asList(wanted).map(String), context)),
  );
}

type Comparison = (wanted: string, actual: string) => boolean;

const comparisons: Readonly<Record<string, Comparison>> = {
  StringEquals: (wanted, actual) => wanted === actual,
  StringEqualsIgnoreCase: (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase(),
  StringLike: like,
  ArnEquals: arnLike,
  ArnLike: arnLike,
  Bool: (wanted, actual) => wanted.toLowerCase() === actual.toLowerCase(),
};

function keyHolds(
  operator: string,
  key: string,
  wanted: readonly string[],
  context: NonNullable<Call["context"]>,
): boolean {
  const found = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase());
  const actual = found && asList(found[1]);
  if (operator === "Null") return wanted.includes(String(actual === undefined));

  const ifExists = operator.endsWith("IfExists");
  const base = operator.replace(/IfExists$/, "");
  const positive = base.replace(/^(String|Arn)Not/, "$1");
  const comparison = comparisons[positive];
  if (!comparison) throw new Error(`The condition operator ${operator} is not covered by this evaluator.`);
  const negated = positive !== base;
  if (actual === undefined) return ifExists || negated;
  const some = actual.some((value) => wanted.some((each) => comparison(each, value)));
  return negated ? !some : some;
}

/** Each of an ARN's six parts is matched by itself, so that a wildcard in one can't reach into the next. */
function arnLike(pattern: string, resource: string): boolean {
  if (pattern.includes("${")) throw new Error(`Policy variables are not covered by this evaluator: ${pattern}`);
  if (pattern === "*") return true;
  const [wanted, actual] = [parts(pattern), parts(resource)];
  return wanted.length === actual.length && wanted.every((part, index) => like(part, actual[index] ?? ""));
}

function parts(arn: string): string[] {
  const [prefix = "", partition = "", service = "", region = "", account = "", ...resource] = arn.split(":");
  return [prefix, partition, service, region, account, resource.join(":")];
}

/** `*` stands for any characters, `?` for one. */
function like(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`).test(text);
}
