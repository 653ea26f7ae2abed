import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import {
  GetRootResourceResponse,
  type LogRequest,
  LogSeverity,
  RequirePulumiVersionResponse,
  type SetRootResourceRequest,
  SetRootResourceResponse,
} from "@pulumi/pulumi/proto/engine_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import {
  DeploymentInfo,
  type ReadResourceRequest,
  ReadResourceResponse,
  type RegisterResourceOutputsRequest,
  type RegisterResourceRequest,
  RegisterResourceResponse,
  type ResourceInvokeRequest,
  ResourceInvokeResponse,
  ResourceMonitorFeature,
  Result,
} from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type Place, remoteId } from "./creation";
import { completedInputs, createdState, invokeAnswer } from "./plausible-outputs";
import { type ValueMap, decodeValue, encodeValue, secret } from "./values";

/** One resource as the program registered it. */
export interface Registration {
  readonly urn: string;
  readonly type: string;
  /** Logical name. */
  readonly name: string;
  /** URN of the parent; only the stack has none. */
  readonly parent: string | undefined;
  /** False for components. */
  readonly custom: boolean;
  /** True for a component whose children a plugin makes, out of the program's sight. */
  readonly remote: boolean;
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  /** Undefined leaves the order to the provider. */
  readonly deleteBeforeReplace: boolean | undefined;
  readonly ignoreChanges: readonly string[];
  readonly replaceOnChanges: readonly string[];
  readonly additionalSecretOutputs: readonly string[];
  /** Former URNs, or former names, types and parents. */
  readonly aliases: readonly unknown[];
  /** Reference of an explicit provider; undefined for the default one. */
  readonly provider: string | undefined;
  /** Version of the provider's package that the program was built against. */
  readonly providerVersion: string;
  /** URNs of everything that must exist first, sorted. */
  readonly dependencies: readonly string[];
  /** By input, the URNs that its value comes from, sorted. */
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  readonly deletedWith: string | undefined;
  readonly customTimeouts: Readonly<Record<string, string>>;
  /** As the program gave them. */
  readonly inputs: ValueMap;
  /** The inputs with the automatic name that the provider would add. */
  readonly completedInputs: ValueMap;
  /** A custom resource's state after creation; what a component or the stack registered as its outputs. */
  readonly outputs: ValueMap;
}

/** One call of a provider function. */
export interface Invocation {
  readonly token: string;
  readonly arguments: ValueMap;
}

/** One line that the program or its runtime wrote to the engine. */
export interface LogLine {
  readonly severity: "info" | "warning" | "error";
  readonly message: string;
}

export interface EngineOptions {
  readonly project: string;
  readonly stack: string;
  /** True previews: what only a deployment would tell stays unknown. False deploys: it is invented. */
  readonly preview: boolean;
  readonly place: Place;
  /** By full name, the outputs of other stacks that the program may refer to. Default: none. */
  readonly otherStacks?: Readonly<Record<string, ValueMap>>;
  /** What AWS answers to provider functions, by token. Default: plausible answers to those that deploying always asks. */
  readonly answers?: Readonly<Record<string, ValueMap>>;
}

const features = [
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_SECRETS,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
  ResourceMonitorFeature.RESOURCE_MONITOR_FEATURE_INVOKE_DEPENDS_ON,
];

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Pulumi's engine and resource monitor as far as a program can tell, on a free port of 127.0.0.1: it answers every
 * registration with a plausible state and keeps it. It creates nothing and calls no provider.
 */
export class RecordingEngine {
  readonly registrations: Registration[] = [];
  readonly invocations: Invocation[] = [];
  readonly log: LogLine[] = [];
  private readonly byUrn = new Map<string, Mutable<Registration>>();
  private readonly server = new grpc.Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
  private rootUrn = "";

