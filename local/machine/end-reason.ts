/** What a program's log says of why it ended: its last error, in its own words; undefined when it logged none. */
export function endReason(log: string): string | undefined {
  const lines = log.trimEnd().split("\n");
  const at = lines.findLastIndex((line) => isError(line));
  if (at < 0) return undefined;
  const line = lines[at] as string;
  // The cause of all stands last in a stack trace.
  const trace = lines.slice(at + 1, at + 400);
  const end = trace.findIndex(
    (each) => !/^(\s+(at |\.\.\.)|Caused by: |\s*Suppressed: |[\w.$]+(Exception|Error)\b)/.test(each),
  );
  const causes = trace.slice(0, end < 0 ? undefined : end).filter((each) => each.startsWith("Caused by: "));
  const cause = causes.at(-1)?.replace("Caused by: ", "");
  const said = words(line);
  return cause !== undefined && !said.includes(cause) ? `${said} (${cause})` : said;
}

function isError(line: string): boolean {
  if (line.startsWith("{")) return /"level":"error"/.test(line);
  return (
    /^\S+ \S+ (?:\S+ )?\[\d+\] (FATAL|PANIC|ERROR): /.test(line) ||
    /^\S+(?: \S+)? +(ERROR|FATAL) /.test(line) ||
    /^Exception in thread |^(Error|Exception|java\.lang\.\w+Error)\b.*:/.test(line) ||
    /^Error: /.test(line)
  );
}

/** The message of a line without time, level and logger. */
function words(line: string): string {
  if (line.startsWith("{")) {
    try {
      const { reason, event } = JSON.parse(line) as { reason?: string; event?: string };
      return reason ?? event ?? line;
    } catch {
      return line;
    }
  }
  return line
    .replace(/^\S+ \S+ (?:\S+ )?\[\d+\] (?:FATAL|PANIC|ERROR): +/, "")
    .replace(/^\S+ +(?:ERROR|FATAL) \d+ --- (?:\[[^\]]*\] +)+\S+ +: /, "")
    .replace(/^\S+ \S+ +(?:ERROR|FATAL) +/, "")
    .replace(/^Exception in thread "[^"]*" /, "");
}
