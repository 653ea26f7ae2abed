import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { brokerPorts } from "../kafka-cluster";
import { checkArguments } from "../shared/arguments";
import { type ClientNetwork, clientNetwork } from "../shared/client-network";
import { type ContainerImage, containerImage, executionPermissions } from "../shared/container-image";
import { encryptionKey } from "../shared/encryption-key";
import { taskLogGroup } from "../shared/log-groups";
import { nameLimits, physicalName } from "../shared/names";
import { taskTrust } from "../shared/policies";
import { serviceRole } from "../shared/roles";
import { componentTags } from "../shared/tags";
import { transformerServiceProblems } from "./checks";
import { containerDefinitions } from "./container";
import { applicationIdOf, dockerfile } from "./names";
import { sizeOf, type TransformerSize } from "./sizes";
import { transformerPermissions } from "./permissions";
import { scaleOnLag } from "./scaling";
import type { TransformerServiceArgs } from "./types";

export { CpuArchitecture } from "../shared/cpu-architecture";
export type { IamKafkaArgs, TransformerServiceArgs, TransformerTopicsArgs } from "./types";

/**
 * The Kafka Streams transformer as an ECS Fargate service: change records in, audit events and dead letters out. The
 * image is named by digest, and the role allows only its topics and its group. A deployment that does not become
 * healthy is rolled back. The number of tasks follows the lag, up to the partitions.
 *
 * Costs: processor and memory of each task, and a key; sums in `docs/cost.md`.
 *
 * Replaced by: a renamed stack. The tasks keep no state: a new one continues at the group's committed offsets.
 */
export class TransformerService extends pulumi.ComponentResource {
  /** The ECS service, by its name in the cluster. */
  public readonly serviceName: pulumi.Output<string>;
  /** The ECS service. */
  public readonly serviceArn: pulumi.Output<string>;
  /** The ECS cluster. */
  public readonly clusterArn: pulumi.Output<string>;
  /** The ECS cluster, by name. */
  public readonly clusterName: pulumi.Output<string>;
  /** Task definition of the service: a new one for each change of image or settings. Resolves once its tasks run. */
  public readonly taskDefinitionArn: pulumi.Output<string>;
  /** Kafka Streams application id and consumer group. */
  public readonly applicationId: pulumi.Output<string>;
  /** Role of the tasks, with which they use Kafka. */
  public readonly taskRoleArn: pulumi.Output<string>;
  /** Security group of the tasks. */
  public readonly securityGroupId: pulumi.Output<string>;
  /** Where the tasks log. */
  public readonly logGroupName: pulumi.Output<string>;

  constructor(name: string, args: TransformerServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc-audit:index:TransformerService", name, args, opts);
    checkArguments({ kind: "TransformerService", name, resource: this }, args, (given) =>
      transformerServiceProblems(given),
    );

    const size = sizeOf(args);
    const applicationId = applicationIdOf(name, args);
    const keyArn = encryptionKey(
      name,
      {
        description: `Transformer ${name}`,
        existingKeyArn: args.kmsKeyArn,
        retain: args.retainData ?? true,
      },
      this,
    );
    const network = taskNetwork(name, args, this);
    const image = containerImage(
      name,
      {
        imageUri: args.imageUri,
        imageBuildContext: args.imageBuildContext,
        dockerfile,
        architecture: size.architecture,
        keyArn,
        anyArn: args.kafka.clusterArn,
        retainData: args.retainData ?? true,
      },
      this,
    );
    const log = taskLogGroup(name, args, keyArn, this);
    const roles = taskRoles(name, args, { applicationId, image, log }, this);
    const definition = taskDefinition(name, args, { size, applicationId, image, log, roles }, this);
    const cluster = ecsCluster(name, this);
    const service = fargateService(name, args, { size, cluster, definition, network }, this);
    if (size.maximumTasks > size.minimumTasks) {
      scaleOnLag(
        name,
        {
          minimumTasks: size.minimumTasks,
          maximumTasks: size.maximumTasks,
          ecsClusterName: cluster.name,
          serviceName: service.name,
          kafkaClusterArn: args.kafka.clusterArn,
          consumerGroup: applicationId,
          topic: args.topics.raw,
        },
        this,
      );
    }

    this.serviceName = service.name;
    this.serviceArn = service.id;
    this.clusterArn = cluster.arn;
    this.clusterName = cluster.name;
    // The service's own input, so that it resolves with the service and is known in a preview.
    this.taskDefinitionArn = service.taskDefinition.apply((arn) => arn ?? "");
    this.applicationId = pulumi.output(applicationId);
    this.taskRoleArn = roles.taskRoleArn;
    this.securityGroupId = network.group.id;
    this.logGroupName = log.name;

    this.registerOutputs({
      serviceName: this.serviceName,
      serviceArn: this.serviceArn,
      clusterArn: this.clusterArn,
      clusterName: this.clusterName,
      taskDefinitionArn: this.taskDefinitionArn,
      applicationId: this.applicationId,
      taskRoleArn: this.taskRoleArn,
      securityGroupId: this.securityGroupId,
      logGroupName: this.logGroupName,
    });
  }
}

function taskNetwork(name: string, args: TransformerServiceArgs, parent: pulumi.Resource): ClientNetwork {
  return clientNetwork(
    name,
    {
      vpcId: args.vpcId,
      description: "Transformer tasks",
      destinations: [
        {
          place: "kafka",
          securityGroupId: args.kafka.securityGroupId,
          port: brokerPorts.iam,
          description: `Transformer ${name} reads and writes with IAM`,
        },
      ],
      reasonForAws: "Transformer tasks pull their image and write their log",
    },
    parent,
  );
}

