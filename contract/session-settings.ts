/**
 * How the pipeline's sessions spell values and times, and what it expects of text that it reads. Server, database, role and
 * connection URL may each say otherwise. `capture.role_settings` gives the role that DMS reads as the same.
 */
export const valueSettings = {
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  bytea_output: "hex",
  extra_float_digits: "1",
} as const;

/** Where sessions that only name objects with their schemas look for others: where nobody else can put any. */
export const systemSearchPath = "pg_catalog, pg_temp";

/** PostgreSQL's own default. It decides which types the output plugin of a replication slot names without their schema. */
export const captureSearchPath = '"$user", public';

/** A statement that pins {@link valueSettings} for a session, and its search path if there is one to pin. */
export function pinSession(searchPath?: string): string {
  return [
    ...Object.entries(valueSettings).map(([name, value]) => `SET ${name} = '${value}'`),
    ...(searchPath === undefined ? [] : [`SET search_path = ${searchPath}`]),
  ].join("; ");
}
