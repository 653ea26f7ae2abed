import { type PolicyDocument, type PolicyStatement, arnParts } from "../shared/policies";
import { executionPermissions } from "../shared/container-image";

/** What the start of a task needs to reach. */
export interface ReviewAccess {
  /** Empty when the image comes from a registry that needs no permission. */
  readonly repositoryArn: string;
  readonly logGroupArn: string;
  readonly secretArn: string;
  /** Customer-managed key of the secret. */
  readonly secretKeyArn?: string;
}

/**
 * What ECS does to start a task: pull the image, write the log, and put the login's password into the container. The
 * container itself gets no role: the page calls nothing of AWS's.
 */
export function reviewExecutionPermissions(access: ReviewAccess): PolicyDocument {
  const { repositoryArn, logGroupArn, secretArn, secretKeyArn } = access;
  const readSecret: PolicyStatement = {
    Sid: "ReadPasswordOfThePage",
    Effect: "Allow",
    Action: ["secretsmanager:GetSecretValue"],
    Resource: [secretArn],
  };
  if (secretKeyArn === undefined) return executionPermissions(repositoryArn, logGroupArn, [readSecret]);
  const decrypt: PolicyStatement = {
    Sid: "DecryptPasswordOfThePage",
    Effect: "Allow",
    Action: ["kms:Decrypt"],
    Resource: [secretKeyArn],
    Condition: { StringEquals: { "kms:ViaService": `secretsmanager.${arnParts(secretArn).region}.amazonaws.com` } },
  };
  return executionPermissions(repositoryArn, logGroupArn, [readSecret, decrypt]);
}
