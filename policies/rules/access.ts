import * as aws from "@pulumi/aws";
import type { ResourceValidationPolicy } from "@pulumi/policy";
import { inspect, problems } from "./support";

const everywhere = ["0.0.0.0/0", "::/0"];

/** Nothing is open to the whole internet, and only HTTPS may go out to it. */
export const nothingOpenToTheWorld: ResourceValidationPolicy = {
  name: "nothing-open-to-the-world",
  description: "No security group admits the whole internet, and only HTTPS leaves for it.",
  enforcementLevel: "mandatory",
  severity: "critical",
  remediationSteps: "Name the security group or network that needs to connect.",
  validateResource: [
    inspect(aws.vpc.SecurityGroupIngressRule, (rule) =>
      problems([
        [rule.cidrIpv4, rule.cidrIpv6].some(isEverywhere),
        "Admits the whole internet. Name a security group or a network instead.",
      ]),
    ),
    inspect(aws.vpc.SecurityGroupEgressRule, (rule) =>
      problems([
        [rule.cidrIpv4, rule.cidrIpv6].some(isEverywhere) && !isHttps(rule.ipProtocol, rule.fromPort, rule.toPort),
        "Lets more than HTTPS out to the whole internet. Name the destination, or port 443.",
      ]),
    ),
    inspect(aws.ec2.SecurityGroupRule, (rule) =>
      problems([
        [...(rule.cidrBlocks ?? []), ...(rule.ipv6CidrBlocks ?? [])].some(isEverywhere) &&
          (rule.type === "ingress" || !isHttps(rule.protocol, rule.fromPort, rule.toPort)),
        "Is open to the whole internet. Name a security group or a network instead.",
      ]),
    ),
    inspect(aws.ec2.SecurityGroup, (group) =>
      problems(
        [
          (group.ingress ?? []).some((rule) =>
            [...(rule.cidrBlocks ?? []), ...(rule.ipv6CidrBlocks ?? [])].some(isEverywhere),
          ),
          "Admits the whole internet. Name a security group or a network instead.",
        ],
        [
          (group.egress ?? []).some(
            (rule) =>
              [...(rule.cidrBlocks ?? []), ...(rule.ipv6CidrBlocks ?? [])].some(isEverywhere) &&
              !isHttps(rule.protocol, rule.fromPort, rule.toPort),
          ),
          "Lets more than HTTPS out to the whole internet. Name the destination, or port 443.",
        ],
      ),
    ),
  ],
};

/** Databases, replication instances and tasks have no public address, buckets no public object. */
export const nothingPublic: ResourceValidationPolicy = {
  name: "nothing-public",
  description: "No database, replication instance, task or function can be reached from the internet.",
  enforcementLevel: "mandatory",
  severity: "critical",
  remediationSteps: "Turn the public address off and connect through the VPC.",
  validateResource: [
    inspect(aws.rds.ClusterInstance, (instance) =>
      problems([instance.publiclyAccessible === true, "Has a public address. Set publiclyAccessible to false."]),
    ),
    // Required explicitly: the provider sends false when it is omitted, but AWS's own default is true.
    inspect(aws.dms.ReplicationInstance, (instance) =>
      problems([instance.publiclyAccessible !== false, "May get a public address. Set publiclyAccessible to false."]),
    ),
    inspect(aws.ecs.Service, (service) =>
      problems([
        service.networkConfiguration?.assignPublicIp === true,
        "Gives its tasks public addresses. Set assignPublicIp to false and use private subnets.",
      ]),
    ),
    inspect(aws.lambda.FunctionUrl, (url) =>
      problems([url.authorizationType === "NONE", "Answers anybody. Set authorizationType to AWS_IAM."]),
    ),
    inspect(aws.s3.BucketPublicAccessBlock, (block) =>
      problems([
        !(block.blockPublicAcls && block.blockPublicPolicy && block.ignorePublicAcls && block.restrictPublicBuckets),
        "Leaves a way to make objects public. Set all four switches to true.",
      ]),
    ),
  ],
};

function isEverywhere(cidr: string | undefined): boolean {
  return cidr !== undefined && everywhere.includes(cidr);
}

function isHttps(protocol: string | undefined, fromPort: number | undefined, toPort: number | undefined): boolean {
  return protocol === "tcp" && fromPort === 443 && toPort === 443;
}
