import { neverAudited } from "../../contract/change-capture";
import {
  readTuples,
  unchangedToast,
  type ChangeOperation,
  type DecodedChange,
  type DecodedValue,
} from "./test-decoding";
import type { TableShape } from "./table-shapes";
import { commitTimestampToIso, TruncationError } from "./values";

/** One record for Kafka, before it is made bytes. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
}

/** A transaction of the source. */
export interface CommittedTransaction {
  readonly transactionId: number;
  /** As test_decoding prints it. */
  readonly committedAt: string;
  /** WAL position of its first change. */
  readonly position: bigint;
}

/** The place of a change in the stream. */
export interface ChangePosition {
  /** WAL position of the change. */
  readonly position: bigint;
  /** Number of the message within its transaction; BEGIN is 1. */
  readonly messageNumber: number;
}

type Tuple = readonly (DecodedValue | undefined)[];

/** A line that was printed with other columns than the shape has. */
export const shapeChanged = Symbol("shape-changed");

/** Builds change records as DMS writes them; remembers the previous record, to which each one refers. */
export class ChangeRecordBuilder {
  private previousTransactionId: number | undefined;
  private previousRecordId = 0;
  private transactionRecordId = 0;
  /** What the records of the current transaction have in common. */
  private transactionId = 0;
  private commitTimestamp = "";
  private transactionPosition = "";

  constructor(
    private readonly beforeImageField: string,
    private readonly now: () => string = microsecondClock(),
  ) {}

  /** Call before the first change of each transaction: its records are numbered from 1. */
  beginTransaction({ transactionId, committedAt, position }: CommittedTransaction): void {
    this.transactionRecordId = 0;
    this.transactionId = transactionId;
    this.commitTimestamp = commitTimestampToIso(committedAt);
    this.transactionPosition = walPosition(position);
  }

  /**
   * The record of one change; {@link shapeChanged} when the shape no longer fits the line; undefined when DMS does not
   * capture the change: an update or delete of a table whose rows have no identity.
   */
  change(
    line: string,
    change: DecodedChange,
    shape: TableShape,
    position: ChangePosition,
  ): OutgoingRecord | undefined | typeof shapeChanged {
    const tuples = readTuples(line, change.operation, change.body, shape.columns);
    if (!tuples) return shapeChanged;
    const { operation } = change;
    const row = operation === "delete" ? tuples.old : tuples.new;
    if (!row) return undefined;
    if (operation !== "insert") this.noticeIdentity(shape, operation, tuples.old);
    if (operation === "update" && !tuples.old && shape.primaryKey.length === 0) return undefined;

    const data = members(shape, row, operation === "delete");
    const image =
      operation === "update"
        ? `,${JSON.stringify(this.beforeImageField)}:{${tuples.old ? members(shape, tuples.old, shape.fullIdentity) : ""}}`
        : "";
    const key = partitionKey(shape, row, tuples.old);
    const value = `{"data":{${data}}${image},"metadata":{${this.metadata(operation, shape, key)}${this.transactionMembers(position)}}}`;
    return { topic: shape.route.topic, key: key.value, value };
  }

  /** The record of a row read by the full load: columns by index, in PostgreSQL's text form. */
  load(row: readonly (string | null)[], shape: TableShape): OutgoingRecord {
    const key = partitionKey(shape, row);
    const value = `{"data":{${members(shape, row, false)}},"metadata":{${this.metadata("load", shape, key)}}}`;
    return { topic: shape.route.topic, key: key.value, value };
  }

  /** The control record that DMS writes for its own table at the start of every task, asked for or not. */
  applyExceptionsTable(topic: string, taskId: string): OutgoingRecord {
    const value =
      `{"metadata":{"timestamp":"${this.now()}","record-type":"control","operation":"create-table",` +
      `"partition-key-type":"task-id","partition-key-value":"${taskId}","schema-name":"",` +
      `"table-name":"${neverAudited.tablePrefix}apply_exceptions"}}`;
    return { topic, key: taskId, value };
  }

