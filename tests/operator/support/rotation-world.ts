import {
  DatabaseMigrationServiceClient,
  DescribeConnectionsCommand,
  DescribeEndpointsCommand,
  DescribeReplicationTasksCommand,
  ModifyEndpointCommand,
  StartReplicationTaskCommand,
  StopReplicationTaskCommand,
  TestConnectionCommand,
} from "@aws-sdk/client-database-migration-service";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { mockClient } from "aws-sdk-client-mock";
import type { Client } from "pg";
import { scramVerifier } from "../../../operator/database/passwords";
import { awsError } from "./operator-world";

export const dms = mockClient(DatabaseMigrationServiceClient);
export const secretsManager = mockClient(SecretsManagerClient);

interface Version {
  readonly value: string;
  readonly stages: Set<string>;
}

/** Seconds that MSK takes here to learn a password; up to ten minutes on AWS. */
const brokersLearnAfter = 240_000;

/** Milliseconds that DMS takes to stop or start a task. */
const taskChangesFor = 40_000;

/**
 * What a rotation changes, each part with the manners of the real one: Secrets Manager's labels, a role whose password
 * is in force at the commit, brokers that learn late, an endpoint that a running task keeps from being changed, and a
 * task that reads its password when it starts. It can break off at any of its calls.
 */
export class RotationWorld {
  /** Calls so far; all of them may be broken off. */
  calls = 0;
  /** Number of the call that is broken off, and whether the other side still carries it out. */
  breakOff: { readonly call: number; readonly carriedOut: boolean } | undefined;
  taskPassword: string | undefined;
  endpointPassword: string;
  rotationEnabled = false;
  taskStatus: string;
  taskStarts: string[] = [];
  statements: string[] = [];
  private verifier: string;
  private taskChangesAt = 0;
  private readonly versions = new Map<string, Version>();
  private currentSince = 0;
  private passwordBefore: string;
  private connectionTested = true;

  constructor(
    readonly username: string,
    readonly oldPassword: string,
    taskStatus: string = "running",
  ) {
    this.versions.set("version-0", {
      value: JSON.stringify({ host: "db.example", username, password: oldPassword }),
      stages: new Set(["AWSCURRENT"]),
    });
    this.verifier = scramVerifier(oldPassword);
    this.endpointPassword = oldPassword;
    this.passwordBefore = oldPassword;
    this.taskStatus = taskStatus;
    this.taskPassword = taskStatus === "running" ? oldPassword : undefined;
    this.mockSecretsManager();
    this.mockDms();
  }

  currentSecret(): { username: string; password: string; host: string } {
    const current = [...this.versions.values()].find(({ stages }) => stages.has("AWSCURRENT"));
    return JSON.parse(current!.value) as { username: string; password: string; host: string };
  }

  /** Labels of all versions but those of the history. */
  labels(): string[] {
    return [...this.versions.values()].flatMap(({ stages }) => [...stages]).filter((stage) => stage !== "AWSPREVIOUS");
  }

  versionCount(): number {
    return this.versions.size;
  }

  roleAccepts(password: string): boolean {
    const salt = /:([^$]+)\$/.exec(this.verifier)![1]!;
    return scramVerifier(password, Buffer.from(salt, "base64")) === this.verifier;
  }

  brokersAccept(password: string): boolean {
    const learned = Date.now() - this.currentSince >= brokersLearnAfter;
    return password === (learned ? this.currentSecret().password : this.passwordBefore);
  }

  /** One call of the handler's, which may be broken off before or after it has had its effect. */
  call<Result>(effect: () => Result): Result {
    this.calls += 1;
    const broken = this.breakOff?.call === this.calls ? this.breakOff : undefined;
    if (broken && !broken.carriedOut) throw new Error("The process died.");
    const result = effect();
    if (broken) throw new Error("The process died.");
    return result;
  }

