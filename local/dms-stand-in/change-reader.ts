import { shapeChanged, walPosition } from "./change-records";
import type { ChangePosition, ChangeRecordBuilder, OutgoingRecord } from "./change-records";
import type { RecordWriter } from "./record-writer";
import type { WalMessage } from "./replication-stream";
import type { TableShape, TableShapes } from "./table-shapes";
import { decodeMessage, DecodingError, isAboutRows, printedColumns } from "./test-decoding";
import type { ChangeOperation, DecodedChange, DecodedMessage, PrintedColumn } from "./test-decoding";
import { TransactionBuffer } from "./transaction-buffer";

/** Turns the messages of a slot into records, a transaction at a time: only its COMMIT tells when it was committed. */
export class ChangeReader {
  private readonly shapesInUse = new Map<string, TableShape | undefined>();
  private readonly transaction = new TransactionBuffer();
  private transactionId = 0;

  constructor(
    private readonly shapes: TableShapes,
    private readonly records: ChangeRecordBuilder,
    private readonly writer: RecordWriter,
  ) {}

  /** Takes what one read brought. The promise stays open while Kafka is behind. */
  async take(messages: readonly WalMessage[]): Promise<void> {
    for (const { line, position } of messages) {
      if (line === undefined) {
        // A keepalive: everything that was committed before this position has been sent.
        this.writer.mark(position);
        continue;
      }
      // The lines of rows are read at the end of the transaction.
      const boundary = isAboutRows(line) ? undefined : decodeMessage(line);
      if (boundary?.kind === "commit") await this.commit(boundary, position);
      else if (boundary?.kind === "begin") this.transaction.clear();
      else this.transaction.add(position, line);
    }
  }

  /** Forgets a transaction that was cut off: the server sends it again from its beginning. */
  discard(): void {
    this.transaction.clear();
  }

  private async commit(commit: Extract<DecodedMessage, { kind: "commit" }>, end: bigint): Promise<void> {
    this.transactionId = commit.transactionId;
    this.records.beginTransaction({
      transactionId: commit.transactionId,
      committedAt: commit.committedAt,
      position: this.transaction.firstPosition ?? end,
    });
    // BEGIN is message 1.
    let messageNumber = 1;
    for (const group of this.transaction.groups()) {
      for (const message of group) {
        messageNumber++;
        const change = decodeMessage(message.line);
        if (change.kind !== "change") continue;
        const record = await this.record(message.line, change, { position: message.position, messageNumber });
        if (record) this.writer.add(record);
        const room = this.writer.capacity();
        if (room) await room;
      }
    }
    this.transaction.clear();
    this.writer.mark(end);
  }

  private async record(
    line: string,
    change: DecodedChange,
    position: ChangePosition,
  ): Promise<OutgoingRecord | undefined> {
    const { relation } = change;
    let shape = this.shapesInUse.has(relation) ? this.shapesInUse.get(relation) : await this.load(relation);
    if (!shape) return undefined;
    let record = this.records.change(line, change, shape, position);
    if (record !== shapeChanged) return record;
    shape = await this.shapeFor(line, change);
    record = shape && this.records.change(line, change, shape, position);
    if (record !== shapeChanged) return record;
    throw new DecodingError(`A change of ${relation} at ${walPosition(position.position)} could not be read.`);
  }

  private async load(relation: string): Promise<TableShape | undefined> {
    const shape = await this.shapes.load(relation, this.transactionId);
    this.shapesInUse.set(relation, shape);
    return shape;
  }

  /** The shape that fits a line: as the catalog has it now or, for a line from before an ALTER TABLE, the line's own. */
  private async shapeFor(line: string, change: DecodedChange): Promise<TableShape | undefined> {
    const current = await this.load(change.relation);
    if (!current) return undefined;
    const printed = printedColumns(line, change.operation, change.body);
    const isIt = (shape: TableShape) => fits(shape, printed, change.operation);
    const shape = isIt(current)
      ? current
      : (this.shapes.earlier(current, isIt) ?? this.shapes.reconstruct(current, printed));
    this.shapesInUse.set(change.relation, shape);
    return shape;
  }
}

/** Whether lines with these columns can be read; an old tuple may lack some. */
function fits(shape: TableShape, printed: readonly PrintedColumn[], operation: ChangeOperation): boolean {
  const prefixes = shape.columns.map(({ prefix }) => prefix);
  const wanted = printed.map(({ prefix }) => prefix);
  if (operation === "delete") return wanted.every((prefix) => prefixes.includes(prefix));
  return wanted.length === prefixes.length && wanted.every((prefix, index) => prefix === prefixes[index]);
}
