import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { nameLimits, physicalName } from "../shared/names";
import { writtenVersionStages } from "../shared/secret-versions";
import { componentTags } from "../shared/tags";

export interface RoleSecretArgs {
  readonly description: string;
  /** Login role in the database. */
  readonly username: string;
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly databaseName: pulumi.Input<string>;
  readonly keyArn: pulumi.Input<string>;
  /** Whether the secret can be restored for 30 days after it was deleted. */
  readonly retainData: boolean;
  readonly component: string;
}

export interface RoleSecret {
  /** Resolves once the password is in it. */
  readonly secretArn: pulumi.Output<string>;
  /** Another one has another password. */
  readonly versionId: pulumi.Output<string>;
}

/**
 * A secret for a database role, with a password of its own and where to use it, as DMS and the JDBC wrapper read it.
 * Setting that password in the database is the operator's work.
 */
export function roleSecret(name: string, args: RoleSecretArgs, parent: pulumi.Resource): RoleSecret {
  // Letters and digits alone: DMS takes none of ; . : + and 40 of these are more than 230 bits.
  const password = new random.RandomPassword(`${name}-password`, { length: 40, special: false }, { parent });
  const secret = new aws.secretsmanager.Secret(
    name,
    {
      // A name of its own each time: a deleted secret holds on to its name until it is gone for good.
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
          host: args.host,
          port: args.port,
          dbname: args.databaseName,
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
    versionId: version.versionId,
  };
}
