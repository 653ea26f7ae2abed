import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { databaseRoles } from "../../contract/database-roles";
import { postgresPort } from "../../contract/ports";
import type { ReviewGroupRights } from "../../contract/review-environment";
import { checkArguments } from "../shared/arguments";
import { type ClientNetwork, clientNetwork } from "../shared/client-network";
import { type ContainerImage, containerImage } from "../shared/container-image";
import { encryptionKey } from "../shared/encryption-key";
import { taskLogGroup } from "../shared/log-groups";
import { nameLimits, physicalName } from "../shared/names";
import { arnParts, taskTrust } from "../shared/policies";
import { serviceRole } from "../shared/roles";
import { componentTags } from "../shared/tags";
import { reviewServiceProblems } from "./checks";
import { reviewContainerDefinitions } from "./container";
import { type Entrance, entrance } from "./load-balancer";
import { loginFacts, withSecretClient } from "./login";
import { containerName, dockerfile, taskPort } from "./names";
import { reviewExecutionPermissions } from "./permissions";
import { type ReviewSize, sizeOf } from "./sizes";
import type { ReviewGroupArgs, ReviewServiceArgs } from "./types";

export type {
  ReviewCognitoArgs,
  ReviewDatabaseArgs,
  ReviewGroupArgs,
  ReviewOidcArgs,
  ReviewServiceArgs,
} from "./types";

/**
 * The reviewer's page as an ECS Fargate service behind an internal load balancer: HTTPS alone, from the networks that you
 * name, and a login at your identity provider before anything reaches it. The page believes this load balancer's signature
 * alone, shows each group its own tables, and records who looked at what.
 *
 * Its name in DNS and its certificate are yours: point `hostName` at `loadBalancerDnsName`, and let the identity provider
 * return to `https://<hostName>/oauth2/idpresponse`.
 *
 * Costs: a load balancer by the hour and by use, processor and memory of each task, and a key; sums in `docs/cost.md`.
 *
 * Replaced by: a renamed stack, another VPC. It keeps no state: who read what is in the log's database.
 */
export class ReviewService extends pulumi.ComponentResource {
  /** Where people open the page. */
  public readonly url: pulumi.Output<string>;
  /** What the name of the page must point at in DNS. */
  public readonly loadBalancerDnsName: pulumi.Output<string>;
  /** Hosted zone of that name, for an alias record in Route 53. */
  public readonly loadBalancerZoneId: pulumi.Output<string>;
  /** The load balancer's dimension in CloudWatch. */
  public readonly loadBalancerMetricName: pulumi.Output<string>;
  /** The target group's dimension in CloudWatch. */
  public readonly targetGroupMetricName: pulumi.Output<string>;
  /** The ECS service, by its name in the cluster. */
  public readonly serviceName: pulumi.Output<string>;
  /** The ECS service. */
  public readonly serviceArn: pulumi.Output<string>;
  /** Security group of the load balancer. */
  public readonly loadBalancerSecurityGroupId: pulumi.Output<string>;
  /** Security group of the tasks. */
  public readonly securityGroupId: pulumi.Output<string>;
  /** Where the tasks log. */
  public readonly logGroupName: pulumi.Output<string>;

  constructor(name: string, args: ReviewServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    args = withSecretClient(args);
    super("cdc-audit:index:ReviewService", name, args, opts);
    checkArguments({ kind: "ReviewService", name, resource: this }, args, (given) => reviewServiceProblems(given));

    const size = sizeOf(args);
    const retainData = args.retainData ?? true;
    const keyArn = encryptionKey(
      name,
      { description: `Reviewers page ${name}`, existingKeyArn: args.kmsKeyArn, retain: retainData },
      this,
    );
    const network = taskNetwork(name, args, this);
    const door = entrance(name, args, { taskGroupId: network.group.id }, this);
    const { imageUri, imageBuildContext, clusterArn: anyArn } = args;
    const { architecture } = size;
    const image = containerImage(
      name,
      { imageUri, imageBuildContext, dockerfile, architecture, keyArn, anyArn, retainData },
      this,
    );
    const log = taskLogGroup(name, args, keyArn, this);
    const executionRoleArn = executionRole(name, args, { image, log }, this);
    const definition = taskDefinition(name, args, { size, image, log, executionRoleArn, door }, this);
    const service = fargateService(name, args, { size, definition, network, door }, this);

    // Resolves once the page is there.
    this.url = service.id.apply(() => publicOrigin(args));
    this.loadBalancerDnsName = door.loadBalancer.dnsName;
    this.loadBalancerZoneId = door.loadBalancer.zoneId;
    this.loadBalancerMetricName = door.loadBalancer.arnSuffix;
    this.targetGroupMetricName = door.targetGroup.arnSuffix;
    this.serviceName = service.name;
    this.serviceArn = service.id;
    this.loadBalancerSecurityGroupId = door.groupId;
    this.securityGroupId = network.group.id;
    this.logGroupName = log.name;

    this.registerOutputs({
      url: this.url,
      loadBalancerDnsName: this.loadBalancerDnsName,
      loadBalancerZoneId: this.loadBalancerZoneId,
      loadBalancerMetricName: this.loadBalancerMetricName,
      targetGroupMetricName: this.targetGroupMetricName,
      serviceName: this.serviceName,
      serviceArn: this.serviceArn,
      loadBalancerSecurityGroupId: this.loadBalancerSecurityGroupId,
      securityGroupId: this.securityGroupId,
      logGroupName: this.logGroupName,
    });
  }
}

