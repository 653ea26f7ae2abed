/** What a group of the login may see in the reviewer's page. */
export interface ReviewGroupRights {
  /** Tables as `schema.table` or `schema.*`; `["*"]` for all. */
  readonly tables: readonly string[];
  /** Whether masked columns are shown to it. Default no. */
  readonly unmasked?: boolean;
  /** Whether it may reveal a masked value by giving a reason, which is recorded. Default no. */
  readonly reveal?: boolean;
}

/** What the reviewer's page must be told when it runs behind a load balancer. Its password comes from a secret. */
export interface ReviewServiceSettings {
  readonly database: { readonly host: string; readonly port: number; readonly name: string; readonly user: string };
  /** Region of the load balancer, whose signing keys are published there. */
  readonly region: string;
  /** Port on which the load balancer reaches the page. */
  readonly port: number;
  /** What browsers see, such as `https://audit.example.com`. */
  readonly publicOrigin: string;
  /** The one load balancer whose signature is believed. */
  readonly loadBalancerArn: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Claim of the login that names the reader in `audit.reads`. */
  readonly readerClaim: string;
  /** Claim of the login that lists the reader's groups. */
  readonly groupsClaim: string;
  /** With Cognito the groups stand in the access token alone, which is verified against this pool. */
  readonly cognitoUserPoolId?: string;
  readonly groups: Readonly<Record<string, ReviewGroupRights>>;
  /** Columns as `schema.table.column` that are hidden unless a group may see or reveal them. */
  readonly maskedColumns: readonly string[];
}

/** The page's environment variables on AWS; `review/server/settings.ts` reads them. */
export function reviewEnvironment(settings: ReviewServiceSettings): Record<string, string> {
  const { database, cognitoUserPoolId } = settings;
  return {
    AWS_REGION: settings.region,
    REVIEW_DATABASE_HOST: database.host,
    REVIEW_DATABASE_PORT: String(database.port),
    REVIEW_DATABASE_NAME: database.name,
    REVIEW_DATABASE_USER: database.user,
    REVIEW_DATABASE_AUTHENTICATION: "password",
    REVIEW_PORT: String(settings.port),
    REVIEW_PUBLIC_ORIGIN: settings.publicOrigin,
    REVIEW_LOAD_BALANCER_ARN: settings.loadBalancerArn,
    REVIEW_OIDC_ISSUER: settings.issuer,
    REVIEW_OIDC_CLIENT_ID: settings.clientId,
    REVIEW_READER_CLAIM: settings.readerClaim,
    REVIEW_GROUPS_CLAIM: settings.groupsClaim,
    ...(cognitoUserPoolId === undefined ? {} : { REVIEW_COGNITO_USER_POOL_ID: cognitoUserPoolId }),
    REVIEW_GROUPS: JSON.stringify(settings.groups),
    REVIEW_MASKED_COLUMNS: JSON.stringify(settings.maskedColumns),
  };
}

/** The variable that ECS fills from the login's secret when a task starts. */
export const reviewPasswordVariable = "REVIEW_DATABASE_PASSWORD";

/** Path of the page that answers without a login: 200 while the process serves, whatever the database does. */
export const reviewLivenessPath = "/alive";
