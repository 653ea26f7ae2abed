import { randomInt, randomUUID } from "node:crypto";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { Credentials, OperatorContext } from "../context";
import { OperatorError } from "../errors";
import { parseCredentials } from "./secrets";
import { isAwsError } from "./wait";

type SecretContext = Pick<OperatorContext, "clients" | "hide" | "signal">;

const current = "AWSCURRENT";
const pending = "AWSPENDING";

/** Label of the new version while the task that reads the secret is stopped because of this rotation. */
const taskStopped = "CDC_AUDIT_TASK_STOPPED";

const passwordLength = 40;
const passwordCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/**
 * The change of one secret's password. Its progress is kept in Secrets Manager alone, as the labels of the new version,
 * so that another run can continue it after any interruption:
 *
 * | labels of the new version | what is left to do |
 * |---|---|
 * | `AWSPENDING` | set the password where it is checked, promote the version |
 * | `AWSPENDING`, `AWSCURRENT` | have its readers read it |
 * | and `CDC_AUDIT_TASK_STOPPED` | start the task that was stopped for it |
 * | `AWSCURRENT` | nothing |
 */
export class SecretRotation {
  private constructor(
    private readonly context: SecretContext,
    private readonly secretArn: string,
    private readonly versionId: string,
    /** User and new password. */
    readonly credentials: Credentials,
    /** Whether an earlier run has begun it. */
    readonly resumed: boolean,
  ) {}

  /**
   * Continues the rotation that an earlier run left unfinished, or begins one with a new password.
   *
   * @param username The user that the secret must be of.
   * @throws OperatorError before anything is written, when the secret is another user's or rotated by somebody else.
   */
  static async begin(context: SecretContext, secretArn: string, username: string): Promise<SecretRotation> {
    const stages = await describe(context, secretArn);
    const unfinished = versionWith(stages, pending);
    const text = await read(context, secretArn, unfinished ?? currentVersion(stages, secretArn));
    const before = parseCredentials(text, secretArn);
    context.hide(before.password);
    if (before.username !== username) {
      throw new OperatorError(
        `Secret ${secretArn} is that of the user ${before.username}, not of ${username}.`,
        `Name the secret of ${username}.`,
      );
    }
    if (unfinished !== undefined) return new SecretRotation(context, secretArn, unfinished, before, true);
    const password = newPassword();
    context.hide(password);
    const versionId = randomUUID();
    await context.clients.secretsManager.send(
      new PutSecretValueCommand({
        SecretId: secretArn,
        ClientRequestToken: versionId,
        // Other members, such as host and port, stay.
        SecretString: JSON.stringify({ ...(JSON.parse(text) as object), password }),
        VersionStages: [pending],
      }),
      { abortSignal: context.signal },
    );
    return new SecretRotation(context, secretArn, versionId, { username, password }, false);
  }

  /** Makes the new version the one that readers get, unless it is already. */
  async promote(): Promise<void> {
    try {
      await this.moveCurrent();
    } catch (error) {
      // The first attempt of a retried call may have succeeded: AWS then says that the label is elsewhere.
      if (!isAwsError(error, "InvalidParameterException")) throw error;
      await this.moveCurrent();
    }
  }

  private async moveCurrent(): Promise<void> {
    const stages = await describe(this.context, this.secretArn);
    const from = currentVersion(stages, this.secretArn);
    if (from === this.versionId) return;
    await this.moveStage(current, { MoveToVersionId: this.versionId, RemoveFromVersionId: from });
  }

  /** Notes, before the task is stopped, that this rotation stops it. */
  async rememberStop(): Promise<void> {
    if (await this.hasStoppedTask()) return;
    await this.moveStage(taskStopped, { MoveToVersionId: this.versionId });
  }

  /** Whether this run or an earlier one stopped the task for this rotation. */
  async hasStoppedTask(): Promise<boolean> {
    return this.hasStage(taskStopped);
  }

  /** Removes the labels that say what is left to do. */
  async finish(): Promise<void> {
    for (const stage of [taskStopped, pending]) {
      if (await this.hasStage(stage)) await this.moveStage(stage, { RemoveFromVersionId: this.versionId });
    }
  }

  private async hasStage(stage: string): Promise<boolean> {
    const stages = await describe(this.context, this.secretArn);
    return stages.get(this.versionId)?.includes(stage) ?? false;
  }

  private async moveStage(
    stage: string,
    change: { MoveToVersionId?: string; RemoveFromVersionId?: string },
  ): Promise<void> {
    await this.context.clients.secretsManager.send(
      new UpdateSecretVersionStageCommand({ SecretId: this.secretArn, VersionStage: stage, ...change }),
      { abortSignal: this.context.signal },
    );
  }
}

/** The labels of each version of a secret. @throws when somebody else rotates it. */
async function describe(context: SecretContext, secretArn: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const secret = await context.clients.secretsManager.send(new DescribeSecretCommand({ SecretId: secretArn }), {
    abortSignal: context.signal,
  });
  if (secret.RotationEnabled) {
    throw new OperatorError(
      `Secret ${secretArn} is rotated by ${secret.RotationLambdaARN ?? secret.OwningService ?? "its own schedule"}.`,
      "Turn that rotation off (aws secretsmanager cancel-rotate-secret), or let it be the only one.",
    );
  }
  return new Map(Object.entries(secret.VersionIdsToStages ?? {}));
}

function versionWith(stages: ReadonlyMap<string, readonly string[]>, stage: string): string | undefined {
  return [...stages].find(([, labels]) => labels.includes(stage))?.[0];
}

function currentVersion(stages: ReadonlyMap<string, readonly string[]>, secretArn: string): string {
  const version = versionWith(stages, current);
  if (version === undefined) {
    throw new OperatorError(`Secret ${secretArn} has no value.`, "Deploy again: the stack gives it one.");
  }
  return version;
}

async function read({ clients, signal }: SecretContext, secretArn: string, versionId: string): Promise<string> {
  const { SecretString: text } = await clients.secretsManager.send(
    new GetSecretValueCommand({ SecretId: secretArn, VersionId: versionId }),
    { abortSignal: signal },
  );
  return text ?? "";
}

/** Letters and digits alone, as DMS takes none of `; . : +`: 238 bits. */
function newPassword(): string {
  return Array.from({ length: passwordLength }, () => passwordCharacters[randomInt(passwordCharacters.length)]).join(
    "",
  );
}
