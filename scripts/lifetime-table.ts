import { lifetimes } from "../contract/lifetimes";
import { table } from "./settings-reference";

/** Every version whose end is known, and where that was read. */
export function lifetimeTables(): string {
  const services = Object.values(lifetimes);
  const versions = services.flatMap(({ service, setting, versions }) =>
    Object.entries(versions).map(([version, { noNewAfter, ends }]) => [
      service,
      setting ? `\`${setting}\`` : "the package",
      version,
      dates(noNewAfter ?? ends),
      dates(ends),
    ]),
  );
  const sources = services.map(({ service, atItsEnd, source, read }) => [service, atItsEnd, source, read]);
  return [
    table(["what", "set by", "version", "nothing new after", "ends"], versions),
    table(["what", "at its end", "read from", "read on"], sources),
  ].join("\n\n");
}

function dates(days: readonly string[] | undefined): string {
  return days?.join(" or ") ?? "not published";
}
