/** A question that somebody asks of the audit log, with the SQL that answers it for the sample below. */
export interface Question {
  readonly title: string;
  readonly hint: string;
  readonly sql: string;
}

/** What the questions ask about; the sample log knows them. */
export const asked = {
  record: 42,
  actor: "user-17@shop.example",
  /** Times of the sample are fixed, so that answers and plans are too. */
  since: "2026-09-01 00:00:00+00",
  until: "2026-10-01 00:00:00+00",
  moment: "2026-09-15 12:00:00+00",
} as const;

export const questions: readonly Question[] = [
  {
    title: "What happened to this record?",
    hint: "Oldest first, through changes of its key. The key holds every key column; numbers are numbers.",
    sql: `SELECT "time", actor, operation, changes
FROM audit.history('shop.orders', '{"id": ${asked.record}}');`,
  },
  {
    title: "Who changed this value last, and from what to what?",
    hint: "`changes` has the changed columns alone, each with `old` and `new`.",
    sql: `SELECT "time", actor, request, changes -> 'status' AS status
FROM audit.history('shop.orders', '{"id": ${asked.record}}')
WHERE changes ? 'status'
ORDER BY "time" DESC
LIMIT 1;`,
  },
  {
    title: "What did it look like then?",
    hint: "Null when the record did not exist at that time, or nothing is known of it yet.",
    sql: `SELECT audit.row_as_of('shop.orders', '{"id": ${asked.record}}', '${asked.moment}');`,
  },
  {
    title: "What did this user do?",
    hint: "In a span of time; by default the last day.",
    sql: `SELECT "time", operation, "table", key, changes
FROM audit.acts('${asked.actor}', '${asked.since}', '${asked.until}');`,
  },
  {
    title: "What else happened in the same transaction?",
    hint: "Transaction ids wrap: the time says which of those with this id is meant.",
    sql: `SELECT sequence, actor, operation, "table", key, changes
FROM audit.transaction(700, '${asked.moment}');`,
  },
  {
    title: "What happened to this table in this hour?",
    hint: "A span of time reads no more partitions than it needs.",
    sql: `SELECT "time", actor, operation, key, changes
FROM audit.log
WHERE "time" >= '${asked.moment}' AND "time" < timestamptz '${asked.moment}' + interval '1 hour'
  AND "schema" = 'shop' AND "table" = 'orders'
ORDER BY "time", sequence;`,
  },
  {
    title: "Who changed most in this time?",
    hint: "Counts the transactions that say who acts; by default those of the last day.",
    sql: `SELECT * FROM audit.actors('${asked.since}', '${asked.until}') LIMIT 10;`,
  },
  {
    title: "Undo this change",
    hint:
      "Writes the SQL that takes the last update of a record back. Read it, then run it in the source database, as yourself: it " +
      "is audited like any other. It fails where somebody changed the row since. `audit.undo_transaction` and " +
      "`audit.undo_acts` write the same for a transaction, and for what an actor did in a span of time.",
    sql: `SELECT audit.undo("time", event_id)
FROM audit.history('shop.orders', '{"id": ${asked.record}}')
WHERE operation = 'update'
ORDER BY "time" DESC
LIMIT 1;`,
  },
];
