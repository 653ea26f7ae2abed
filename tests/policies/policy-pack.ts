import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import {
  AnalyzeRequest,
  type AnalyzeResponse,
  AnalyzeStackRequest,
  AnalyzerResource,
  AnalyzerResourceOptions,
} from "@pulumi/pulumi/proto/analyzer_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Registration } from "../../recorder/engine";
import type { Recording } from "../../recorder/recorder";
import { type Value, encodeValue, isList, isMap } from "../../recorder/values";

/** One sentence of a policy about a recorded resource. */
export interface Finding {
  readonly policy: string;
  readonly urn: string;
  readonly message: string;
}

/**
 * A policy pack, running as the Pulumi CLI runs it: its own process, asked over gRPC about each resource in the wire
 * format of a preview or an update.
 */
export class RunningPolicyPack {
  private constructor(
    private readonly process: ChildProcess,
    private readonly client: AnalyzerClient,
  ) {}

  /** @param folder Folder of PulumiPolicy.yaml. */
  static async start(folder: string): Promise<RunningPolicyPack> {
    const runner = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");
    const child = spawn(process.execPath, [runner, "127.0.0.1:0", folder], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const errors: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
    const port = await new Promise<number>((resolve, reject) => {
      createInterface(child.stdout).once("line", (line) => resolve(Number(line)));
      child.once("exit", (code) => reject(new Error(`The policy pack ended with ${code}:\n${errors.join("")}`)));
    });
    return new RunningPolicyPack(child, new AnalyzerClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure()));
  }

  /** Everything that the pack says about a recording, resource by resource and then about the whole stack. */
  async findings(recording: Recording): Promise<Finding[]> {
    const resources = recording.registrations.filter(({ type }) => !type.startsWith("pulumi:"));
    const single = await Promise.all(resources.map((resource) => this.analyze(resource)));
    return [...single.flat(), ...(await this.analyzeStack(resources))];
  }

  stop(): void {
    this.client.close();
    this.process.kill();
  }

  private async analyze(resource: Registration): Promise<Finding[]> {
    const request = new AnalyzeRequest()
      .setType(resource.type)
      .setUrn(resource.urn)
      .setName(resource.name)
      .setProperties(properties(resource))
      .setOptions(options(resource));
    const response = await new Promise<AnalyzeResponse>((resolve, reject) =>
      this.client.analyze(request, (error, answer) => (error ? reject(error) : resolve(answer))),
    );
    return findingsOf(response, resource.urn);
  }

  private async analyzeStack(resources: readonly Registration[]): Promise<Finding[]> {
    const request = new AnalyzeStackRequest().setResourcesList(
      resources.map((resource) =>
        new AnalyzerResource()
          .setType(resource.type)
          .setUrn(resource.urn)
          .setName(resource.name)
          .setParent(resource.parent ?? "")
          .setDependenciesList([...resource.dependencies])
          .setProperties(properties(resource))
          .setOptions(options(resource)),
      ),
    );
    const response = await new Promise<AnalyzeResponse>((resolve, reject) =>
      this.client.analyzeStack(request, (error, answer) => (error ? reject(error) : resolve(answer))),
    );
    return findingsOf(response, "");
  }
}

function properties(resource: Registration): Struct {
  return Struct.fromJavaScript(encodeValue(plain(resource.completedInputs)) as Record<string, JavaScriptValue>);
}

/** The engine gives analyzers no references to resources, but what they stand for: the id, or of a component the URN. */
function plain(value: Value): Value {
  if (isList(value)) return value.map(plain);
  if (!isMap(value)) return value;
  if ("$resource" in value) return (value.id || value.$resource) ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

function options(resource: Registration): AnalyzerResourceOptions {
  return new AnalyzerResourceOptions()
    .setProtect(resource.protect)
    .setIgnorechangesList([...resource.ignoreChanges])
    .setAdditionalsecretoutputsList([...resource.additionalSecretOutputs])
    .setCustomtimeouts(new AnalyzerResourceOptions.CustomTimeouts());
}

function findingsOf(response: AnalyzeResponse, urn: string): Finding[] {
  return response.getDiagnosticsList().map((diagnostic) => ({
    policy: diagnostic.getPolicyname(),
    urn: diagnostic.getUrn() || urn,
    message: diagnostic.getMessage(),
  }));
}