function publicOrigin({ hostName }: ReviewServiceArgs): string {
  return `https://${hostName}`;
}

function taskNetwork(name: string, args: ReviewServiceArgs, parent: pulumi.Resource): ClientNetwork {
  return clientNetwork(
    name,
    {
      vpcId: args.vpcId,
      description: "Tasks of the reviewers page",
      destinations: [
        {
          place: "database",
          securityGroupId: args.database.securityGroupId,
          port: args.database.port ?? postgresPort,
          description: `${name} reads the audit log and records who reads`,
        },
      ],
      reasonForAws: "Tasks pull their image, read their secret, write their log and fetch the keys of logins",
    },
    parent,
  );
}

function executionRole(
  name: string,
  args: ReviewServiceArgs,
  needs: { image: ContainerImage; log: aws.cloudwatch.LogGroup },
  parent: pulumi.Resource,
): pulumi.Output<string> {
  const { secretArn, keyArn: secretKeyArn } = args.database;
  const access = pulumi.output({
    repositoryArn: needs.image.repositoryArn,
    logGroupArn: needs.log.arn,
    secretArn,
    secretKeyArn,
  });
  return serviceRole(
    `${name}-execution-role`,
    {
      description: "ECS starts the reviewers page",
      trust: pulumi.output(args.clusterArn).apply(taskTrust),
      permissions: access.apply(reviewExecutionPermissions),
      component: name,
    },
    parent,
  );
}

interface DefinitionNeeds {
  readonly size: ReviewSize;
  readonly image: ContainerImage;
  readonly log: aws.cloudwatch.LogGroup;
  readonly executionRoleArn: pulumi.Output<string>;
  readonly door: Entrance;
}

function taskDefinition(
  name: string,
  args: ReviewServiceArgs,
  { size, image, log, executionRoleArn, door }: DefinitionNeeds,
  parent: pulumi.Resource,
): aws.ecs.TaskDefinition {
  const { endpoint: host, port, databaseName, secretArn } = args.database;
  const containers = pulumi
    .output({
      imageUri: image.uri,
      logGroupName: log.name,
      secretArn,
      loadBalancerArn: door.loadBalancer.arn,
      login: loginFacts(args),
      database: { host, port: port ?? postgresPort, name: databaseName },
    })
    .apply(({ loadBalancerArn, login, database, ...known }) =>
      reviewContainerDefinitions({
        ...known,
        memoryMiB: size.memoryMiB,
        settings: {
          ...login,
          database: { ...database, user: databaseRoles.review },
          region: arnParts(loadBalancerArn).region,
          port: taskPort,
          publicOrigin: publicOrigin(args),
          loadBalancerArn,
          readerClaim: args.readerClaim ?? "email",
          groups: rightsOf(args.groups),
          maskedColumns: args.maskedColumns ?? [],
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
      executionRoleArn,
      containerDefinitions: pulumi.jsonStringify(containers),
      tags: componentTags(`${name}-task`, name),
    },
    { parent },
  );
}

function rightsOf(groups: readonly ReviewGroupArgs[]): Record<string, ReviewGroupRights> {
  return Object.fromEntries(groups.map(({ name, ...rights }) => [name, rights]));
}

interface ServiceNeeds {
  readonly size: ReviewSize;
  readonly definition: aws.ecs.TaskDefinition;
  readonly network: ClientNetwork;
  readonly door: Entrance;
}

function fargateService(
  name: string,
  args: ReviewServiceArgs,
  { size, definition, network, door }: ServiceNeeds,
  parent: pulumi.Resource,
): aws.ecs.Service {
  return new aws.ecs.Service(
    `${name}-service`,
    {
      name: physicalName(`${name}-service`, nameLimits.service),
      cluster: args.clusterArn,
      taskDefinition: definition.arn,
      launchType: "FARGATE",
      desiredCount: size.tasks,
      networkConfiguration: {
        subnets: args.subnetIds,
        securityGroups: [network.group.id],
        assignPublicIp: false,
      },
      loadBalancers: [{ targetGroupArn: door.targetGroup.arn, containerName, containerPort: taskPort }],
      healthCheckGracePeriodSeconds: 60,
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
      // ECS refuses a target group that no listener uses.
      dependsOn: [...network.rules, ...door.rules, door.listener],
      deleteBeforeReplace: true,
    },
  );
}
