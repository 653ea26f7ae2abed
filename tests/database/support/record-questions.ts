import type { Client } from "pg";

const endOfDay = "2026-11-05T23:59:59Z";

/** What a reader asks of a log whose events are of 5 November 2026. */
export interface RecordQuestions {
  /** A record at a time of that day, by default its end. */
  asOf(table: string, key: object, time?: string, source?: string): Promise<unknown>;
  unknownAsOf(table: string, key: object, time?: string): Promise<Record<string, { reason: string }>>;
  tableAsOf(table: string, time?: string, source?: string): Promise<object[]>;
  /** What happened to a record, as `operation` and what changed. */
  history(table: string, key: object, source?: string): Promise<string[]>;
  /** What a question that can have no answer is told, with its hint. */
  refusal(statement: string, parameters: readonly unknown[]): Promise<string>;
}

/** The questions of {@link RecordQuestions}, asked by a connection that is there once the tests run. */
export function recordQuestions(reader: () => Client): RecordQuestions {
  async function asOf(table: string, key: object, time?: string, source?: string): Promise<unknown> {
    const at = time ? `2026-11-05T${time}Z` : endOfDay;
    const { rows } = await reader().query('SELECT audit.row_as_of($1, $2, $3, $4) AS "row"', [table, key, at, source]);
    return rows[0].row;
  }

  async function unknownAsOf(table: string, key: object, time?: string): Promise<Record<string, { reason: string }>> {
    const at = time ? `2026-11-05T${time}Z` : endOfDay;
    const { rows } = await reader().query("SELECT unknown FROM audit.row_as_of_explained($1, $2, $3)", [
      table,
      key,
      at,
    ]);
    return rows[0]?.unknown;
  }

  async function tableAsOf(table: string, time?: string, source?: string): Promise<object[]> {
    const at = time ? `2026-11-05T${time}Z` : endOfDay;
    const { rows } = await reader().query('SELECT "row" FROM audit.table_as_of($1, $2, $3) ORDER BY key', [
      table,
      at,
      source,
    ]);
    return rows.map(({ row }) => row as object);
  }

  async function history(table: string, key: object, source?: string): Promise<string[]> {
    const { rows } = await reader().query("SELECT operation, before, after FROM audit.history($1, $2, $3)", [
      table,
      key,
      source,
    ]);
    return rows.map(({ operation, before, after }) => {
      if (operation === "delete") return `delete ${JSON.stringify(before)}`;
      if (operation !== "update") return `${operation} ${JSON.stringify(after)}`;
      const changed = Object.keys(before).map((name) => `${name} ${before[name]} → ${after[name]}`);
      return `update ${changed.join(", ")}`;
    });
  }

  const refusal = async (statement: string, parameters: readonly unknown[]): Promise<string> => {
    const error = await reader()
      .query(statement, [...parameters])
      .then(
        () => new Error("it was answered"),
        (refused: Error & { hint?: string }) => refused,
      );
    return `${error.message}\n${(error as { hint?: string }).hint ?? ""}`;
  };

  return { asOf, unknownAsOf, tableAsOf, history, refusal };
}
