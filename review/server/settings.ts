import { randomBytes } from "node:crypto";
import { z } from "zod";
import { databaseRoles } from "../../contract/database-roles";
import type { ReviewGroupRights } from "../../contract/review-environment";

/** How the server tells who reads. */
export type SignIn =
  /** On a person's own machine: a token in the link that the command prints. */
  | { readonly kind: "link"; readonly token: string; readonly reader: string }
  /** Behind a load balancer that signs in; its signed header is verified. */
  | {
      readonly kind: "load balancer";
      readonly loadBalancerArn: string;
      readonly issuer: string;
      readonly clientId: string;
      /** The claim that lists a reader's groups. */
      readonly groupsClaim: string;
      /** With Cognito the groups stand in the access token alone, which is verified against this pool. */
      readonly cognitoUserPoolId?: string;
      /** The claim that names a reader in `audit.reads`. */
      readonly readerClaim: string;
      readonly groups: Readonly<Record<string, ReviewGroupRights>>;
    };

export interface DatabaseSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  /** `verify`: TLS with RDS's certificate authorities or the system's; `off`: only on loopback. */
  readonly tls: "verify" | "off";
}

export interface ReviewSettings {
  readonly database: DatabaseSettings;
  readonly host: string;
  readonly port: number;
  readonly signIn: SignIn;
  /** The origin that browsers see, such as `https://audit.example.com`: a POST from another is refused. */
  readonly publicOrigin?: string;
  /** Columns as `schema.table.column` that readers see only by a reveal. */
  readonly maskedColumns: readonly string[];
  /** Milliseconds after which a question is cancelled. */
  readonly statementTimeout: number;
  readonly exportTimeout: number;
  /** The span that is looked at when nobody says another, in seconds. */
  readonly defaultWindow: number;
  /** The folder with the built page. */
  readonly pageFolder: string;
}

export const defaults = {
  port: 8080,
  statementTimeout: 10_000,
  exportTimeout: 900_000,
  defaultWindow: 86_400,
  databaseUser: databaseRoles.review,
} as const;

/** What differs between the servers that people run for themselves. */
export interface OwnServer extends Pick<ReviewSettings, "database" | "port" | "pageFolder"> {
  /** The name under which its looks are noted. */
  readonly reader: string;
  /** What its link carries. Default: one that nobody guesses. */
  readonly token?: string;
  /** Default: none. */
  readonly maskedColumns?: readonly string[];
}

/** The settings of a server for one person and this machine alone. */
export function ownServer({ reader, token, maskedColumns = [], ...others }: OwnServer): ReviewSettings {
  return {
    ...others,
    host: "127.0.0.1",
    signIn: { kind: "link", token: token ?? randomBytes(24).toString("base64url"), reader },
    maskedColumns,
    statementTimeout: defaults.statementTimeout,
    exportTimeout: defaults.exportTimeout,
    defaultWindow: defaults.defaultWindow,
  };
}

const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: "custom", message: "is not JSON" });
        return z.NEVER;
      }
    })
    .pipe(schema);

const rights = z.strictObject({
  tables: z.array(z.string().regex(/^(\*|[^.]+\.(\*|.+))$/, "takes schema.table, schema.* or *")).min(1),
  unmasked: z.boolean().optional(),
  reveal: z.boolean().optional(),
});

/**
 * The variables of the container. The component `ReviewService` sets them; the command on a person's machine sets none.
 */
const environmentSchema = z.object({
  REVIEW_DATABASE_HOST: z.string().min(1),
  REVIEW_DATABASE_PORT: z.coerce.number().int().min(1).max(65_535).default(5432),
  REVIEW_DATABASE_NAME: z.string().min(1),
  REVIEW_DATABASE_USER: z.string().min(1).default(defaults.databaseUser),
  /** From a secret, which ECS puts here. */
  REVIEW_DATABASE_PASSWORD: z.string().min(1),
  AWS_REGION: z.string().min(1),
  REVIEW_HOST: z.string().min(1).default("0.0.0.0"),
  REVIEW_PORT: z.coerce.number().int().min(1).max(65_535).default(defaults.port),
  REVIEW_PUBLIC_ORIGIN: z.url().optional(),
  /** The load balancer whose signature on `x-amzn-oidc-data` is accepted. */
  REVIEW_LOAD_BALANCER_ARN: z.string().regex(/^arn:[^:]+:elasticloadbalancing:/, "takes the ARN of a load balancer"),
  REVIEW_OIDC_ISSUER: z.url(),
  REVIEW_OIDC_CLIENT_ID: z.string().min(1),
  REVIEW_GROUPS_CLAIM: z.string().min(1).default("groups"),
  REVIEW_READER_CLAIM: z.string().min(1).default("email"),
  /** With Cognito. Groups are then read from the access token's `cognito:groups`. */
  REVIEW_COGNITO_USER_POOL_ID: z.string().min(1).optional(),
  /** JSON: `{"auditors": {"tables": ["*"], "reveal": true}, "support": {"tables": ["shop.*"]}}` */
  REVIEW_GROUPS: json(z.record(z.string(), rights)),
  /** JSON: `["shop.customers.email"]` */
  REVIEW_MASKED_COLUMNS: json(z.array(z.string().regex(/^[^.]+\.[^.]+\..+$/, "takes schema.table.column"))).default([]),
  REVIEW_STATEMENT_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(defaults.statementTimeout),
  REVIEW_EXPORT_TIMEOUT_MS: z.coerce.number().int().min(1_000).default(defaults.exportTimeout),
  REVIEW_DEFAULT_WINDOW_SECONDS: z.coerce.number().int().min(60).default(defaults.defaultWindow),
  REVIEW_PAGE_FOLDER: z.string().min(1).default("page"),
});

export type ReviewEnvironment = keyof z.infer<typeof environmentSchema>;

/** @throws Error that names each variable that is missing or wrong. */
export function settingsFromEnvironment(environment: NodeJS.ProcessEnv): ReviewSettings {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n"));
  }
  const is = parsed.data;
  return {
    database: {
      host: is.REVIEW_DATABASE_HOST,
      port: is.REVIEW_DATABASE_PORT,
      database: is.REVIEW_DATABASE_NAME,
      user: is.REVIEW_DATABASE_USER,
      password: is.REVIEW_DATABASE_PASSWORD,
      tls: "verify",
    },
    host: is.REVIEW_HOST,
    port: is.REVIEW_PORT,
    signIn: {
      kind: "load balancer",
      loadBalancerArn: is.REVIEW_LOAD_BALANCER_ARN,
      issuer: is.REVIEW_OIDC_ISSUER,
      clientId: is.REVIEW_OIDC_CLIENT_ID,
      groupsClaim: is.REVIEW_GROUPS_CLAIM,
      ...(is.REVIEW_COGNITO_USER_POOL_ID ? { cognitoUserPoolId: is.REVIEW_COGNITO_USER_POOL_ID } : {}),
      readerClaim: is.REVIEW_READER_CLAIM,
      groups: is.REVIEW_GROUPS,
    },
    ...(is.REVIEW_PUBLIC_ORIGIN ? { publicOrigin: new URL(is.REVIEW_PUBLIC_ORIGIN).origin } : {}),
    maskedColumns: is.REVIEW_MASKED_COLUMNS,
    statementTimeout: is.REVIEW_STATEMENT_TIMEOUT_MS,
    exportTimeout: is.REVIEW_EXPORT_TIMEOUT_MS,
    defaultWindow: is.REVIEW_DEFAULT_WINDOW_SECONDS,
    pageFolder: is.REVIEW_PAGE_FOLDER,
  };
}
