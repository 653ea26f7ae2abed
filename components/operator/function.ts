import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { brokerPorts, postgresPort } from "../../contract/ports";
import { sinkConsumerGroup } from "../../contract/sink-connector";
import { type ClientNetwork, type Destination, clientNetwork } from "../shared/client-network";
import { logGroup } from "../shared/log-groups";
import { serviceTrust } from "../shared/policies";
import { serviceRole } from "../shared/roles";
import { componentTags, owner } from "../shared/tags";
import { entryFile } from "./bundle";
import { functionNameOf, functionRuntime } from "./names";
import { functionTimeoutSeconds } from "./timing";
import { operatorRolePermissions } from "./permissions";
import type { OperatedDatabaseArgs, OperatorArgs } from "./types";

export function functionNetwork(name: string, args: OperatorArgs, parent: pulumi.Resource): ClientNetwork {
  const { vpcId, kafka } = args;
  return clientNetwork(
    name,
    {
      vpcId,
      description: "Operator",
      destinations: [
        ...databaseDestinations(name, args),
        {
          place: "kafka",
          securityGroupId: kafka.securityGroupId,
          port: brokerPorts.iam,
          description: `${name} sets access rules and looks at topics`,
        },
        {
          place: "kafka-scram",
          securityGroupId: kafka.securityGroupId,
          port: brokerPorts.scram,
          description: `${name} tries a rotated password`,
        },
      ],
      reasonForAws: "The operator reads secrets and asks DMS, MSK and MSK Connect",
    },
    parent,
  );
}

/** The source, and the destination unless the same rules serve it: AWS refuses a second rule that says the same. */
function databaseDestinations(name: string, { source, destination = source }: OperatorArgs): Destination[] {
  const at = (place: string, database: OperatedDatabaseArgs, description: string): Destination => ({
    place,
    securityGroupId: database.securityGroupId,
    port: database.port ?? postgresPort,
    description,
  });
  const first = at("source", source, `${name} prepares the source and sends canaries`);
  const second = at("destination", destination, `${name} looks after the audit table`);
  const same = second.securityGroupId === first.securityGroupId && second.port === first.port;
  return same ? [first] : [first, second];
}

export function functionLog(
  name: string,
  args: OperatorArgs,
  keyArn: pulumi.Output<string>,
  parent: pulumi.Resource,
): aws.cloudwatch.LogGroup {
  return logGroup(
    name,
    {
      logGroupName: `/aws/lambda/${functionNameOf(name)}`,
      retentionInDays: args.logRetentionDays,
      keyArn,
    },
    parent,
  );
}

export function functionRole(
  name: string,
  args: OperatorArgs,
  needs: { keyArn: pulumi.Output<string>; log: aws.cloudwatch.LogGroup; failedRuns: aws.sqs.Queue },
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const { source, destination = source, kafka, parts } = args;
  const access = pulumi.output({
    logGroupArn: needs.log.arn,
    failedRunsQueueArn: needs.failedRuns.arn,
    keyArn: needs.keyArn,
    administratorSecretArns: [source.adminSecretArn, destination.adminSecretArn],
    captureSecretArn: args.captureRole.secretArn,
    writerSecretArn: args.writerRole.secretArn,
    reviewSecretArn: args.reviewRole?.secretArn,
    scramSecretArn: kafka.scramSecretArn,
    keys: [
      source.adminSecretKeyArn,
      destination.adminSecretKeyArn,
      args.captureRole.keyArn,
      args.writerRole.keyArn,
      args.reviewRole?.keyArn,
      kafka.scramSecretArn === undefined ? undefined : kafka.keyArn,
    ],
    clusterArn: kafka.clusterArn,
    rawTopic: args.topics.raw,
    eventsTopic: args.topics.events,
  });
  return serviceRole(
    `${name}-role`,
    {
      description: "The operator prepares databases and brokers and looks after the pipeline",
      trust: serviceTrust("lambda.amazonaws.com"),
      permissions: access.apply(({ keys, ...known }) =>
        operatorRolePermissions({
          ...known,
          functionName: functionNameOf(name),
          secretKeyArns: keys.filter((key) => key !== undefined),
          transformerGroup: parts.transformerGroup,
          sinkGroup: sinkConsumerGroup(parts.connectorName),
          connectorName: parts.connectorName,
          captureTaskIdentifier: parts.captureTaskIdentifier,
          captureTags: owner(parts.captureName),
        }),
      ),
      component: name,
    },
    parent,
  );
}

interface FunctionNeeds {
  readonly keyArn: pulumi.Output<string>;
  readonly network: ClientNetwork;
  readonly log: aws.cloudwatch.LogGroup;
  readonly roleArn: pulumi.Output<string>;
}

export function operatorFunction(
  name: string,
  args: OperatorArgs,
  needs: FunctionNeeds,
  parent: pulumi.Resource,
): aws.lambda.Function {
  return new aws.lambda.Function(
    `${name}-function`,
    {
      name: functionNameOf(name),
      description: `Looks after the audit pipeline of ${args.sourceId}`,
      runtime: functionRuntime,
      architectures: ["arm64"],
      handler: `${entryFile.replace(/\.js$/, "")}.handler`,
      code: new pulumi.asset.FileArchive(args.bundlePath),
      // Lambda gives processor by memory: with less, cold starts and TLS are slow.
      memorySize: 512,
      timeout: functionTimeoutSeconds,
      role: needs.roleArn,
      vpcConfig: { subnetIds: args.subnetIds, securityGroupIds: [needs.network.group.id] },
      reservedConcurrentExecutions: args.reservedConcurrency,
      kmsKeyArn: needs.keyArn,
      // The function itself writes each line as JSON.
      loggingConfig: { logFormat: "Text", logGroup: needs.log.name },
      tags: componentTags(`${name}-function`, name),
    },
    { parent, dependsOn: [...needs.network.rules], deleteBeforeReplace: true },
  );
}
