import { arn, type Creation, uuid } from "./creation";
import type { Value } from "./values";

/** An MSK cluster, with a bootstrap address for each port that clients may use. */
export function kafkaClusterOutputs(c: Creation): { readonly [key: string]: Value } {
  const mskUuid = `${uuid(c)}-5`;
  const brokers = Number(c.inputs.numberOfBrokerNodes ?? 3);
  const bootstrap = (port: number, prefix = "b") =>
    Array.from(
      { length: brokers },
      (_, index) =>
        `${prefix}-${index + 1}.recorded.${c.digest.slice(0, 6)}.c3.kafka.${c.region}.amazonaws.com:${port}`,
    ).join(",");
  const clusterArn = arn(c, "kafka", `cluster/${c.physicalName}/${mskUuid}`);
  return {
    id: clusterArn,
    arn: clusterArn,
    clusterUuid: mskUuid,
    currentVersion: "K3P5ROKL5A1OLE",
    bootstrapBrokersTls: bootstrap(9094),
    bootstrapBrokersSaslScram: bootstrap(9096),
    bootstrapBrokersSaslIam: bootstrap(9098),
    bootstrapBrokersPublicTls: bootstrap(9194, "b-public"),
    bootstrapBrokersPublicSaslScram: bootstrap(9196, "b-public"),
    bootstrapBrokersPublicSaslIam: bootstrap(9198, "b-public"),
  };
}

/** An Aurora cluster, with its endpoints. */
export function databaseClusterOutputs(c: Creation): { readonly [key: string]: Value } {
  return {
    id: c.physicalName,
    arn: arn(c, "rds", `cluster:${c.physicalName}`),
    clusterResourceId: `cluster-${c.digest.slice(0, 26).toUpperCase()}`,
    endpoint: `${c.physicalName}.cluster-${c.digest.slice(0, 12)}.${c.region}.rds.amazonaws.com`,
    readerEndpoint: `${c.physicalName}.cluster-ro-${c.digest.slice(0, 12)}.${c.region}.rds.amazonaws.com`,
    hostedZoneId: "Z1RLNUO7B9Q6NB",
    port: c.inputs.port ?? 5432,
    databaseName: c.inputs.databaseName ?? "",
    engineVersionActual: c.inputs.engineVersion ?? "",
    clusterMembers: [],
    availabilityZones: ["a", "b", "c"].map((zone) => c.region + zone),
    masterUserSecrets: c.inputs.manageMasterUserPassword
      ? [
          {
            kmsKeyId: c.inputs.masterUserSecretKmsKeyId ?? arn(c, "kms", `key/${uuid(c)}`),
            secretArn: arn(c, "secretsmanager", `secret:rds!cluster-${uuid(c)}-AbCdEf`),
            secretStatus: "active",
          },
        ]
      : [],
  };
}
