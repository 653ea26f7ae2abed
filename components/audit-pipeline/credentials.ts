import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { databaseRoles } from "../../contract/database-roles";
import { postgresPort } from "../../contract/ports";
import { nameLimits, physicalName } from "../shared/names";
import { writtenVersionStages } from "../shared/secret-versions";
import { componentTags } from "../shared/tags";
import { type Secret, type SharedResources, retainsData } from "./part-arguments";
import type { AuditPipelineArgs, PipelineDestinationArgs } from "./types";

interface RoleSecretArgs {
  /** A secret of your own. Default: a new one. */
  readonly existingSecretArn?: pulumi.Input<string>;
  /** Customer-managed key of `existingSecretArn`. Default: it is under AWS's own key. */
  readonly existingKeyArn?: pulumi.Input<string>;
  readonly description: string;
  /** Login role in the database. */
  readonly username: string;
  readonly database: Pick<PipelineDestinationArgs, "endpoint" | "port" | "databaseName">;
  /** Key of a new secret. */
  readonly keyArn: pulumi.Output<string>;
  /** Whether the secret can be restored for 30 days after it was deleted. */
  readonly retainData: boolean;
  readonly component: string;
}

/** The secrets of the roles that log in to databases: DMS at the source, the sink and the page at the destination. */
export function roleSecrets(
  name: string,
  args: AuditPipelineArgs,
  keyArn: pulumi.Output<string>,
  parent: pulumi.Resource,
): Pick<SharedResources, "captureSecret" | "writerSecret" | "reviewSecret"> {
  const { source, destination = source } = args;
  const common = { keyArn, retainData: retainsData(args), component: name };
  const captureSecret = roleSecret(
    `${name}-capture-secret`,
    {
      ...common,
      existingSecretArn: source.captureSecretArn,
      existingKeyArn: source.captureSecretKeyArn,
      description: "DMS logs in to the source database",
      username: databaseRoles.capture,
      database: source,
    },
    parent,
  );
  const writerSecret = roleSecret(
    `${name}-writer-secret`,
    {
      ...common,
      existingSecretArn: args.writerSecretArn,
      existingKeyArn: args.writerSecretKeyArn,
      description: "The sink logs in to the destination database",
      username: databaseRoles.writer,
      database: destination,
    },
    parent,
  );
  if (args.review === undefined) return { captureSecret, writerSecret };
  const reviewSecret = roleSecret(
    `${name}-review-secret`,
    {
      ...common,
      description: "The reviewers page logs in to the audit log",
      username: databaseRoles.review,
      database: destination,
    },
    parent,
  );
  return { captureSecret, writerSecret, reviewSecret };
}

/**
 * The secret of a database role: the one that was given, or a new one with a password and where to use it, as DMS and
 * the JDBC wrapper read it. The operator sets that password in the database.
 */
function roleSecret(name: string, args: RoleSecretArgs, parent: pulumi.Resource): Secret {
  if (args.existingSecretArn !== undefined) return { secretArn: args.existingSecretArn, keyArn: args.existingKeyArn };
  // Letters and digits only: DMS refuses ; . : + in passwords, and 40 of these are more than 230 bits.
  const password = new random.RandomPassword(`${name}-password`, { length: 40, special: false }, { parent });
  const secret = new aws.secretsmanager.Secret(
    name,
    {
      // A new name each time: a deleted secret keeps its name while it can be restored.
      namePrefix: `${physicalName(name, nameLimits.secretPrefix)}-`,
      description: args.description,
      kmsKeyId: args.keyArn,
      recoveryWindowInDays: args.retainData ? 30 : 0,
      tags: componentTags(name, args.component),
    },
    { parent },
  );
  const version = new aws.secretsmanager.SecretVersion(
    `${name}-value`,
    {
      secretId: secret.id,
      secretString: pulumi.secret(
        pulumi.jsonStringify({
          engine: "postgres",
          host: args.database.endpoint,
          port: args.database.port ?? postgresPort,
          dbname: args.database.databaseName,
          username: args.username,
          password: password.result,
        }),
      ),
      versionStages: writtenVersionStages,
    },
    { parent, ignoreChanges: ["versionStages"] },
  );
  return {
    secretArn: pulumi.all([secret.arn, version.id]).apply(([arn]) => arn),
    keyArn: args.keyArn,
    versionId: version.versionId,
  };
}
