import { type Announcement, saysTheSame } from "./actor";
import { kindOf, restOf } from "./statements";

/**
 * What one connection has announced: it decides, statement by statement, what has to be said before each. An announcement
 * takes the snapshot of its transaction, so it can't go with the BEGIN: an isolation level may follow, and a LOCK has to come
 * before the snapshot. It has to come before the first savepoint, whose rollback would take it back.
 */
export class TransactionState {
  private open = false;
  private readOnly = false;
  private announced: Announcement | undefined;

  /**
   * Notes that a statement is sent.
   *
   * @param text What is sent.
   * @param wanted Who acts. Undefined: it is not known.
   * @returns What to announce in the same transaction and before it, if anything.
   */
  next(text: string, wanted: Announcement | undefined): Announcement | undefined {
    const kind = kindOf(text);
    switch (kind) {
      case "begin":
      case "begin read only":
        return this.begin(text, kind === "begin read only", wanted);
      case "end":
        this.open = /\band\s+chain\b/i.test(text);
        this.announced = undefined;
        return undefined;
      case "rollback to savepoint":
        this.announced = undefined;
        return undefined;
      case "read write":
        this.readOnly = false;
        return undefined;
    }
    const rest = this.open ? undefined : restOf(text);
    const isFirst = kind === "before the snapshot" && (this.open || !rest?.changes);
    const matters = this.open ? !this.readOnly : kind === "write" || rest?.changes === true;
    if (wanted === undefined || isFirst || !matters || (this.open && saysTheSame(wanted, this.announced)))
      return undefined;
    if (this.open) this.announced = wanted;
    return wanted;
  }

  /** What the server says while it waits for a statement: whether a transaction is open. */
  synchronize(open: boolean): void {
    if (open === this.open) return;
    this.open = open;
    this.readOnly = false;
    this.announced = undefined;
  }

  private begin(text: string, readOnly: boolean, wanted: Announcement | undefined): Announcement | undefined {
    const rest = restOf(text);
    this.open = !rest?.ends;
    this.readOnly = readOnly;
    // A BEGIN goes on with the transaction of the announcement before it, if both are sent together.
    this.announced = rest?.changes && !readOnly ? wanted : undefined;
    return this.announced;
  }
}
