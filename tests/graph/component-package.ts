import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { GetSchemaRequest } from "@pulumi/pulumi/proto/provider_pb";

/** The parts of a Pulumi package schema that are checked. */
export interface PackageSchema {
  readonly name: string;
  readonly resources: Readonly<Record<string, ComponentSchema>>;
  readonly types?: Readonly<Record<string, ObjectSchema>>;
}

export interface ObjectSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, PropertySchema>>;
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

/**
 * The schema that Pulumi infers from a component package, asked of the package as the CLI runs it for
 * `pulumi package add`.
 *
 * @param folder Folder of PulumiPlugin.yaml.
 * @throws when the package does not load, or a component can't be inferred, with what the runtime said.
 */
export async function packageSchema(folder: string): Promise<PackageSchema> {
  const runner = require.resolve("@pulumi/pulumi/cmd/run-plugin");
  const child = spawn(process.execPath, [runner, folder], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => output.push(text));
  try {
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
    const text = await new Promise<string>((resolve, reject) =>
      client.getSchema(new GetSchemaRequest(), (error, response) =>
        error ? reject(new Error(error.details)) : resolve(response.getSchema()),
      ),
    );
    client.close();
    return JSON.parse(text) as PackageSchema;
  } finally {
    child.kill();
  }
}
