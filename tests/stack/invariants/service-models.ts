import { isDescribed } from "../../../recorder/plausible-outputs";
import { reveal } from "../../../recorder/values";
import { checkResource, type Json } from "../../aws-models/check";
import { resourceCalls } from "../../aws-models/mapping";
import { type Invariant, awsResources } from "./invariant";

/** Provider functions that the program may call. Each call is a question to AWS that a preview must be able to ask. */
export const allowedInvokes: readonly string[] = [
  // The password of the SCRAM user as the operator may have rotated it; once there is a secret to ask for.
  "aws:secretsmanager/getSecretVersion:getSecretVersion",
];

export const nothingAsked: Invariant = {
  protects: "a preview needs no more than credentials: the program asks AWS for one secret and nothing else",
  violations: (graph) =>
    graph.recording.invocations
      .filter(({ token }) => !allowedInvokes.includes(token))
      .map(({ token }) => `the program calls ${token}`),
};

export const everyTypeDescribed: Invariant = {
  protects: "these checks look at everything: each registered type is known to the recorder and to the service models",
  violations: (graph) =>
    [...new Set(graph.resources.filter(({ custom, remote }) => custom || remote).map(({ type }) => type))].flatMap(
      (type) => [
        ...(isDescribed(type) ? [] : [`${type} is not described in provider-outputs.ts`]),
        ...(!type.startsWith("aws:") || resourceCalls[type] ? [] : [`${type} has no entry in aws-models/mapping.ts`]),
      ],
    ),
};

export const inputsFitServiceModels: Invariant = {
  protects:
    "AWS accepts what is sent: member names, enums, patterns, lengths and ranges of its own service models hold",
  violations: (graph) =>
    awsResources(graph)
      .filter(({ type }) => resourceCalls[type])
      .flatMap((resource) =>
        checkResource(resource.type, reveal(resource.completedInputs) as Record<string, Json>).map(
          ({ where, problem }) => `${resource.name}: ${where}: ${problem}`,
        ),
      ),
};
