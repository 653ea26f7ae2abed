import type { ActId, Moment, Undo } from "../../api";
import { FailureError } from "../failures";
import { checkScope, maySee, tableParts } from "../reader";
import { changesOf } from "./act";
import { feedTables } from "./scope";
import { type Asking, note, shownRecords } from "./view";

export type UndoQuestion =
  | { readonly kind: "change"; readonly time: Moment; readonly event: string }
  | ({ readonly kind: "act" } & ActId)
  | {
      readonly kind: "actor";
      readonly actor: string;
      readonly from: Moment;
      readonly to: Moment;
      readonly source?: string | undefined;
    };

/** Changes that one script takes back at most: a person has to read it. */
const most = 1_000;

/** The text that takes something back. It holds values, so masked ones need a reason. */
export async function undo(asking: Asking, question: UndoQuestion, reason?: string): Promise<Undo> {
  const { database } = asking;
  const { tables, records } = await concerned(asking, question);
  for (const table of tables) checkScope(asking.reader, table);
  checkMasked(asking, tables, reason);
  const rows = await database.read<{ sql: string }>(...statementOf(question), asking);
  const sql = rows[0]?.sql ?? "";
  await note(asking, "undo", question, records, reason);
  return { sql, obstacles: obstaclesOf(sql), changes: sql.match(/^DO \$undo/gm)?.length ?? 0 };
}

function checkMasked({ reader }: Asking, tables: readonly string[], reason: string | undefined): void {
  const masked = reader.masked.filter((entry) =>
    tables.some((table) => entry.startsWith(`${tableParts(table).join(".")}.`)),
  );
  if (masked.length === 0) return;
  if (!reader.mayReveal) {
    throw new FailureError("not allowed", `The text would hold values of ${masked.join(", ")}, which you may not see.`);
  }
  if (reason === undefined) {
    throw new FailureError("not allowed", `The text holds values of ${masked.join(", ")}, which are masked.`, [
      "Give a reason. It is recorded with your name.",
    ]);
  }
}

/** Which tables and records the text would be about. */
async function concerned(asking: Asking, question: UndoQuestion) {
  const unscoped: Asking = { ...asking, reader: { ...asking.reader, scope: null, masked: [] } };
  if (question.kind === "change") {
    const rows = await asking.database.read<{ table: string; key: string | null }>(
      "table of a change",
      `SELECT format('%I.%I', line."schema", line."table") AS "table", line.key::text AS key
       FROM audit.change_of($1::timestamptz, $2::uuid) AS line`,
      [question.time, question.event],
      asking,
    );
    const records = rows.flatMap(({ table, key }) => (key === null ? [] : [{ table, key }]));
    return { tables: rows.map(({ table }) => table), records };
  }
  if (question.kind === "actor") {
    const { actor, from, to, source } = question;
    const { tables, changes, isWhole } = await feedTables(unscoped, {
      actor: [actor],
      from,
      to,
      ...(source ? { source } : {}),
    });
    if (!isWhole || changes > most) throw tooMany();
    return { tables, records: [] };
  }
  const { changes, next } = await changesOf(unscoped, question, {}, undefined, most);
  if (next !== null) throw tooMany();
  return {
    tables: [...new Set(changes.map(({ table }) => table))],
    records: shownRecords(changes.filter(visible(asking))),
  };
}

const visible =
  ({ reader }: Asking) =>
  ({ table }: { readonly table: string }) =>
    maySee(reader, table);

const tooMany = () =>
  new FailureError("refused", `The page writes scripts of ${most.toLocaleString("en")} changes at most.`, [
    "Undo a part of it: one act, one change, or a shorter span.",
    "In psql, audit.undo_acts and audit.undo_transaction have no such limit.",
  ]);

function statementOf(question: UndoQuestion): [name: string, text: string, values: readonly unknown[]] {
  switch (question.kind) {
    case "change":
      return ["undo a change", "SELECT audit.undo($1::timestamptz, $2::uuid) AS sql", [question.time, question.event]];
    case "act":
      return [
        "undo an act",
        "SELECT audit.undo_transaction($1::bigint, $2::timestamptz, $3) AS sql",
        [question.transaction, question.time, question.source],
      ];
    case "actor":
      return [
        "undo what an actor did",
        "SELECT audit.undo_acts($1, $2::timestamptz, $3::timestamptz, $4) AS sql",
        [question.actor, question.from, question.to, question.source ?? null],
      ];
  }
}

/** What the text says of obstacles: its comments before statements. */
export function obstaclesOf(sql: string): string[] {
  return [...sql.matchAll(/^-- (.*)$/gm)].map(([, text]) => text as string);
}