interface TaskRoles {
  readonly taskRoleArn: pulumi.Output<string>;
  readonly executionRoleArn: pulumi.Output<string>;
}

function taskRoles(
  name: string,
  args: TransformerServiceArgs,
  needs: { applicationId: string; image: ContainerImage; log: aws.cloudwatch.LogGroup },
  parent: pulumi.Resource,
): TaskRoles {
  const trust = pulumi.output(args.kafka.clusterArn).apply(taskTrust);
  const taskRoleArn = serviceRole(
    `${name}-task-role`,
    {
      description: "The transformer reads and writes its topics",
      trust,
      permissions: pulumi
        .all([args.kafka.clusterArn, topicNames(args)])
        .apply(([clusterArn, topics]) => transformerPermissions(clusterArn, topics, needs.applicationId)),
      component: name,
    },
    parent,
  );
  const executionRoleArn = serviceRole(
    `${name}-execution-role`,
    {
      description: "ECS starts the transformer",
      trust,
      permissions: pulumi
        .all([needs.image.repositoryArn, needs.log.arn])
        .apply(([repositoryArn, logGroupArn]) => executionPermissions(repositoryArn, logGroupArn)),
      component: name,
    },
    parent,
  );
  return { taskRoleArn, executionRoleArn };
}

function topicNames({ topics }: TransformerServiceArgs) {
  return pulumi.output({
    raw: { name: topics.raw },
    events: { name: topics.events },
    catalog: { name: topics.catalog },
    deadLetter: { name: topics.deadLetter },
  });
}

interface DefinitionNeeds {
  readonly size: TransformerSize;
  readonly applicationId: string;
  readonly image: ContainerImage;
  readonly log: aws.cloudwatch.LogGroup;
  readonly roles: TaskRoles;
}

function taskDefinition(
  name: string,
  args: TransformerServiceArgs,
  { size, applicationId, image, log, roles }: DefinitionNeeds,
  parent: pulumi.Resource,
): aws.ecs.TaskDefinition {
  const containers = pulumi
    .all([image.uri, log.name, args.kafka.clusterArn, args.kafka.bootstrapBrokersIam, topicNames(args)])
    .apply(([imageUri, logGroupName, anyArn, bootstrapServers, topics]) =>
      containerDefinitions({
        imageUri,
        memoryMiB: size.memoryMiB,
        logGroupName,
        anyArn,
        settings: {
          sourceId: args.sourceId,
          bootstrapServers,
          applicationId,
          topics,
          authentication: "iam",
          streamThreads: size.streamThreads,
          lobMaxSizeKilobytes: size.lobMaxSizeKilobytes,
          messageMaxBytes: size.messageMaxBytes,
        },
      }),
    );
  return new aws.ecs.TaskDefinition(
    `${name}-task`,
    {
      family: physicalName(`${name}-task`, nameLimits.service),
      requiresCompatibilities: ["FARGATE"],
      networkMode: "awsvpc",
      runtimePlatform: { cpuArchitecture: size.architecture, operatingSystemFamily: "LINUX" },
      cpu: String(size.cpu),
      memory: String(size.memoryMiB),
      taskRoleArn: roles.taskRoleArn,
      executionRoleArn: roles.executionRoleArn,
      containerDefinitions: pulumi.jsonStringify(containers),
      tags: componentTags(`${name}-task`, name),
    },
    { parent },
  );
}

function ecsCluster(name: string, parent: pulumi.Resource): aws.ecs.Cluster {
  return new aws.ecs.Cluster(
    `${name}-cluster`,
    {
      name: physicalName(`${name}-cluster`, nameLimits.service),
      tags: componentTags(`${name}-cluster`, name),
    },
    { parent },
  );
}

interface ServiceNeeds {
  readonly size: TransformerSize;
  readonly cluster: aws.ecs.Cluster;
  readonly definition: aws.ecs.TaskDefinition;
  readonly network: ClientNetwork;
}

function fargateService(
  name: string,
  args: TransformerServiceArgs,
  { size, cluster, definition, network }: ServiceNeeds,
  parent: pulumi.Resource,
): aws.ecs.Service {
  return new aws.ecs.Service(
    `${name}-service`,
    {
      name: physicalName(`${name}-service`, nameLimits.service),
      cluster: cluster.arn,
      taskDefinition: definition.arn,
      launchType: "FARGATE",
      desiredCount: size.minimumTasks,
      networkConfiguration: {
        subnets: args.subnetIds,
        securityGroups: [network.group.id],
        assignPublicIp: false,
      },
      // New tasks join the group before old ones leave it.
      deploymentMinimumHealthyPercent: 100,
      deploymentMaximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
      // Set explicitly: the provider then follows the deployment itself and does not take a rollback for success.
      deploymentController: { type: "ECS" },
      availabilityZoneRebalancing: "ENABLED",
      enableEcsManagedTags: true,
      propagateTags: "SERVICE",
      // A deployment ends only when its tasks run.
      waitForSteadyState: true,
      tags: componentTags(`${name}-service`, name),
    },
    {
      parent,
      dependsOn: [...network.rules],
      // Scaling decides how many run.
      ignoreChanges: size.maximumTasks > size.minimumTasks ? ["desiredCount"] : [],
      deleteBeforeReplace: true,
    },
  );
}
