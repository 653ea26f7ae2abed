import {
  reviewEnvironment,
  reviewLivenessPath,
  reviewPasswordVariable,
  type ReviewServiceSettings,
} from "../../contract/review-environment";
import { containerName } from "./names";

export interface ReviewContainerNeeds {
  readonly imageUri: string;
  /** Memory of the task, all of which the container may use. */
  readonly memoryMiB: number;
  readonly logGroupName: string;
  /** Secret of the page's login in the database. */
  readonly secretArn: string;
  readonly settings: ReviewServiceSettings;
}

/** The user of the image, who owns nothing in it. */
const user = "10001:10001";

/** The one container of a task, as ECS's API takes it. */
export function reviewContainerDefinitions(needs: ReviewContainerNeeds) {
  const { imageUri, memoryMiB, logGroupName, secretArn, settings } = needs;
  return [
    {
      name: containerName,
      image: imageUri,
      essential: true,
      memory: memoryMiB,
      user,
      // The page writes no file.
      readonlyRootFilesystem: true,
      linuxParameters: { initProcessEnabled: true, capabilities: { drop: ["ALL"] } },
      environment: Object.entries(reviewEnvironment(settings)).map(([name, value]) => ({ name, value })),
      // Of the secret's members the password alone; a task keeps the one with which it started.
      secrets: [{ name: reviewPasswordVariable, valueFrom: `${secretArn}:password::` }],
      portMappings: [{ containerPort: settings.port, protocol: "tcp" }],
      healthCheck: {
        // The image has no shell tools beside Node.
        command: ["CMD", "node", "-e", healthScript(settings.port)],
        interval: 30,
        timeout: 10,
        retries: 3,
        startPeriod: 30,
      },
      // Time to end the answers that are under way.
      stopTimeout: 30,
      logConfiguration: {
        logDriver: "awslogs",
        options: {
          "awslogs-group": logGroupName,
          "awslogs-region": settings.region,
          "awslogs-stream-prefix": containerName,
          // A slow log must never keep a reader waiting.
          mode: "non-blocking",
          "max-buffer-size": "4m",
        },
      },
    },
  ];
}

function healthScript(port: number): string {
  return `fetch("http://127.0.0.1:${port}${reviewLivenessPath}").then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`;
}
