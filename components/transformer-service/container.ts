import {
  transformerEndpoints,
  transformerEnvironment,
  type TransformerSettings,
} from "../../contract/transformer-environment";
import { arnParts } from "../shared/policies";

export interface ContainerNeeds {
  readonly imageUri: string;
  /** Memory of the task, all of which the container may use. */
  readonly memoryMiB: number;
  readonly logGroupName: string;
  /** ARN of any resource in the log group's region. */
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
      // Without this limit the JVM would size its heap by the memory of the whole machine.
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
        // A cold JVM on a small task starts slowly.
        startPeriod: 120,
      },
      // The longest that Fargate allows: time to finish the batch, commit and leave the consumer group.
      stopTimeout: 120,
      logConfiguration: {
        logDriver: "awslogs",
        options: {
          "awslogs-group": logGroupName,
          "awslogs-region": arnParts(anyArn).region,
          "awslogs-stream-prefix": "transformer",
          // A slow log must never stop the stream.
          mode: "non-blocking",
          "max-buffer-size": "16m",
        },
      },
    },
  ];
}
