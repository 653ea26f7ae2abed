import { artifacts } from "../contract/artifacts";
import type {
  CaptureSettings,
  DatabaseSettings,
  Environment,
  KafkaSettings,
  NetworkSettings,
  OperatorSettings,
  SinkSettings,
  TopicSettings,
  TransformerSettings,
} from "./schema";

/** Defaults of a section of settings. A member that the stack writes replaces its whole default. */
export interface SectionDefaults {
  readonly network: NetworkSettings;
  readonly database: DatabaseSettings;
  readonly kafka: KafkaSettings & { readonly brokers: number };
  readonly topics: TopicSettings;
  readonly capture: CaptureSettings;
  readonly transformer: TransformerSettings;
  readonly sink: SinkSettings & { readonly pluginPath: string };
  readonly operator: OperatorSettings;
}

const { sinkPlugin: pluginPath, operatorBundle: bundlePath } = artifacts;

/** `dev` is the smallest that works and can be thrown away; `prod` survives the loss of a zone. */
export const environmentDefaults: Readonly<Record<Environment, SectionDefaults>> = {
  dev: {
    network: { natGateways: "single" },
    database: {
      serverless: { minimumCapacity: 0.5, maximumCapacity: 2 },
      backupRetentionDays: 1,
      applyImmediately: true,
    },
    kafka: { brokers: 2, instanceType: "kafka.t3.small", volumeSizeGiB: 20, monitoringLevel: "PER_BROKER" },
    topics: { retentionDays: 3 },
    capture: { instanceClass: "dms.t3.small", allocatedStorageGiB: 20, multiAz: false },
    // Its heap is then a little larger than the one that all measurements of docs/performance.md were made with.
    transformer: { cpu: 512, memoryMiB: 1024 },
    sink: { pluginPath, tasks: 1, workers: 1 },
    operator: { bundlePath },
  },
  prod: {
    network: { natGateways: "per-zone" },
    database: {
      serverless: { minimumCapacity: 1, maximumCapacity: 16 },
      readers: 1,
      backupRetentionDays: 14,
    },
    kafka: {
      brokers: 3,
      instanceType: "kafka.m7g.large",
      volumeSizeGiB: 100,
      storageAutoscaling: { maximumGiB: 1000 },
      monitoringLevel: "PER_BROKER",
    },
    topics: { retentionDays: 14 },
    capture: { instanceClass: "dms.r6i.large", allocatedStorageGiB: 100, multiAz: true },
    transformer: { cpu: 1024, memoryMiB: 2048 },
    sink: { pluginPath, tasks: 2, workers: 2 },
    operator: { bundlePath },
  },
};
