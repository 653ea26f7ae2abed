import { arnParts } from "../shared/policies";

/** Path of the page's Dockerfile in its build context. */
export const dockerfile = "review/Dockerfile";

/** Port on which a task answers its load balancer. */
export const taskPort = 8080;

/** Port on which the load balancer answers browsers. */
export const httpsPort = 443;

/** Name of the one container of a task, by which the load balancer finds it. */
export const containerName = "review";

/** Identifier of a Cognito user pool: the last part of its ARN. */
export function userPoolId(userPoolArn: string): string {
  return userPoolArn.split("/").at(-1) ?? "";
}

/** Issuer of a Cognito user pool's tokens, and of what a load balancer says of its users. */
export function cognitoIssuer(userPoolArn: string): string {
  const { partition, region } = arnParts(userPoolArn);
  const domain = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
  return `https://cognito-idp.${region}.${domain}/${userPoolId(userPoolArn)}`;
}
