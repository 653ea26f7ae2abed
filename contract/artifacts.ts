/** Where the builds of what is deployed lie, as paths from the root of the repository, where Pulumi.yaml is. */
export const artifacts = {
  /** Of `npm run build`; its libraries stand beside it, in `lib`. */
  transformer: "transformer/target/transformer.jar",
  /** Of `npm run build:plugin`: the sink plugin for MSK Connect. */
  sinkPlugin: "connect/target/audit-sink-plugin.zip",
  /** Of `npm run build:operator`: the folder of the operator's Lambda function. */
  operatorBundle: "operator/dist",
  /** Of `npm run build:review`: the server of the reviewer's page, beside the page in `page`. */
  reviewServer: "review/dist/server.js",
} as const;
