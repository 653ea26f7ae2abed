/** Fields of a log line beside its time, level and event. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one JSON object per line. Events and fields never hold row values. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** A log on standard output. */
export function standardLog(): Log {
  const write =
    (level: string) =>
    (event: string, fields: LogFields = {}) => {
      process.stdout.write(JSON.stringify({ time: new Date().toISOString(), level, event, ...fields }) + "\n");
    };
  return { info: write("info"), warn: write("warn"), error: write("error") };
}
