import { faultKinds } from "../faults/catalogue";
import { defaultLongSeconds, type FaultKind } from "../faults/fault";
import { between } from "./between-marks";

/** Puts the table of faults between the two marks of `docs/reliability.md`. */
export function withFaults(text: string): string {
  return between("faults", text, table(faultKinds));
}

function table(kinds: readonly FaultKind[]): string {
  return [
    "| what happens | how it is made | faults | lasts up to |",
    "|---|---|---|---|",
    ...kinds.map(({ title, how, faults }) => `| ${title} | ${how} | ${faults.length} | ${duration(faults)} |`),
  ].join("\n");
}

/** The longest that faults last, in seconds: one number, or the least and the most of several. */
function duration(faults: FaultKind["faults"]): string {
  const longest = faults.map(({ long = defaultLongSeconds }) => long);
  const [least, most] = [Math.min(...longest), Math.max(...longest)];
  return least === most ? `${most} s` : `${least} to ${most} s`;
}
