import type { Registration } from "../../../recorder/engine";
import { type Graph, jsonInput } from "../../../recorder/graph";

/** A property that every recorded stack must have. */
export interface Invariant {
  /** What goes wrong in AWS without it, as a sentence that a test report shows. */
  readonly protects: string;
  /** One line for each resource that breaks it. */
  readonly violations: (graph: Graph) => string[];
}

export const types = {
  connector: "aws:mskconnect/connector:Connector",
  cluster: "aws:msk/cluster:Cluster",
  database: "aws:rds/cluster:Cluster",
  databaseInstance: "aws:rds/clusterInstance:ClusterInstance",
  endpoint: "aws:dms/endpoint:Endpoint",
  function: "aws:lambda/function:Function",
  invocation: "aws:lambda/invocation:Invocation",
  schedule: "aws:scheduler/schedule:Schedule",
  egress: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  ingress: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  logGroup: "aws:cloudwatch/logGroup:LogGroup",
  replicationInstance: "aws:dms/replicationInstance:ReplicationInstance",
  replicationTask: "aws:dms/replicationTask:ReplicationTask",
  role: "aws:iam/role:Role",
  rolePolicy: "aws:iam/rolePolicy:RolePolicy",
  scramAssociation: "aws:msk/singleScramSecretAssociation:SingleScramSecretAssociation",
  secret: "aws:secretsmanager/secret:Secret",
  secretVersion: "aws:secretsmanager/secretVersion:SecretVersion",
  securityGroup: "aws:ec2/securityGroup:SecurityGroup",
  taskDefinition: "aws:ecs/taskDefinition:TaskDefinition",
  topic: "aws:msk/topic:Topic",
  service: "aws:ecs/service:Service",
} as const;

/** Types whose loss is a loss of data, of the means to read it, or of the place in the stream. */
export const statefulTypes: readonly string[] = [
  types.database,
  types.cluster,
  types.topic,
  types.replicationTask,
  "aws:kms/key:Key",
];

/** Environment variables of a task definition's containers. */
export function environmentOf(definition: Registration): Record<string, string> {
  const containers = jsonInput(definition, "containerDefinitions") as {
    environment?: { name: string; value: string }[];
  }[];
  return Object.fromEntries(
    containers.flatMap(({ environment = [] }) => environment.map(({ name, value }): [string, string] => [name, value])),
  );
}

export function awsResources(graph: Graph): Registration[] {
  return graph.resources.filter(({ type, custom }) => custom && type.startsWith("aws:"));
}
