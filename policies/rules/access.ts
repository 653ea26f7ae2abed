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

const logins = ["authenticate-oidc", "authenticate-cognito"];

/** Audit logs are read behind a login, from named networks. */
export const loginBeforeThePage: ResourceValidationPolicy = {
  name: "login-before-the-page",
  description: "Application load balancers are internal, speak HTTPS alone, and forward only what has passed a login.",
  enforcementLevel: "mandatory",
  severity: "critical",
  remediationSteps: "Set internal to true, and put an authenticate-oidc or authenticate-cognito action before forward.",
  validateResource: [
    inspect(aws.lb.LoadBalancer, (balancer) =>
      problems(
        [
          balancer.internal !== true,
          "Answers the internet. Set internal to true, and reach it through a VPN or a port forward.",
        ],
        [
          balancer.dropInvalidHeaderFields !== true && (balancer.loadBalancerType ?? "application") === "application",
          "Passes on malformed headers. Set dropInvalidHeaderFields to true.",
        ],
      ),
    ),
    inspect(aws.lb.Listener, (listener) =>
      problems(
        [
          listener.protocol === "HTTP" && !listener.defaultActions.every(({ type }) => type === "redirect"),
          "Answers without TLS. Set protocol to HTTPS.",
        ],
        [
          forwardsWithoutLogin(listener.defaultActions),
          "Forwards without a login. Put an authenticate-oidc or authenticate-cognito action before forward.",
        ],
      ),
    ),
    inspect(aws.lb.ListenerRule, (rule) =>
      problems([
        forwardsWithoutLogin(rule.actions),
        "Forwards without a login, past the listener's own. Put the same action before forward.",
      ]),
    ),
  ],
};

interface ListenerAction {
  readonly type: string;
  readonly order?: number;
  readonly authenticateOidc?: { readonly onUnauthenticatedRequest?: string };
  readonly authenticateCognito?: { readonly onUnauthenticatedRequest?: string };
}

/** True for a forward that no login precedes, or one that lets everybody pass. */
function forwardsWithoutLogin(actions: readonly ListenerAction[]): boolean {
  const inOrder = actions
    .map((action, index) => ({ ...action, order: action.order ?? index + 1 }))
    .sort((one, other) => one.order - other.order);
  const login = inOrder.findIndex(
    ({ type, authenticateOidc, authenticateCognito }) =>
      logins.includes(type) && (authenticateOidc ?? authenticateCognito)?.onUnauthenticatedRequest !== "allow",
  );
  return inOrder.some(({ type }, index) => type === "forward" && (login < 0 || index < login));
}

function isEverywhere(cidr: string | undefined): boolean {
  return cidr !== undefined && everywhere.includes(cidr);
}

function isHttps(protocol: string | undefined, fromPort: number | undefined, toPort: number | undefined): boolean {
  return protocol === "tcp" && fromPort === 443 && toPort === 443;
}