  constructor(private readonly options: EngineOptions) {
    this.server.addService(ResourceMonitorService as unknown as grpc.ServiceDefinition, {
      getDeploymentInfo: unary<Empty, DeploymentInfo>(() => this.deploymentInfo()),
      registerResource: unary((request: RegisterResourceRequest) => this.registerResource(request)),
      registerResourceOutputs: unary((request: RegisterResourceOutputsRequest) => this.registerOutputs(request)),
      registerResourceHook: unary(() => new Empty()),
      invoke: unary((request: ResourceInvokeRequest) => this.invoke(request)),
      readResource: unary((request: ReadResourceRequest) => this.readResource(request)),
      signalAndWaitForShutdown: unary(() => new Empty()),
    });
    this.server.addService(EngineService as unknown as grpc.ServiceDefinition, {
      log: unary((request: LogRequest) => this.keepLog(request)),
      getRootResource: unary(() => new GetRootResourceResponse().setUrn(this.rootUrn)),
      setRootResource: unary((request: SetRootResourceRequest) => {
        this.rootUrn = request.getUrn();
        return new SetRootResourceResponse();
      }),
      requirePulumiVersion: unary(() => new RequirePulumiVersionResponse()),
    });
  }

  /** Starts to listen. @returns `host:port`. */
  async start(): Promise<string> {
    const port = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    return `127.0.0.1:${port}`;
  }

  stop(): void {
    this.server.forceShutdown();
  }

  private deploymentInfo(): DeploymentInfo {
    const { project, stack, preview } = this.options;
    return new DeploymentInfo()
      .setProject(project)
      .setStack(stack)
      .setDryrun(preview)
      .setSupportedfeaturesList(features);
  }

  private registerResource(request: RegisterResourceRequest): RegisterResourceResponse {
    const type = request.getType();
    const name = request.getName();
    const parent = request.getParent() || undefined;
    const urn = this.urnOf(type, name, parent);
    if (this.byUrn.has(urn)) throw new Error(`Duplicate resource URN '${urn}': try giving it a unique name.`);

    const inputs = structValue(request.getObject());
    const { id, state } = this.stateOf(request, urn, inputs);
    const registration: Mutable<Registration> = {
      urn,
      type,
      name,
      parent,
      custom: request.getCustom(),
      remote: request.getRemote(),
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
      deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
      ignoreChanges: request.getIgnorechangesList(),
      replaceOnChanges: request.getReplaceonchangesList(),
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
      aliases: request.getAliasesList().map((alias) => alias.getUrn() || alias.getSpec()?.toObject()),
      provider: request.getProvider() || undefined,
      providerVersion: request.getVersion(),
      dependencies: [...request.getDependenciesList()].sort(),
      propertyDependencies: propertyDependencies(request),
      deletedWith: request.getDeletedwith() || undefined,
      customTimeouts: timeouts(request.getCustomtimeouts()),
      inputs,
      completedInputs: request.getCustom() ? completedInputs(type, name, urn, inputs) : inputs,
      outputs: state,
    };
    this.byUrn.set(urn, registration);
    this.registrations.push(registration);

    return new RegisterResourceResponse().setUrn(urn).setId(id).setObject(toStruct(state)).setResult(Result.SUCCESS);
  }

  /** What the engine answers: nothing for local components, the inputs in a preview, all of it in a deployment. */
  private stateOf(request: RegisterResourceRequest, urn: string, inputs: ValueMap): { id: string; state: ValueMap } {
    const [type, name] = [request.getType(), request.getName()];
    if (type.startsWith("pulumi:providers:")) return { id: `${name}-provider`, state: inputs };
    if (!request.getCustom() && !request.getRemote()) return { id: "", state: {} };
    if (this.options.preview) {
      return { id: "", state: request.getRemote() ? {} : completedInputs(type, name, urn, inputs) };
    }
    const created = createdState(type, name, urn, inputs, this.options.place);
    const secretOutputs = request
      .getAdditionalsecretoutputsList()
      .filter((property) => created.state[property] !== undefined)
      .map((property) => [property, secret(created.state[property] ?? null)]);
    return {
      id: request.getCustom() ? created.id : "",
      state: { ...created.state, ...(Object.fromEntries(secretOutputs) as ValueMap) },
    };
  }

