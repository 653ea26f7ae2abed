import {
  arn,
  byArn,
  type Creation,
  type Description,
  digest,
  dmsSuffix,
  globalArn,
  remoteId,
  text,
  uuid,
} from "./creation";
import { databaseClusterOutputs, kafkaClusterOutputs } from "./cluster-outputs";
import { secret, type Value } from "./values";

const short = (prefix: string) => (c: Creation) => ({ id: `${prefix}-${c.digest.slice(0, 17)}` });
const named: Description = { autoNamed: "name" };
const idOf = (input: string): Description => ({ outputs: (c) => ({ id: text(c.inputs[input]) }) });

/** Every type that the program registers; a test fails when it registers one that is not described. */
export const descriptions: Readonly<Record<string, Description>> = {
  "awsx:ec2:Vpc": { outputs: vpcOutputs },
  "awsx:ecr:Image": {
    outputs: (c) => ({ imageUri: `${text(c.inputs.repositoryUrl)}@sha256:${digest(c.digest)}` }),
  },
  "awsx:ecr:Repository": {
    outputs: (c) => ({ url: `${c.account}.dkr.ecr.${c.region}.amazonaws.com/${c.name.toLowerCase()}` }),
  },
  "aws:appautoscaling/policy:Policy": {
    autoNamed: "name",
    outputs: (c) => ({ arn: arn(c, "autoscaling", `scalingPolicy:${uuid(c)}:policyName/${c.physicalName}`) }),
  },
  "aws:appautoscaling/target:Target": {
    outputs: (c) => ({
      id: text(c.inputs.resourceId),
      arn: arn(c, "application-autoscaling", `scalable-target/${c.digest.slice(0, 20)}`),
    }),
  },
  "aws:cloudwatch/compositeAlarm:CompositeAlarm": {
    autoNamed: "alarmName",
    outputs: (c) => ({ arn: arn(c, "cloudwatch", `alarm:${c.physicalName}`) }),
  },
  "aws:cloudwatch/dashboard:Dashboard": {
    autoNamed: "dashboardName",
    outputs: (c) => ({ dashboardArn: globalArn(c, "cloudwatch", `dashboard/${c.physicalName}`) }),
  },
  "aws:cloudwatch/eventRule:EventRule": {
    autoNamed: "name",
    outputs: (c) => ({ arn: arn(c, "events", `rule/${c.physicalName}`) }),
  },
  "aws:cloudwatch/eventTarget:EventTarget": {
    autoNamed: "targetId",
    outputs: (c) => ({ id: `${text(c.inputs.rule)}-${c.physicalName}` }),
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    autoNamed: "name",
    outputs: (c) => ({ arn: arn(c, "logs", `log-group:${c.physicalName}`) }),
  },
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": named,
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    autoNamed: "name",
    outputs: (c) => ({ arn: arn(c, "cloudwatch", `alarm:${c.physicalName}`) }),
  },
  "aws:dms/certificate:Certificate": {
    outputs: (c) => ({ id: text(c.inputs.certificateId), certificateArn: arn(c, "dms", `cert:${dmsSuffix(c)}`) }),
  },
  "aws:dms/endpoint:Endpoint": {
    outputs: (c) => ({ id: text(c.inputs.endpointId), endpointArn: arn(c, "dms", `endpoint:${dmsSuffix(c)}`) }),
  },
  "aws:dms/replicationInstance:ReplicationInstance": {
    outputs: (c) => ({
      id: text(c.inputs.replicationInstanceId),
      replicationInstanceArn: arn(c, "dms", `rep:${dmsSuffix(c)}`),
      replicationInstancePrivateIps: ["10.0.0.10"],
      replicationInstancePublicIps: [],
    }),
  },
  "aws:dms/replicationSubnetGroup:ReplicationSubnetGroup": {
    outputs: (c) => ({
      id: text(c.inputs.replicationSubnetGroupId),
      replicationSubnetGroupArn: arn(c, "dms", `subgrp:${text(c.inputs.replicationSubnetGroupId)}`),
      vpcId: "vpc-of-the-subnets",
    }),
  },
  "aws:dms/replicationTask:ReplicationTask": {
    outputs: (c) => ({
      id: text(c.inputs.replicationTaskId),
      replicationTaskArn: arn(c, "dms", `task:${text(c.inputs.resourceIdentifier) || dmsSuffix(c)}`),
      status: "running",
    }),
  },
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": { outputs: short("sg") },
  "aws:ec2/securityGroup:SecurityGroup": {
    autoNamed: "name",
    outputs: (c) => ({
      id: `sg-${c.digest.slice(0, 17)}`,
      arn: arn(c, "ec2", `security-group/sg-${c.digest.slice(0, 17)}`),
      ownerId: c.account,
    }),
  },
  "aws:ec2/vpcEndpoint:VpcEndpoint": {
    outputs: (c) => ({
      id: `vpce-${c.digest.slice(0, 17)}`,
      prefixListId: `pl-${c.digest.slice(0, 8)}`,
      dnsEntries: [
        { dnsName: `vpce-${c.digest.slice(0, 17)}.vpce.${c.region}.vpce.amazonaws.com`, hostedZoneId: "Z1" },
      ],
    }),
  },
  "aws:ecr/lifecyclePolicy:LifecyclePolicy": idOf("repository"),
  "aws:ecr/repository:Repository": {
    autoNamed: "name",
    outputs: (c) => ({
      arn: arn(c, "ecr", `repository/${c.physicalName}`),
      registryId: c.account,
      repositoryUrl: `${c.account}.dkr.ecr.${c.region}.amazonaws.com/${c.physicalName}`,
    }),
  },
  "aws:ecs/cluster:Cluster": {
    autoNamed: "name",
    outputs: (c) => byArn("ecs", () => `cluster/${c.physicalName}`)(c),
  },
  "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": idOf("clusterName"),
  "aws:ecs/service:Service": {
    autoNamed: "name",
    outputs: (c) => {
      const cluster = text(c.inputs.cluster).split("/").at(-1) ?? "default";
      return byArn("ecs", () => `service/${cluster}/${c.physicalName}`)(c);
    },
  },
  "aws:ecs/taskDefinition:TaskDefinition": {
    outputs: (c) => ({
      id: text(c.inputs.family),
      arn: arn(c, "ecs", `task-definition/${text(c.inputs.family)}:1`),
      arnWithoutRevision: arn(c, "ecs", `task-definition/${text(c.inputs.family)}`),
      revision: 1,
    }),
  },
  "aws:iam/policy:Policy": {
    autoNamed: "name",
    outputs: (c) => ({
      id: globalArn(c, "iam", `policy/${c.physicalName}`),
      arn: globalArn(c, "iam", `policy/${c.physicalName}`),
    }),
  },
  "aws:iam/role:Role": {
    autoNamed: "name",
    outputs: (c) => ({
      arn: globalArn(c, "iam", `role${text(c.inputs.path) || "/"}${c.physicalName}`),
      uniqueId: `AROA${c.digest.slice(0, 17).toUpperCase()}`,
    }),
  },
  "aws:iam/rolePolicy:RolePolicy": {
    autoNamed: "name",
    outputs: (c) => ({ id: `${text(c.inputs.role)}:${c.physicalName}` }),
  },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
    outputs: (c) => ({ id: `${text(c.inputs.role)}/${text(c.inputs.policyArn)}` }),
  },
  "aws:kms/alias:Alias": {
    outputs: (c) => ({ arn: arn(c, "kms", text(c.inputs.name)), targetKeyArn: text(c.inputs.targetKeyId) }),
  },
  "aws:kms/key:Key": { outputs: (c) => ({ id: uuid(c), keyId: uuid(c), arn: arn(c, "kms", `key/${uuid(c)}`) }) },
  "aws:kms/keyPolicy:KeyPolicy": idOf("keyId"),
  "aws:lambda/function:Function": {
    autoNamed: "name",
    outputs: (c) => ({
      arn: arn(c, "lambda", `function:${c.physicalName}`),
      qualifiedArn: arn(c, "lambda", `function:${c.physicalName}:1`),
      invokeArn: `arn:${c.partition}:apigateway:${c.region}:lambda:path/2015-03-31/functions/${arn(c, "lambda", `function:${c.physicalName}`)}/invocations`,
      version: "$LATEST",
    }),
  },
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": idOf("functionName"),
  "aws:lambda/invocation:Invocation": { outputs: (c) => ({ id: c.digest.slice(0, 32), result: "{}" }) },
  "aws:lambda/permission:Permission": { outputs: (c) => ({ id: text(c.inputs.statementId) || c.physicalName }) },
  "aws:lb/listener:Listener": {
    outputs: (c) =>
      byArn(
        "elasticloadbalancing",
        () => `${balancerPath(text(c.inputs.loadBalancerArn), "listener")}/${c.digest.slice(0, 16)}`,
      )(c),
  },
  "aws:lb/loadBalancer:LoadBalancer": {
    autoNamed: "name",
    outputs: (c) => ({
      ...byArn("elasticloadbalancing", () => `loadbalancer/app/${c.physicalName}/${c.digest.slice(0, 16)}`)(c),
      arnSuffix: `app/${c.physicalName}/${c.digest.slice(0, 16)}`,
      dnsName: `internal-${c.physicalName}-1234567890.${c.region}.elb.amazonaws.com`,
      zoneId: "Z1EXAMPLE",
    }),
  },
  "aws:lb/targetGroup:TargetGroup": {
    autoNamed: "name",
    outputs: (c) => ({
      ...byArn("elasticloadbalancing", () => `targetgroup/${c.physicalName}/${c.digest.slice(0, 16)}`)(c),
      arnSuffix: `targetgroup/${c.physicalName}/${c.digest.slice(0, 16)}`,
    }),
  },
  "aws:msk/cluster:Cluster": { autoNamed: "clusterName", outputs: kafkaClusterOutputs },
  "aws:msk/configuration:Configuration": {
    autoNamed: "name",
    outputs: (c) => ({ ...byArn("kafka", () => `configuration/${c.physicalName}/${uuid(c)}-5`)(c), latestRevision: 1 }),
  },
  "aws:msk/singleScramSecretAssociation:SingleScramSecretAssociation": {
    outputs: (c) => ({ id: `${text(c.inputs.clusterArn)},${text(c.inputs.secretArn)}` }),
  },
  "aws:msk/topic:Topic": {
    outputs: (c) => {
      const topicArn = `${text(c.inputs.clusterArn).replace(":cluster/", ":topic/")}/${text(c.inputs.name)}`;
      return { id: topicArn, arn: topicArn };
    },
  },
  "aws:mskconnect/connector:Connector": {
    autoNamed: "name",
    outputs: (c) => ({
      ...byArn("kafkaconnect", () => `connector/${c.physicalName}/${uuid(c)}-2`)(c),
      version: "K3P5ROKL5A1OLE",
    }),
  },
  "aws:mskconnect/customPlugin:CustomPlugin": {
    autoNamed: "name",
    outputs: (c) => ({
      ...byArn("kafkaconnect", () => `custom-plugin/${c.physicalName}/${uuid(c)}-2`)(c),
      latestRevision: 1,
      state: "ACTIVE",
    }),
  },
  "aws:mskconnect/workerConfiguration:WorkerConfiguration": {
    autoNamed: "name",
    outputs: (c) => ({
      ...byArn("kafkaconnect", () => `worker-configuration/${c.physicalName}/${uuid(c)}-2`)(c),
      latestRevision: 1,
    }),
  },
  "aws:rds/cluster:Cluster": { autoNamed: "clusterIdentifier", outputs: databaseClusterOutputs },
  "aws:rds/clusterInstance:ClusterInstance": {
    autoNamed: "identifier",
    outputs: (c) => ({
      arn: arn(c, "rds", `db:${c.physicalName}`),
      dbiResourceId: `db-${c.digest.slice(0, 26).toUpperCase()}`,
      endpoint: `${c.physicalName}.${c.digest.slice(0, 12)}.${c.region}.rds.amazonaws.com`,
      port: 5432,
      writer: true,
    }),
  },
  "aws:rds/clusterParameterGroup:ClusterParameterGroup": {
    autoNamed: "name",
    outputs: (c) => ({ arn: arn(c, "rds", `cluster-pg:${c.physicalName}`) }),
  },
  "aws:rds/parameterGroup:ParameterGroup": {
    autoNamed: "name",
    outputs: (c) => ({ arn: arn(c, "rds", `pg:${c.physicalName}`) }),
  },
  "aws:rds/subnetGroup:SubnetGroup": {
    autoNamed: "name",
    outputs: (c) => ({ arn: arn(c, "rds", `subgrp:${c.physicalName}`) }),
  },
  "aws:s3/bucket:Bucket": {
    autoNamed: "bucket",
    outputs: (c) => ({
      arn: `arn:${c.partition}:s3:::${c.physicalName}`,
      bucketDomainName: `${c.physicalName}.s3.amazonaws.com`,
      bucketRegionalDomainName: `${c.physicalName}.s3.${c.region}.amazonaws.com`,
    }),
  },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": idOf("bucket"),
  "aws:s3/bucketObject:BucketObject": idOf("key"),
  "aws:s3/bucketObjectv2:BucketObjectv2": {
    outputs: (c) => ({ id: text(c.inputs.key), versionId: c.digest.slice(0, 32), etag: c.digest.slice(0, 32) }),
  },
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": idOf("bucket"),
  "aws:s3/bucketPolicy:BucketPolicy": idOf("bucket"),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": idOf("bucket"),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": idOf("bucket"),
  "aws:s3/bucketVersioning:BucketVersioning": idOf("bucket"),
  "aws:scheduler/schedule:Schedule": {
    autoNamed: "name",
    outputs: (c) => ({ arn: arn(c, "scheduler", `schedule/default/${c.physicalName}`) }),
  },
  "aws:secretsmanager/secret:Secret": {
    autoNamed: "name",
    outputs: (c) => byArn("secretsmanager", () => `secret:${c.physicalName}-AbCdEf`)(c),
  },
  "aws:secretsmanager/secretPolicy:SecretPolicy": idOf("secretArn"),
  "aws:secretsmanager/secretRotation:SecretRotation": idOf("secretId"),
  "aws:secretsmanager/secretVersion:SecretVersion": {
    outputs: (c) => ({ id: `${text(c.inputs.secretId)}|${uuid(c)}`, arn: text(c.inputs.secretId), versionId: uuid(c) }),
  },
  "aws:sns/topic:Topic": {
    autoNamed: "name",
    outputs: (c) => byArn("sns", () => c.physicalName)(c),
  },
  "aws:sns/topicPolicy:TopicPolicy": idOf("arn"),
  "aws:sns/topicSubscription:TopicSubscription": {
    outputs: (c) => ({ id: `${text(c.inputs.topic)}:${uuid(c)}`, arn: `${text(c.inputs.topic)}:${uuid(c)}` }),
  },
  "aws:sqs/queue:Queue": {
    autoNamed: "name",
    outputs: (c) => {
      const url = `https://sqs.${c.region}.amazonaws.com/${c.account}/${c.physicalName}`;
      return { id: url, url, arn: arn(c, "sqs", c.physicalName) };
    },
  },
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": { outputs: short("sgr") },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": { outputs: short("sgr") },
  "random:index/randomPassword:RandomPassword": {
    outputs: (c) => ({
      id: "none",
      result: secret(`Recorded${digest(c.digest).slice(0, Math.max(0, Number(c.inputs.length ?? 32) - 8))}`),
      bcryptHash: secret("$2a$10$recorded"),
    }),
  },
  "random:index/randomId:RandomId": { outputs: (c) => ({ id: c.digest.slice(0, 8), hex: c.digest.slice(0, 8) }) },
  "random:index/randomString:RandomString": {
    outputs: (c) => ({
      id: c.digest.slice(0, Number(c.inputs.length ?? 8)),
      result: c.digest.slice(0, Number(c.inputs.length ?? 8)),
    }),
  },
  "random:index/randomUuid:RandomUuid": { outputs: (c) => ({ id: uuid(c), result: uuid(c) }) },
};

