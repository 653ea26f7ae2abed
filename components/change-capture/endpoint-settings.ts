import { createHash } from "node:crypto";
import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { captureSchema, extraConnectionAttributes, kafkaEndpointFormat } from "../../contract/change-capture";
import { defaultMessageMaxBytes } from "../../contract/topics";
import type { ChangeCaptureArgs } from "./types";

/** How DMS reads PostgreSQL. Every boolean is set, because the provider sends omitted ones as false. */
export function sourceSettings(args: ChangeCaptureArgs) {
  return {
    // pglogical ignores REPLICA IDENTITY FULL, so every old value would be lost.
    pluginName: "test-decoding",
    // Schema changes travel as signals; DMS's own way needs a superuser and writes into the schema public.
    captureDdls: false,
    failTasksOnLobTruncation: true,
    heartbeatEnable: true,
    heartbeatFrequency: args.heartbeatMinutes ?? 5,
    heartbeatSchema: captureSchema.heartbeatSchema,
    slotName: args.slotName,
  } satisfies aws.types.input.dms.EndpointPostgresSettings;
}

/** What the endpoint has no property for. */
export function sourceAttributes(args: ChangeCaptureArgs): pulumi.Input<string> | undefined {
  const { unboundedVarcharMaxBytes, secretsManagerEndpoint } = args;
  if (secretsManagerEndpoint === undefined) return extraConnectionAttributes({ unboundedVarcharMaxBytes });
  return pulumi
    .output(secretsManagerEndpoint)
    .apply((name) => extraConnectionAttributes({ unboundedVarcharMaxBytes, secretsManagerEndpoint: name }) ?? "");
}

/** How DMS writes to Kafka: the record format of the contract, over TLS with SCRAM. */
export function targetSettings(args: ChangeCaptureArgs) {
  return {
    ...kafkaEndpointFormat,
    broker: args.kafka.bootstrapBrokersScram,
    topic: args.rawTopic,
    messageMaxBytes: args.messageMaxBytes ?? defaultMessageMaxBytes,
    securityProtocol: "sasl-ssl",
    saslMechanism: "scram-sha-512",
    saslUsername: args.kafka.scramUsername,
    saslPassword: args.kafka.scramPassword,
  } satisfies aws.types.input.dms.EndpointKafkaSettings;
}

/** Changes with the connections' settings, so that changed ones are tested. The password is left out. */
export function connectionDigest(args: ChangeCaptureArgs): pulumi.Output<string> {
  const target = withoutPassword(targetSettings(args));
  const { endpoint, databaseName, secretArn } = args.source;
  const attributes = sourceAttributes(args);
  const certificate = args.certificatePem;
  const source = { ...sourceSettings(args), attributes, endpoint, databaseName, secretArn, certificate };
  return pulumi
    .jsonStringify({ source, target })
    .apply((settings) => createHash("sha256").update(settings).digest("hex").slice(0, 12));
}

function withoutPassword({ saslPassword: _password, ...settings }: ReturnType<typeof targetSettings>) {
  return settings;
}