  private metadata(operation: string, shape: TableShape, key: PartitionKey): string {
    const keyValue = key.type === "primary-key" ? `"partition-key-value":${JSON.stringify(key.value)},` : "";
    return (
      `"timestamp":"${this.now()}","record-type":"data","operation":"${operation}",` +
      `"partition-key-type":"${key.type}",${keyValue}` +
      `"schema-name":${JSON.stringify(shape.schema)},"table-name":${JSON.stringify(shape.table)}`
    );
  }

  private transactionMembers(position: ChangePosition): string {
    const recordId = ++this.transactionRecordId;
    const previous =
      this.previousTransactionId === undefined
        ? ""
        : `,"prev-transaction-id":${this.previousTransactionId},"prev-transaction-record-id":${this.previousRecordId}`;
    this.previousTransactionId = this.transactionId;
    this.previousRecordId = recordId;
    return (
      `,"transaction-id":${this.transactionId},"transaction-record-id":${recordId}${previous},` +
      `"commit-timestamp":"${this.commitTimestamp}",` +
      `"stream-position":"${this.transactionPosition}.${position.messageNumber}.${walPosition(position.position)}"`
    );
  }

  /** ALTER TABLE … REPLICA IDENTITY changes no column, so the lines themselves have to tell. */
  private noticeIdentity(shape: TableShape, operation: ChangeOperation, old: Tuple | undefined): void {
    if (!old) {
      if (operation === "update") shape.fullIdentity = false;
    } else if (!shape.fullIdentity) {
      shape.fullIdentity = old.some((value, index) => value !== undefined && !shape.identityKey.has(index));
    }
  }
}

/** The members of `data` or of the before image. A missing old value is null, or left out when only the key is known. */
function members(shape: TableShape, row: Tuple, missingIsNull: boolean): string {
  let text = "";
  const { columns, hasKey } = shape;
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as (typeof columns)[number];
    let value = row[index];
    if (value === unchangedToast || (column.isLob && !hasKey)) continue;
    if (value === undefined) {
      if (!missingIsNull) continue;
      value = null;
    }
    if (text !== "") text += ",";
    text += column.member + (value === null ? "null" : toJson(shape, column, value));
  }
  return text;
}

function toJson(shape: TableShape, column: TableShape["columns"][number], value: string): string {
  try {
    return column.toJson(value);
  } catch (error) {
    if (!(error instanceof TruncationError)) throw error;
    throw new TruncationError(`${shape.schema}.${shape.table}.${column.name}: ${error.message}.`);
  }
}

interface PartitionKey {
  readonly type: "primary-key" | "schema-table";
  readonly value: string;
}

/**
 * A table without a primary key is partitioned by its name, even if the mapping asks for the primary key.
 *
 * @param old The old row, which has the values that the WAL does not repeat because they are long and unchanged.
 */
function partitionKey(shape: TableShape, row: Tuple, old?: Tuple): PartitionKey {
  const name = `${shape.schema}.${shape.table}`;
  if (shape.route.partitionKeyType === "schema-table" || shape.primaryKey.length === 0) {
    return { type: "schema-table", value: name };
  }
  const values = shape.primaryKey.map((index) => (row[index] === unchangedToast ? old?.[index] : row[index]));
  return { type: "primary-key", value: `${name}.${values.map((value) => String(value ?? "")).join(".")}` };
}

/** `00000002/7C007178`: both halves of a WAL position in eight hexadecimal digits. */
export function walPosition(position: bigint): string {
  const digits = position.toString(16).toUpperCase().padStart(16, "0");
  return `${digits.slice(0, 8)}/${digits.slice(8)}`;
}

/** ISO-8601 in UTC with microseconds; all clocks of a process agree. */
export function microsecondClock(): () => string {
  return () => {
    const microseconds = Math.round((performance.timeOrigin + performance.now()) * 1000);
    const iso = new Date(Math.floor(microseconds / 1000)).toISOString();
    return `${iso.slice(0, -1)}${String(microseconds % 1000).padStart(3, "0")}Z`;
  };
}
