import type * as pulumi from "@pulumi/pulumi";
import type { CpuArchitecture } from "../shared/cpu-architecture";

/** The database that holds the audit log, and the page's login in it. */
export interface ReviewDatabaseArgs {
  /** Host name of the cluster's writer: the page records who reads, so a reader's host does not do. */
  endpoint: pulumi.Input<string>;
  /** Default 5432. */
  port?: pulumi.Input<number>;
  /** Database that holds the schema `audit`. */
  databaseName: pulumi.Input<string>;
  /** Security group of the database; a rule that admits the page is added to it. */
  securityGroupId: pulumi.Input<string>;
  /**
   * Secret `{"username","password"}` of the role `audit_review`. A task reads it when it starts: after a rotation, deploy
   * the service again.
   */
  secretArn: pulumi.Input<string>;
  /** Customer-managed key of that secret. Default: it is under AWS's own key. */
  keyArn?: pulumi.Input<string>;
}

/** An identity provider that speaks OpenID Connect. */
export interface ReviewOidcArgs {
  /** Issuer, such as `https://login.example.com`, exactly as the provider's tokens name it. */
  issuer: pulumi.Input<string>;
  /** Where browsers are sent to log in. */
  authorizationEndpoint: pulumi.Input<string>;
  /** Where the load balancer fetches tokens. Its name must resolve in public DNS and answer over IPv4. */
  tokenEndpoint: pulumi.Input<string>;
  /** Where the load balancer asks who logged in, reached like `tokenEndpoint`. Its answer must hold the groups. */
  userInfoEndpoint: pulumi.Input<string>;
  /** Client id of the page at the provider, with `https://<hostName>/oauth2/idpresponse` as its redirect. */
  clientId: pulumi.Input<string>;
  /** Secret of that client. Kept as a secret; Elastic Load Balancing holds it. */
  clientSecret: pulumi.Input<string>;
  /** What is asked of the provider, separated by spaces. Default `openid email`; some list groups only for `groups`. */
  scope?: string;
  /** Claim of the provider's user info that lists groups. Default `groups`. */
  groupsClaim?: string;
}

/** A user pool of Amazon Cognito; groups are those of the pool. */
export interface ReviewCognitoArgs {
  /** ARN of the user pool. */
  userPoolArn: pulumi.Input<string>;
  /** Client of the page in the pool: one with a secret and the callback `https://<hostName>/oauth2/idpresponse`. */
  userPoolClientId: pulumi.Input<string>;
  /** Prefix of the pool's domain, or its whole custom domain. */
  userPoolDomain: pulumi.Input<string>;
}

/** What the members of one group may see. Who is in none of the named groups sees nothing. */
export interface ReviewGroupArgs {
  /** Name of the group, as the login tells it. */
  name: string;
  /** Tables as `schema.table` or `schema.*`; `*` for all. */
  tables: string[];
  /** Whether masked columns are shown to it. Default false. */
  unmasked?: boolean;
  /** Whether it may reveal a masked value by giving a reason, which is recorded. Default false. */
  reveal?: boolean;
}

export interface ReviewServiceArgs {
  /** VPC of the subnets. */
  vpcId: pulumi.Input<string>;
  /** Private subnets of at least two zones that reach AWS's services and the identity provider through NAT. */
  subnetIds: pulumi.Input<pulumi.Input<string>[]>;
  /** ECS cluster to run in; a `TransformerService` has one. */
  clusterArn: pulumi.Input<string>;
  /** The database that holds the audit log. */
  database: ReviewDatabaseArgs;
  /** Name under which browsers open the page, such as `audit.example.com`. Point it at `loadBalancerDnsName`. */
  hostName: string;
  /** ACM certificate for `hostName`, in the region of the subnets. */
  certificateArn: pulumi.Input<string>;
  /** Networks that may open the page, such as those of your VPN: `10.8.0.0/16`. None may be the whole internet. */
  clientCidrs: string[];
  /** Login at an OpenID Connect provider. Either this or `cognito` is required. */
  oidc?: ReviewOidcArgs;
  /** Login at an Amazon Cognito user pool. */
  cognito?: ReviewCognitoArgs;
  /** Which groups may see which tables, at least one. */
  groups: ReviewGroupArgs[];
  /** Columns as `schema.table.column` that are hidden unless a group may see or reveal them. Default: none. */
  maskedColumns?: string[];
  /** Claim that names a reader in `audit.reads`. Default `email`. */
  readerClaim?: string;
  /** Hours after which a reader logs in again, 1 to 24. Default 8. */
  sessionHours?: number;
  /** The image by digest, such as `123456789012.dkr.ecr.eu-central-1.amazonaws.com/review@sha256:…`. */
  imageUri?: pulumi.Input<string>;
  /** Instead of `imageUri`: the folder that holds `review/Dockerfile`, to build and push the image while deploying. */
  imageBuildContext?: string;
  /** Default `ARM64`. */
  architecture?: CpuArchitecture;
  /** CPU units of a task, 1024 for one vCPU. Default 256. */
  cpu?: number;
  /** Memory of a task in MiB, as Fargate offers it for `cpu`. Default 512. */
  memoryMiB?: number;
  /** Tasks that run, 1 to 10. Default 1. */
  tasks?: number;
  /** Whether an image repository with images in it survives. Default true. */
  retainData?: boolean;
  /** Days that logs are kept in CloudWatch. Default 30. */
  logRetentionDays?: pulumi.Input<number>;
  /** A customer-managed key of your own; its policy must let CloudWatch Logs use it. Default: a new one. */
  kmsKeyArn?: pulumi.Input<string>;
}
