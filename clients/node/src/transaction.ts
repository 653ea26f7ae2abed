import { type Announcement, namesNobody, saysTheSame } from "./actor";
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
  /** Whether anything was announced in this transaction. A rollback to a savepoint leaves open whether it still holds. */
  private told = false;

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
        this.enter(/\band\s+chain\b/i.test(text), this.readOnly);
        return undefined;
      case "rollback to savepoint":
        this.announced = undefined;
        return undefined;
      case "read write":
        this.readOnly = false;
        return undefined;
    }
    if (wanted === undefined || !this.isNews(wanted)) return undefined;
    // Together with an announcement a procedure could not commit.
    if (!this.open && kind === "procedure") return undefined;
    if (!this.open) return this.mattersAlone(text, kind === "write") ? wanted : undefined;
    if (kind === "before the snapshot" || this.readOnly) return undefined;
    return this.say(wanted);
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** What the server says while it waits for a statement: whether a transaction is open. */
  synchronize(open: boolean): void {
    if (open !== this.open) this.enter(open, false);
  }

  private begin(text: string, readOnly: boolean, wanted: Announcement | undefined): Announcement | undefined {
    const rest = restOf(text);
    this.enter(!rest?.ends, readOnly);
    if (wanted === undefined || namesNobody(wanted) || readOnly || !rest?.changes || rest.needsFirst) return undefined;
    // A BEGIN goes on with the transaction of the announcement before it, if both are sent together.
    return this.say(wanted);
  }

  private enter(open: boolean, readOnly: boolean): void {
    this.open = open;
    this.readOnly = readOnly;
    this.announced = undefined;
    this.told = false;
  }

  private say(wanted: Announcement): Announcement {
    this.announced = wanted;
    this.told = true;
    return wanted;
  }

  /** Whether it is something else than what holds. Nobody acts where nothing was announced, so that needs no saying. */
  private isNews(wanted: Announcement): boolean {
    if (namesNobody(wanted) && !(this.open && this.told)) return false;
    return !(this.open && saysTheSame(wanted, this.announced));
  }

  /** Whether a text outside a transaction may change rows, and bears an announcement before it. */
  private mattersAlone(text: string, writes: boolean): boolean {
    const rest = restOf(text);
    return rest ? (writes || rest.changes) && !rest.needsFirst : writes;
  }
}
