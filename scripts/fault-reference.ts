import { faultKinds } from "../faults/catalogue";
import { defaultLongSeconds, type FaultKind } from "../faults/fault";

const marks = /(<!-- faults -->\n)[^]*?(<!-- end of faults -->)/;

/** Puts the table of faults between the two marks of `docs/reliability.md`. */
export function withFaults(text: string): string {
  if (!marks.test(text)) throw new Error("docs/reliability.md has lost the marks around its table of faults.");
  return text.replace(marks, (_, start: string, end: string) => `${start}${table(faultKinds)}\n${end}`);
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
