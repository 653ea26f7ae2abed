/** One statement of an IAM policy. The `Sid` says what it is for, and why where a wildcard stands in it. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: string | Readonly<Record<string, string>>;
  readonly Action: readonly string[];
  readonly Resource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** An IAM policy as a value, so that tests evaluate what is deployed. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

export function policyDocument(...statements: PolicyStatement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}

/**
 * The trust policy of a role that one AWS service assumes.
 *
 * @param service Such as `ecs-tasks.amazonaws.com`.
 * @param condition Narrows it to callers of one account or resource, where the service sends these keys.
 */
export function serviceTrust(service: string, condition?: PolicyStatement["Condition"]): PolicyDocument {
  return policyDocument({
    Sid: "ServiceTakesOnRole",
    Effect: "Allow",
    Principal: { Service: service },
    Action: ["sts:AssumeRole"],
    ...(condition ? { Condition: condition } : {}),
  });
}

/**
 * The trust policy of a role that ECS assumes for tasks.
 *
 * @param ownArn ARN of a resource in the tasks' account: ECS may take the role on for that account alone.
 */
export function taskTrust(ownArn: string): PolicyDocument {
  return serviceTrust("ecs-tasks.amazonaws.com", { StringEquals: { "aws:SourceAccount": arnParts(ownArn).account } });
}

/**
 * Lets a role read one secret, and decrypt it where the secret has a customer-managed key.
 *
 * @param secretArn Full ARN, with the suffix that Secrets Manager adds.
 * @param keyArn The secret's customer-managed key; none for AWS's default key.
 */
export function readSecretStatements(secretArn: string, keyArn?: string): PolicyStatement[] {
  const region = arnParts(secretArn).region;
  const read: PolicyStatement = {
    Sid: "ReadOwnSecret",
    Effect: "Allow",
    Action: ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
    Resource: [secretArn],
  };
  if (keyArn === undefined) return [read];
  return [
    read,
    {
      Sid: "DecryptOwnSecret",
      Effect: "Allow",
      Action: ["kms:Decrypt"],
      Resource: [keyArn],
      Condition: { StringEquals: { "kms:ViaService": `secretsmanager.${region}.amazonaws.com` } },
    },
    { Sid: "DescribeOwnKey", Effect: "Allow", Action: ["kms:DescribeKey"], Resource: [keyArn] },
  ];
}

/** Partition, region and account of an ARN, so that a preview need not ask AWS for them. */
export function arnParts(arn: string): ArnParts {
  const [prefix, partition, , region, account] = arn.split(":");
  if (prefix !== "arn" || !partition || region === undefined || account === undefined) {
    throw new Error(`Not an ARN: ${arn}`);
  }
  return { partition, region, account };
}

export interface ArnParts {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}
