import definition from "./audit-events-table.json";

/** PostgreSQL types that a column of `audit.events` may have; the sink's converter maps each to a Connect schema. */
export type AuditEventsColumnType = "timestamptz" | "uuid" | "text" | "bigint" | "integer" | "jsonb" | "text[]";

/** One column of the table `audit.events`, and (except `stored_at`) one field of an audit event. */
export interface AuditEventsColumn {
  readonly name: string;
  readonly type: AuditEventsColumnType;
  readonly required?: boolean;
  readonly meaning: string;
}

/**
 * The audit table, defined once in `audit-events-table.json`: the sink's converter reads the same file, the SQL is
 * checked against it by a test, and the column comments come from it.
 */
export const auditEventsTable = {
  schema: definition.schema,
  table: definition.table,
  /** `audit.events`: also the name of the topic that feeds it. */
  qualifiedName: `${definition.schema}.${definition.table}`,
  primaryKey: definition.primaryKey as readonly string[],
  operations: definition.operations as readonly string[],
  /** The columns that an audit event carries. */
  eventColumns: definition.columns as readonly AuditEventsColumn[],
  /** All columns of the table. */
  columns: [...definition.columns, ...definition.databaseColumns] as readonly AuditEventsColumn[],
} as const;