  /** Only the outputs of the stacks that were passed in exist here. */
  private readResource(request: ReadResourceRequest): ReadResourceResponse {
    const outputs = this.options.otherStacks?.[request.getId()];
    if (request.getType() !== stackReferenceType || !outputs) {
      throw new Error(
        `The recorder can't read ${request.getType()} ${request.getId()}: take its ids and endpoints as settings instead.`,
      );
    }
    return new ReadResourceResponse()
      .setUrn(this.urnOf(request.getType(), request.getName(), request.getParent() || undefined))
      .setProperties(toStruct({ name: request.getId(), outputs, secretOutputNames: [] }));
  }

  private registerOutputs(request: RegisterResourceOutputsRequest): Empty {
    const registration = this.byUrn.get(request.getUrn());
    if (!registration) throw new Error(`Outputs of a resource that was never registered: ${request.getUrn()}`);
    registration.outputs = structValue(request.getOutputs());
    return new Empty();
  }

  private invoke(request: ResourceInvokeRequest): ResourceInvokeResponse {
    const token = request.getTok();
    if (token === "pulumi:pulumi:getResource") return this.lookUp(request);
    this.invocations.push({ token, arguments: structValue(request.getArgs()) });
    const answer = this.options.answers?.[token] ?? invokeAnswer(token, this.options.place);
    if (!answer) {
      throw new Error(
        `The program asks AWS ${token}, which the recorder can't answer: take the value as a setting instead.`,
      );
    }
    return new ResourceInvokeResponse().setReturn(toStruct(answer));
  }

  /** The engine itself answers this one, from the state that it keeps; here, for children of remote components. */
  private lookUp(request: ResourceInvokeRequest): ResourceInvokeResponse {
    const urn = String(structValue(request.getArgs()).urn);
    const id = remoteId(urn);
    return new ResourceInvokeResponse().setReturn(toStruct({ urn, id, state: { id } }));
  }

  private keepLog(request: LogRequest): Empty {
    const severity = request.getSeverity();
    if (severity !== LogSeverity.DEBUG) {
      const names = {
        [LogSeverity.INFO]: "info",
        [LogSeverity.WARNING]: "warning",
        [LogSeverity.ERROR]: "error",
      } as const;
      this.log.push({ severity: names[severity], message: request.getMessage() });
    }
    return new Empty();
  }

  private urnOf(type: string, name: string, parent: string | undefined): string {
    const parentType = parent?.split("::")[2];
    const chain = !parentType || parentType === stackType ? type : `${parentType}$${type}`;
    return `urn:pulumi:${this.options.stack}::${this.options.project}::${chain}::${name}`;
  }
}

/** Type of the resource at the root of every graph. */
export const stackType = "pulumi:pulumi:Stack";
const stackReferenceType = "pulumi:pulumi:StackReference";

/** A gRPC handler from a plain function; what it throws reaches the program as the call's error. */
function unary<Request, Response>(handle: (request: Request) => Response) {
  return (call: grpc.ServerUnaryCall<Request, Response>, callback: grpc.sendUnaryData<Response>): void => {
    let response: Response;
    try {
      response = handle(call.request);
    } catch (error) {
      callback({ code: grpc.status.UNKNOWN, details: error instanceof Error ? error.message : String(error) });
      return;
    }
    callback(null, response);
  };
}

function structValue(struct: Struct | undefined): ValueMap {
  return decodeValue(struct?.toJavaScript() ?? {}) as ValueMap;
}

function toStruct(value: ValueMap): Struct {
  return Struct.fromJavaScript(encodeValue(value) as Record<string, JavaScriptValue>);
}

function propertyDependencies(request: RegisterResourceRequest): Record<string, readonly string[]> {
  const result: Record<string, readonly string[]> = {};
  request.getPropertydependenciesMap().forEach((dependencies, property) => {
    const urns = dependencies.getUrnsList();
    if (urns.length > 0) result[property] = [...urns].sort();
  });
  return result;
}

function timeouts(message: RegisterResourceRequest.CustomTimeouts | undefined): Record<string, string> {
  const all = { create: message?.getCreate(), update: message?.getUpdate(), delete: message?.getDelete() };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => Boolean(entry[1])));
}
