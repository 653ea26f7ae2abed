import {
  transformerEndpoints,
  transformerEnvironment,
  type TransformerSettings,
} from "../../contract/transformer-environment";
import { arnParts } from "../shared/policies";

export interface ContainerNeeds {
  readonly imageUri: string;
  /** Of the task, all of which the container may use. */
  readonly memoryMiB: number;
  readonly logGroupName: string;
  /** Of something in the region of the log group. */
  readonly anyArn: string;
  readonly settings: TransformerSettings;
}

/** Port of the health and metrics endpoints; nothing outside the task can reach it. */
const managementPort = 8080;

/** The one container of a task, as ECS's API takes it. */
export function containerDefinitions({ imageUri, memoryMiB, logGroupName, anyArn, settings }: ContainerNeeds) {
  const environment = transformerEnvironment({ ...settings, managementPort });
  return [
    {
      name: "transformer",
      image: imageUri,
      essential: true,
      // Without a limit of its own it would seem to have the memory of the machine, of which the JVM takes a share.
      memory: memoryMiB,
      environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
      portMappings: [{ containerPort: managementPort, protocol: "tcp" }],
      healthCheck: {
        command: [
          "CMD-SHELL",
          `curl --fail --silent --max-time 4 http://127.0.0.1:${managementPort}${transformerEndpoints.liveness}`,
        ],
        interval: 10,
        timeout: 5,
        retries: 3,
        // A cold JVM on a small task takes its time.
        startPeriod: 120,
      },
      // The most that Fargate gives: time to finish the batch, commit and leave the consumer group.
      stopTimeout: 120,
      logConfiguration: {
        logDriver: "awslogs",
        options: {
          "awslogs-group": logGroupName,
          "awslogs-region": arnParts(anyArn).region,
          "awslogs-stream-prefix": "transformer",
          // Kafka stays ahead of CloudWatch: a slow log never stops the stream.
          mode: "non-blocking",
          "max-buffer-size": "16m",
        },
      },
    },
  ];
}
