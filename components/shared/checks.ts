import * as pulumi from "@pulumi/pulumi";

/** One fault in an argument, worded so that its author can fix it without reading the source. */
export interface Problem {
  /** Path of the argument or setting, such as `storageAutoscaling.maximumGiB`. */
  readonly setting: string;
  readonly value: unknown;
  /** What would be accepted, as a phrase: `a whole number from 1 to 35`. */
  readonly allowed: string;
  /** What to do, as a sentence. */
  readonly fix: string;
}

/** `brokers = 3: allowed is a multiple of … . Set brokers to 2.` */
export function problemText({ setting, value, allowed, fix }: Problem): string {
  return `${setting} = ${value === undefined ? "(not set)" : JSON.stringify(value)}: allowed is ${allowed}. ${fix}`;
}

/**
 * Stops a component before it creates anything, with every problem at once.
 *
 * @throws pulumi.ResourceError naming the component, when there is a problem.
 */
export function refuse(name: string, problems: readonly Problem[], component: pulumi.Resource): void {
  if (problems.length === 0) return;
  const lines = problems.map((problem) => `  - ${problemText(problem)}`);
  throw new pulumi.ResourceError([`${name} can't be built as asked:`, ...lines].join("\n"), component, true);
}

/** The value of an input that is known while the program runs; undefined for outputs, which checks must skip. */
export function known<T>(input: pulumi.Input<T> | undefined): T | undefined {
  if (pulumi.Output.isInstance(input) || input instanceof Promise) return undefined;
  return input as T | undefined;
}

/** A problem unless the value is a whole number from minimum to maximum; unknown values pass. */
export function checkWholeNumber(
  setting: string,
  input: pulumi.Input<number | undefined> | undefined,
  minimum: number,
  maximum: number,
): Problem[] {
  const value = known(input);
  if (value === undefined || (Number.isInteger(value) && value >= minimum && value <= maximum)) return [];
  const allowed = `a whole number from ${minimum} to ${maximum}`;
  return [{ setting, value, allowed, fix: `Set ${setting} to ${allowed}.` }];
}

/** A problem unless the value is one of the choices; unknown values pass. */
export function checkOneOf<T extends string | number>(
  setting: string,
  input: pulumi.Input<T | undefined> | undefined,
  choices: readonly T[],
): Problem[] {
  const value = known(input);
  if (value === undefined || choices.includes(value)) return [];
  return [{ setting, value, allowed: `one of ${choices.join(", ")}`, fix: `Set ${setting} to one of them.` }];
}

/** A problem unless the text matches; unknown values pass. */
export function checkPattern(
  setting: string,
  input: pulumi.Input<string | undefined> | undefined,
  pattern: RegExp,
  allowed: string,
): Problem[] {
  const value = known(input);
  if (value === undefined || pattern.test(value)) return [];
  return [{ setting, value, allowed, fix: `Set ${setting} to ${allowed}.` }];
}

/** A problem unless the list is known to have at least this many different elements; unknown lists pass. */
export function checkDistinct(
  setting: string,
  input: pulumi.Input<pulumi.Input<string>[]> | undefined,
  minimum: number,
  noun: string,
): Problem[] {
  const values = known(input);
  if (values === undefined) return [];
  const unknown = values.filter((value) => known(value) === undefined).length;
  const distinct = new Set(values.map(known).filter((value) => value !== undefined)).size;
  if (values.length >= minimum && distinct + unknown === values.length) return [];
  return [
    {
      setting,
      value: values.map((value) => known(value) ?? "(known after deployment)"),
      allowed: `at least ${minimum} different ${noun}`,
      fix: `Name ${minimum} or more ${noun} in ${setting}, each once.`,
    },
  ];
}