/** `listener/app/<name>/<id>` of a load balancer's ARN. */
function balancerPath(loadBalancerArn: string, kind: string): string {
  return loadBalancerArn.replace(/^.*:loadbalancer\//, `${kind}/`);
}

/** A remote component: its children exist only in the plugin that a real deployment runs. */
function vpcOutputs(c: Creation): { readonly [key: string]: Value } {
  const zones = c.inputs.availabilityZoneNames;
  const count = Array.isArray(zones) ? zones.length : Number(c.inputs.numberOfAvailabilityZones ?? 3);
  const subnets = (kind: string) =>
    Array.from({ length: count }, (_, index) => `subnet-${digest(`${c.digest}${kind}${index}`).slice(0, 17)}`);
  return {
    vpcId: `vpc-${c.digest.slice(0, 17)}`,
    privateSubnetIds: subnets("private"),
    publicSubnetIds: subnets("public"),
    isolatedSubnetIds: [],
    // References, as the plugin returns them: the program looks each up by its URN.
    routeTables: Array.from({ length: count }, (_, index) => {
      const urn = `${c.urn.replace(/::[^:]*$/, "")}$aws:ec2/routeTable:RouteTable::${c.name}-private-${index + 1}`;
      return { $resource: urn, id: remoteId(urn) };
    }),
    natGateways: [],
    eips: [],
  };
}
