import type { ReportViolation, ResourceValidation, ResourceValidationArgs } from "@pulumi/policy";
import type { Resource, Unwrap } from "@pulumi/pulumi";

type ResourceClass<TResource extends Resource, TArgs> = new (name: string, args: TArgs, ...rest: never[]) => TResource;

/**
 * A check of one resource type that answers what is wrong.
 *
 * @param check Returns one sentence for each problem, with its fix.
 */
export function inspect<TResource extends Resource, TArgs>(
  resourceClass: ResourceClass<TResource, TArgs>,
  check: (props: Unwrap<NonNullable<TArgs>>, args: ResourceValidationArgs) => readonly string[],
): ResourceValidation {
  return (args: ResourceValidationArgs, report: ReportViolation) => {
    const props = args.asType(
      resourceClass as unknown as new (name: string, args: TArgs, ...rest: unknown[]) => TResource,
    );
    if (props !== undefined) check(props, args).forEach((problem) => report(problem));
  };
}

/**
 * True when the property has a value, even one that a preview does not know yet. Reading such a value would make the
 * whole rule wait for the deployment.
 */
export function isSet(props: object | undefined, property: string): boolean {
  return props !== undefined && Object.hasOwn(props, property);
}

/** The sentences whose condition holds. */
export function problems(...candidates: readonly (readonly [wrong: boolean, sentence: string])[]): string[] {
  return candidates.filter(([wrong]) => wrong).map(([, sentence]) => sentence);
}

/** The stack that a resource belongs to. */
export function stackOf(urn: string): string {
  return urn.split("::")[0]?.split(":").at(-1) ?? "";
}
