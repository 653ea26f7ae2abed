import { randomUUID } from "node:crypto";
import type { EventInput } from "./audit-events";

/** A table as its schema events describe it. */
export interface ShapeInput {
  readonly relation: number;
  readonly key: readonly string[];
  readonly columns: readonly (readonly [name: string, type: string, number?: number])[];
  readonly foreign_keys?: readonly object[];
  readonly root?: { readonly schema: string; readonly table: string };
}

/**
 * The events of one source in the order of its stream, for tests that write a log without a pipeline. Each transaction
 * takes the next place, whatever time it is given.
 */
export class Stream {
  readonly events: EventInput[] = [];
  private order: number;
  private transaction = 100;
  private sequence = 0;
  private time = "2026-11-05T10:00:00Z";

  constructor(
    readonly source: string = "test",
    firstOrder = 1_762_000_000_000_000,
  ) {
    this.order = firstOrder;
  }

  /** Begins a transaction that commits at this time of 5 November 2026. */
  at(time: string): this {
    this.time = `2026-11-05T${time}Z`;
    this.transaction++;
    this.sequence = 0;
    return this;
  }

  /** Says who acts in the transaction. */
  by(actor: string, request_id?: string, context?: object): this {
    return this.add({ operation: "context", table: "capture.signal", actor, request_id, context });
  }

  shape(table: string, shape: ShapeInput, context: object = { reason: "watch" }): this {
    const after = {
      relation: shape.relation,
      replica_identity: "full",
      key: shape.key,
      columns: shape.columns.map(([name, type, number], index) => ({ name, type, number: number ?? index + 1 })),
      ...(shape.foreign_keys && { foreign_keys: shape.foreign_keys }),
      ...(shape.root && { root: shape.root }),
    };
    return this.add({ operation: "schema", table, after, context });
  }

  drop(table: string, command = "DROP TABLE"): this {
    return this.add({
      operation: "schema",
      table,
      after: { key: [], columns: [] },
      context: { reason: "drop", command },
    });
  }

  context(actor: string, request_id?: string): this {
    return this.add({ operation: "context", table: "capture.signal", actor, request_id, context: {} });
  }

  insert(table: string, key: object, row: object, partition_name?: string): this {
    return this.add({ operation: "insert", table, record_key: key, after: row, partition_name });
  }

  baseline(table: string, key: object | null, row: object, partition_name?: string): this {
    return this.add({
      operation: "baseline",
      table,
      record_key: key,
      after: row,
      partition_name,
      transaction_id: null,
      sequence: null,
    });
  }

  /** `before` holds the old values that changed. */
  update(table: string, key: object, before: object, after: object, partition_name?: string): this {
    return this.add({ operation: "update", table, record_key: key, before, after, partition_name });
  }

  delete(table: string, key: object, row: object, partition_name?: string): this {
    return this.add({ operation: "delete", table, record_key: key, before: row, partition_name });
  }

  truncate(table: string): this {
    return this.add({ operation: "truncate", table });
  }

  /** That a full load between two times of 5 November 2026 read so many rows. */
  load(table: string, started: string, ended: string, rows: number): this {
    const [started_at, ended_at] = [started, ended].map((time) => `2026-11-05T${time}Z`);
    return this.add({ operation: "load", table, context: { started_at, ended_at, rows } });
  }

  private add(event: Omit<EventInput, "committed_at">): this {
    this.events.push({
      event_id: randomUUID(),
      committed_at: this.time,
      source_id: this.source,
      transaction_id: this.transaction,
      sequence: ++this.sequence,
      stream_order: this.order++,
      ...event,
    });
    return this;
  }
}
