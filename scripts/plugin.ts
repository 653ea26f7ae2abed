import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { ConstructRequest, type ConstructResponse, GetSchemaRequest } from "@pulumi/pulumi/proto/provider_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type ValueMap, decodeValue, encodeValue } from "../recorder/values";

/** The parts of a Pulumi package schema that are checked. */
export interface PackageSchema {
  readonly name: string;
  readonly version: string;
  readonly resources: Readonly<Record<string, ComponentSchema>>;
  readonly types?: Readonly<Record<string, ObjectSchema>>;
}

export interface ObjectSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, PropertySchema>>;
  readonly required?: readonly string[];
}

export interface ComponentSchema extends ObjectSchema {
  readonly isComponent?: boolean;
  readonly inputProperties?: Readonly<Record<string, PropertySchema>>;
  readonly requiredInputs?: readonly string[];
}

export interface PropertySchema {
  readonly description?: string;
  readonly type?: string;
  readonly $ref?: string;
}

/** A component to make, as the engine asks for it. */
export interface Construction {
  readonly project: string;
  readonly stack: string;
  readonly type: string;
  readonly name: string;
  readonly inputs: ValueMap;
  readonly config: Readonly<Record<string, string>>;
}

/** A component package, running as the Pulumi CLI runs it for programs in any language: its own process, over gRPC. */
export class RunningPlugin {
  private constructor(
    private readonly client: ResourceProviderClient,
    private readonly engineAddress: string,
    readonly stop: () => void,
  ) {}

  /**
   * @param folder Folder of PulumiPlugin.yaml.
   * @param engineAddress `host:port` of the engine that gets the registrations.
   * @param workingFolder Where the program runs, to which paths among its inputs are relative.
   * @throws when the package does not load, with what the runtime said.
   */
  static async start(folder: string, engineAddress = "127.0.0.1:0", workingFolder = folder): Promise<RunningPlugin> {
    const runner = createRequire(join(folder, "index.js")).resolve("@pulumi/pulumi/cmd/run-plugin");
    const child = spawn(process.execPath, [runner, folder, engineAddress], {
      cwd: workingFolder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (text: string) => output.push(text));
    const port = await new Promise<number>((resolve, reject) => {
      createInterface(child.stdout).on("line", (line) => {
        if (/^\d+$/.test(line)) resolve(Number(line));
        else output.push(line);
      });
      child.once("exit", (code) =>
        reject(new Error(`The component package ended with ${code}:\n${output.join("\n")}`)),
      );
    });
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    return new RunningPlugin(client, engineAddress, () => {
      client.close();
      child.kill();
    });
  }

  /** The schema from which SDKs are generated. @throws when a component can't be inferred. */
  async schema(): Promise<PackageSchema> {
    const text = await new Promise<string>((resolve, reject) =>
      this.client.getSchema(new GetSchemaRequest(), (error, response) =>
        error ? reject(new Error(error.details)) : resolve(response.getSchema()),
      ),
    );
    return JSON.parse(text) as PackageSchema;
  }

  /** Makes a component. @returns its outputs. @throws with the component's own message when it refuses its inputs. */
  async construct(construction: Construction): Promise<ValueMap> {
    const request = new ConstructRequest()
      .setProject(construction.project)
      .setStack(construction.stack)
      .setOrganization("organization")
      .setMonitorendpoint(this.engineAddress)
      .setParallel(16)
      .setType(construction.type)
      .setName(construction.name)
      .setInputs(Struct.fromJavaScript(encodeValue(construction.inputs, true) as Record<string, JavaScriptValue>));
    for (const [key, value] of Object.entries(construction.config)) request.getConfigMap().set(key, value);
    const response = await new Promise<ConstructResponse>((resolve, reject) =>
      this.client.construct(request, (error, answer) => (error ? reject(new Error(error.details)) : resolve(answer))),
    );
    return decodeValue(response.getState()?.toJavaScript() ?? {}) as ValueMap;
  }
}
