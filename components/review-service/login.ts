import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { cognitoIssuer, userPoolId } from "./names";
import type { ReviewServiceArgs } from "./types";

type Action = aws.types.input.lb.ListenerDefaultAction;

/** What the page is told of its login, to verify what the load balancer says of a reader. */
export interface LoginFacts {
  readonly issuer: string;
  readonly clientId: string;
  readonly groupsClaim: string;
  readonly cognitoUserPoolId?: string;
}

/** The arguments with the client's secret marked as one. Pulumi keeps arguments in its state. */
export function withSecretClient<Args extends Pick<ReviewServiceArgs, "oidc">>(args: Args): Args {
  if (args.oidc === undefined) return args;
  if (pulumi.Output.isInstance(args.oidc)) return { ...args, oidc: pulumi.secret(args.oidc) };
  return { ...args, oidc: { ...args.oidc, clientSecret: pulumi.secret(args.oidc.clientSecret) } };
}

/**
 * The first action of the listener: a browser without a session is sent to the login, whatever it asked for. Only the
 * action after it reaches the page.
 */
export function loginAction({ oidc, cognito, sessionHours }: ReviewServiceArgs): Action {
  // Elastic Load Balancing's own default is a week.
  const session = { onUnauthenticatedRequest: "authenticate", sessionTimeout: (sessionHours ?? 8) * 3600 };
  if (cognito !== undefined) {
    return {
      type: "authenticate-cognito",
      order: 1,
      authenticateCognito: {
        userPoolArn: cognito.userPoolArn,
        userPoolClientId: cognito.userPoolClientId,
        userPoolDomain: cognito.userPoolDomain,
        scope: "openid email",
        ...session,
      },
    };
  }
  const { issuer, authorizationEndpoint, tokenEndpoint, userInfoEndpoint, clientId, clientSecret, scope } = oidc!;
  return {
    type: "authenticate-oidc",
    order: 1,
    authenticateOidc: {
      issuer,
      authorizationEndpoint,
      tokenEndpoint,
      userInfoEndpoint,
      clientId,
      clientSecret,
      scope: scope ?? "openid email",
      ...session,
    },
  };
}

/** Cognito tells groups in the access token alone, under a claim of its own. */
export function loginFacts({ oidc, cognito }: ReviewServiceArgs): pulumi.Output<LoginFacts> {
  if (cognito !== undefined) {
    return pulumi.output(cognito).apply(({ userPoolArn, userPoolClientId }) => ({
      issuer: cognitoIssuer(userPoolArn),
      clientId: userPoolClientId,
      groupsClaim: "cognito:groups",
      cognitoUserPoolId: userPoolId(userPoolArn),
    }));
  }
  return pulumi
    .all([oidc!.issuer, oidc!.clientId])
    .apply(([issuer, clientId]) => ({ issuer, clientId, groupsClaim: oidc!.groupsClaim ?? "groups" }));
}
