import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { postgresPort } from "../../contract/ports";
import { brokerPorts } from "../kafka-cluster";
import { type ClientNetwork, clientNetwork } from "../shared/client-network";
import { nameLimits, physicalName } from "../shared/names";
import { neverLowered } from "../shared/running-version";
import { componentTags } from "../shared/tags";
import { defaultEngineVersion } from "./engine-versions";
import { accountRoles } from "./service-roles";
import type { ChangeCaptureArgs } from "./types";

export function instanceNetwork(name: string, args: ChangeCaptureArgs, parent: pulumi.Resource): ClientNetwork {
  return clientNetwork(
    name,
    {
      vpcId: args.vpcId,
      description: "DMS replication instance",
      destinations: [
        {
          place: "source",
          securityGroupId: args.source.securityGroupId,
          port: args.source.port ?? postgresPort,
          description: `DMS of ${name} reads the source database`,
        },
        {
          place: "kafka",
          securityGroupId: args.kafka.securityGroupId,
          port: brokerPorts.scram,
          description: `DMS of ${name} writes change records with SCRAM`,
        },
      ],
      reasonForAws: "DMS reads its secret from Secrets Manager",
    },
    parent,
  );
}

export function replicationInstance(
  name: string,
  args: ChangeCaptureArgs,
  needs: { keyArn: pulumi.Output<string>; network: ClientNetwork },
  parent: pulumi.Resource,
): aws.dms.ReplicationInstance {
  const subnetGroup = new aws.dms.ReplicationSubnetGroup(
    `${name}-subnets`,
    {
      replicationSubnetGroupId: physicalName(`${name}-subnets`, nameLimits.replicationSubnetGroup),
      replicationSubnetGroupDescription: `Subnets of ${name}`,
      subnetIds: args.subnetIds,
      tags: componentTags(`${name}-subnets`, name),
    },
    // The provider retries for two minutes until a new role is known everywhere.
    {
      parent,
      dependsOn: accountRolesOf(name, args, parent),
      deleteBeforeReplace: true,
    },
  );
  const replicationInstanceId = physicalName(`${name}-instance`, nameLimits.replicationInstance);
  return new aws.dms.ReplicationInstance(
    `${name}-instance`,
    {
      replicationInstanceId,
      replicationInstanceClass: args.instanceClass ?? "dms.t3.medium",
      engineVersion: versionOf(replicationInstanceId, args, parent),
      allocatedStorage: args.allocatedStorageGiB ?? 50,
      multiAz: args.multiAz ?? false,
      // DMS's own default is public.
      publiclyAccessible: false,
      // An automatic upgrade could change the format of records.
      autoMinorVersionUpgrade: false,
      allowMajorVersionUpgrade: true,
      applyImmediately: true,
      preferredMaintenanceWindow: args.maintenanceWindow,
      replicationSubnetGroupId: subnetGroup.replicationSubnetGroupId,
      vpcSecurityGroupIds: [needs.network.group.id],
      kmsKeyArn: needs.keyArn,
      tags: componentTags(`${name}-instance`, name),
    },
    {
      parent,
      dependsOn: [...needs.network.rules],
      // At the end of an engine DMS raises it all the same, and lowers none.
      ignoreChanges: args.engineVersion === undefined ? ["engineVersion"] : [],
      deleteBeforeReplace: true,
    },
  );
}

/** The engine that is asked for; for an instance that is there at least the one that it runs. */
function versionOf(
  replicationInstanceId: string,
  args: ChangeCaptureArgs,
  parent: pulumi.Resource,
): pulumi.Input<string> {
  if (args.engineVersion === undefined) return defaultEngineVersion;
  return neverLowered(
    {
      service: "dmsEngine",
      setting: "engineVersion",
      version: args.engineVersion,
      owner: `the replication instance ${replicationInstanceId}`,
      running: async () => (await aws.dms.getReplicationInstance({ replicationInstanceId }, { parent })).engineVersion,
    },
    parent,
  );
}

/** The roles that DMS looks up in the account, if this stack is the one that creates them. */
function accountRolesOf(name: string, args: ChangeCaptureArgs, parent: pulumi.Resource): pulumi.Resource[] {
  if (!args.createServiceRoles) return [];
  return accountRoles(name, { anyArn: args.source.secretArn, retain: args.retainData ?? true }, parent);
}
