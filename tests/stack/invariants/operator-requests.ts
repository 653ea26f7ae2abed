import type { OperatorRequest } from "../../../contract/operator";
import type { Registration } from "../../../recorder/engine";
import { type Graph, jsonInput, textInput } from "../../../recorder/graph";
import { types } from "./invariant";

/** Places of requests to an operator: a call while deploying, or a schedule. */
export function operatorInputs(graph: Graph): { resource: Registration; path: string; functionName: string }[] {
  return [
    ...graph
      .ofType(types.invocation)
      .map((resource) => ({ resource, path: "input", functionName: textInput(resource, "functionName") })),
    ...graph
      .ofType(types.schedule)
      .filter((resource) => textInput(resource, "target.arn").includes(":function:"))
      .map((resource) => ({
        resource,
        path: "target.input",
        functionName: textInput(resource, "target.arn").split(":").at(-1) ?? "",
      })),
  ];
}

/** Every request that an operator gets, the resource that sends it, and the function that gets it. */
export function operatorRequests(graph: Graph): { who: string; functionName: string; request: OperatorRequest }[] {
  return operatorInputs(graph).map(({ resource, path, functionName }) => ({
    who: resource.name,
    functionName,
    request: jsonInput(resource, path) as OperatorRequest,
  }));
}