  /** A connection of the database's: of the administrator, or of the role with what the secret says now. */
  connect(asRole: boolean): Promise<Client> {
    return Promise.resolve().then(() =>
      this.call(() => {
        if (asRole && !this.roleAccepts(this.currentSecret().password)) throw new Error("password refused");
        let uncommitted: string | undefined;
        const query = (text: string) =>
          this.call(() => {
            this.statements.push(text);
            const verifier = /PASSWORD '([^']+)'/.exec(text)?.[1];
            if (verifier) uncommitted = verifier;
            if (text === "COMMIT") this.verifier = uncommitted ?? this.verifier;
            return { rows: [] };
          });
        return { query: async (text: string) => query(text), end: async () => undefined } as unknown as Client;
      }),
    );
  }

  private mockSecretsManager(): void {
    secretsManager.reset();
    const mocked = <Input, Output>(answer: (input: Input) => Output) => {
      return (input: Input) => this.call(() => answer(input));
    };
    secretsManager.on(DescribeSecretCommand).callsFake(
      mocked(() => ({
        RotationEnabled: this.rotationEnabled,
        RotationLambdaARN: this.rotationEnabled ? "arn:aws:lambda:eu-central-1:123456789012:function:other" : undefined,
        VersionIdsToStages: Object.fromEntries([...this.versions].map(([id, { stages }]) => [id, [...stages]])),
      })),
    );
    secretsManager
      .on(GetSecretValueCommand)
      .callsFake(
        mocked(({ VersionId: id }: { VersionId: string }) => ({ SecretString: this.versions.get(id)!.value })),
      );
    secretsManager.on(PutSecretValueCommand).callsFake(
      mocked((input: { ClientRequestToken: string; SecretString: string; VersionStages: string[] }) => {
        for (const { stages } of this.versions.values()) for (const stage of input.VersionStages) stages.delete(stage);
        this.versions.set(input.ClientRequestToken, {
          value: input.SecretString,
          stages: new Set(input.VersionStages),
        });
        return {};
      }),
    );
    secretsManager.on(UpdateSecretVersionStageCommand).callsFake(
      mocked((input: { VersionStage: string; MoveToVersionId?: string; RemoveFromVersionId?: string }) => {
        this.moveStage(input.VersionStage, input.RemoveFromVersionId, input.MoveToVersionId);
        return {};
      }),
    );
  }

  /** Moves a label as Secrets Manager does, which wants to be told where it was. */
  moveStage(stage: string, from: string | undefined, to: string | undefined): void {
    const holder = [...this.versions].find(([, { stages }]) => stages.has(stage))?.[0];
    if (holder !== undefined && holder !== from && holder !== to) {
      throw awsError(
        "InvalidParameterException",
        `The label ${stage} is on ${holder}; name it in RemoveFromVersionId.`,
      );
    }
    if (stage === "AWSCURRENT" && to !== holder) {
      this.passwordBefore = this.currentSecret().password;
      this.currentSince = Date.now();
      this.versions.get(holder!)!.stages.add("AWSPREVIOUS");
    }
    if (from !== undefined) this.versions.get(from)!.stages.delete(stage);
    if (to !== undefined) this.versions.get(to)!.stages.add(stage);
  }

  private mockDms(): void {
    dms.reset();
    const refuse = (message: string) => awsError("InvalidResourceStateFault", message);
    const change = (from: string[], passing: string, settled: string) => {
      if (!from.includes(this.status())) throw refuse(`The task is ${this.status()}.`);
      this.taskStatus = `${passing}>${settled}`;
      this.taskChangesAt = Date.now() + taskChangesFor;
    };
    dms.on(DescribeReplicationTasksCommand).callsFake(() =>
      this.call(() => ({
        ReplicationTasks: [
          { Status: this.status(), ReplicationInstanceArn: "arn:aws:dms:eu-central-1:123456789012:rep:I" },
        ],
      })),
    );
    dms.on(StopReplicationTaskCommand).callsFake(() =>
      this.call(() => {
        change(["running"], "stopping", "stopped");
        this.taskPassword = undefined;
        return {};
      }),
    );
    dms
      .on(StartReplicationTaskCommand)
      .callsFake(({ StartReplicationTaskType: type }: { StartReplicationTaskType: string }) =>
        this.call(() => {
          if (!this.connectionTested) throw refuse("Test connection for the replication instance has not succeeded.");
          change(["stopped", "failed"], "starting", "running");
          this.taskStarts.push(type);
          this.taskPassword = this.username === "cdc_capture" ? this.currentSecret().password : this.endpointPassword;
          return {};
        }),
      );
    dms
      .on(DescribeEndpointsCommand)
      .callsFake(() => this.call(() => ({ Endpoints: [{ KafkaSettings: { SaslUsername: this.username } }] })));
    dms.on(ModifyEndpointCommand).callsFake((input: { KafkaSettings: { SaslPassword: string } }) =>
      this.call(() => {
        if (!["stopped", "failed"].includes(this.status())) throw refuse("The endpoint is in use by a running task.");
        this.endpointPassword = input.KafkaSettings.SaslPassword;
        this.connectionTested = false;
        return {};
      }),
    );
    dms.on(TestConnectionCommand).callsFake(() => this.call(() => ({})));
    dms.on(DescribeConnectionsCommand).callsFake(() =>
      this.call(() => {
        this.connectionTested = this.brokersAccept(this.endpointPassword);
        const failed = { Status: "failed", LastFailureMessage: "SASL authentication failed" };
        return { Connections: [this.connectionTested ? { Status: "successful" } : failed] };
      }),
    );
  }

  private status(): string {
    const [passing, settled] = this.taskStatus.split(">");
    if (settled !== undefined && Date.now() >= this.taskChangesAt) this.taskStatus = settled;
    return settled !== undefined && this.taskStatus !== settled ? passing! : this.taskStatus;
  }
}
