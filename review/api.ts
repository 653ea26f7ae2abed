/**
 * What the review server and the page say to each other: one set of types for both. Longer than other files, since an
 * answer is read beside the types that stand in it.
 *
 * All answers are JSON, but for the live tail (server-sent events) and the export (a file). Two rules keep values exact:
 * - A value from the log never stands in an answer as JSON of its own, since `JSON.parse` loses digits. It stands as
 *   {@link JsonText}: a string that holds the value's JSON text as PostgreSQL printed it, such as `"12345678901234567890.10"`
 *   for a number and `"\"paid\""` for a text. Scalars can be shown from that text; a document is parsed by a reader that
 *   keeps every digit (lossless-json).
 * - A moment is text in UTC with microseconds, `2026-11-05T10:00:00.123456Z`. A `Date` would lose the microseconds, which
 *   are part of an act's identity.
 */

/** The JSON text of one value or document, digits as the database has them. */
export type JsonText = string;

/** A time in UTC with six decimals: `2026-11-05T10:00:00.123456Z`. */
export type Moment = string;

/** `schema.table`, parts quoted as in SQL where they need it: `shop.orders`, `"Shop"."Order"`. */
export type TableName = string;

/** Where a list goes on. Only the server reads it. */
export type Cursor = string;

export const operations = ["insert", "update", "delete", "truncate", "schema", "load", "baseline"] as const;
export type Operation = (typeof operations)[number];

/**
 * What is looked for; what is absent is not asked for. Values of one field are alternatives, fields are all required.
 * Travels to the server as JSON in the parameter `filter`; `review/query.ts` makes it from the page's address.
 */
export interface Filter extends Wanted {
  /** What must not be so. */
  readonly not?: Wanted;
  /** A record's key as JSON text, `{"id": 42}`; needs exactly one table. */
  readonly key?: JsonText;
  readonly request?: string;
  /** A transaction's id, digits. */
  readonly transaction?: string;
  readonly source?: string;
  /** From this moment on. Without it the default window counts back from `to`, which the answer says. */
  readonly from?: Moment;
  /** Before this moment; without it, now. */
  readonly to?: Moment;
  /** Free text, looked for in old and new values, without regard to case. */
  readonly text?: string;
}

export interface Wanted {
  readonly actor?: readonly string[];
  readonly table?: readonly TableName[];
  /** Without it: all but `baseline`. */
  readonly operation?: readonly Operation[];
  /** A column whose value was set or changed. */
  readonly column?: readonly string[];
}

/** The span that an answer is about. */
export interface Window {
  readonly from: Moment;
  readonly to: Moment;
  /** Whether `from` is the default, not asked for. */
  readonly isDefault: boolean;
}

/** Identity of an act: one transaction of one source. Of a full load's rows, which have no transaction, those of one moment. */
export interface ActId {
  readonly source: string;
  readonly time: Moment;
  /** Digits; null for a full load's rows. */
  readonly transaction: string | null;
}

/** One line of the feed. */
export interface Act extends ActId {
  readonly actor: string | null;
  /** Others that the transaction named as well, when it named more than one. */
  readonly otherActors: readonly string[];
  /** Consecutive acts with the same request are shown as one group. */
  readonly request: string | null;
  /** What the application said about the transaction: a JSON object; null when nothing. */
  readonly context: JsonText | null;
  /** What it did, per table and operation, the most first. Tables outside of the reader's scope are left out. */
  readonly counts: readonly { readonly table: TableName; readonly operation: Operation; readonly changes: number }[];
  /** Whether counting stopped: then each count and their sum is "at least". */
  readonly hasMore: boolean;
  /** When only one change is in it, or few: the first changes that match the filter, at most {@link limits.firstChanges}. */
  readonly first: readonly Change[];
}

/** A value: its JSON text, or the beginning of one that is too long for a list. The whole is at {@link routes.value}. */
export type Value = JsonText | { readonly cut: string; readonly characters: number };

/** A row, or some columns of it. */
export type Image = Readonly<Record<string, Value>>;

/** One event of the log. */
export interface Change {
  readonly time: Moment;
  readonly event: string;
  readonly source: string;
  readonly transaction: string | null;
  readonly sequence: number | null;
  readonly actor: string | null;
  readonly request: string | null;
  readonly operation: Operation;
  readonly table: TableName;
  /** JSON object of the key's columns after the change; null for a table without a key. */
  readonly key: JsonText | null;
  /** Update: old values of the columns that changed. Delete: the whole old row. */
  readonly before: Image | null;
  /** Insert, update, baseline: the whole new row. */
  readonly after: Image | null;
  /** Columns that changed; of an insert or delete all. Known even where `masked` hides the values. */
  readonly changed: readonly string[];
  /** Columns whose old or new value the stream did not carry: not null, unknown. */
  readonly unknown: readonly string[];
  /** Columns whose value is the text that the stream had, since its type was not known. */
  readonly untyped: readonly string[];
  /** Columns whose values the log never held: they read `"[redacted]"` in the images. */
  readonly redacted: readonly string[];
  /** Columns that are hidden from this reader: absent from both images. {@link routes.reveal} shows them. */
  readonly masked: readonly string[];
  /** Schema: `{"reason", "command", "changes"}` and the shape. Load: when it began and ended, how many rows it read. */
  readonly detail: JsonText | null;
  readonly partition: string | null;
  readonly storedAt: Moment;
}

/** GET {@link routes.feed} `?filter=&before=` */
export interface FeedPage {
  readonly window: Window;
  readonly acts: readonly Act[];
  /** Ask with `before` for older acts; null when the window holds no more. */
  readonly older: Cursor | null;
  /**
   * When the search stopped before it had a full page or the whole window: it looked at everything since this moment.
   * `older` goes on from there; `narrow` says which filter would make it direct.
   */
  readonly searchedBackTo: Moment | null;
  readonly narrow: string | null;
}

/** GET {@link routes.act} `?source=&time=&transaction=&after=&filter=` : an act's changes in their order. */
export interface ActPage {
  readonly act: Act;
  readonly changes: readonly Change[];
  /** Ask with `after` for those that follow; null at the end. */
  readonly next: Cursor | null;
  /** Changes of tables that the reader may not see are left out; whether there are any. */
  readonly hidesTables: boolean;
}

/** What stands between the steps of a record's life. */
export type RecordStep =
  | { readonly kind: "change"; readonly change: Change; readonly related: boolean }
  /** DDL or TRUNCATE of its table, or a full load. */
  | { readonly kind: "table"; readonly change: Change }
  /** The key or the table's name was another from here on (older steps bear `former`). */
  | {
      readonly kind: "moved";
      readonly time: Moment;
      readonly former: { readonly table: TableName; readonly key: JsonText };
    }
  /** The log does not know what happened in between. */
  | { readonly kind: "gap"; readonly from: Moment | null; readonly to: Moment; readonly reason: string };

/** GET {@link routes.record} `?table=&key=&source=&related=1&before=` : newest first. */
export interface RecordPage {
  readonly table: TableName;
  readonly key: JsonText;
  readonly source: string;
  readonly steps: readonly RecordStep[];
  readonly older: Cursor | null;
  /** Set when related records were asked for and could not all be searched. */
  readonly narrow: string | null;
}

/** GET {@link routes.asOf} `?table=&key=&source=&time=` */
export interface AsOf {
  readonly time: Moment;
  /** Null: it did not exist at that time, as far as the log knows; then `absence` says why. */
  readonly row: Image | null;
  readonly unknown: readonly string[];
  readonly masked: readonly string[];
  readonly absence: string | null;
}

/** GET {@link routes.blame} `?table=&key=&source=` : for each column, who gave it the value that it has. */
export interface Blame {
  readonly columns: readonly BlamedColumn[];
  /** Set when the search ended before the record's beginning: columns without a writer were last written before it. */
  readonly searchedBackTo: Moment | null;
}

export interface BlamedColumn {
  readonly column: string;
  /** Absent when masked or unknown. */
  readonly value: Value | null;
  readonly state: "known" | "unknown" | "masked";
  /** Null: not written since the log knows the record. */
  readonly writer: Pick<Change, "time" | "event" | "source" | "transaction" | "actor" | "request" | "operation"> | null;
}

/** GET {@link routes.compare} `?table=&key=&source=&from=&to=` */
export interface Comparison {
  readonly from: AsOf;
  readonly to: AsOf;
  /** Columns that differ, or may differ because one side is unknown. */
  readonly changed: readonly string[];
}

/** GET {@link routes.reads} `?table=&key=&before=` (who looked at a record), or `?before=` alone (this log's readers). */
export interface ReadsPage {
  readonly reads: readonly Read[];
  readonly older: Cursor | null;
}

export interface Read {
  readonly time: Moment;
  readonly reader: string;
  readonly action: "feed" | "act" | "record" | "undo" | "picture" | "export" | "reveal" | "value" | "tail" | "reads";
  readonly table: TableName | null;
  readonly key: JsonText | null;
  /** Why, where a reason was asked for. */
  readonly reason: string | null;
  /** What was asked, as JSON. */
  readonly detail: JsonText;
}

/**
 * GET {@link routes.undo} `?time=&event=` (a change), `?source=&time=&transaction=` (an act), or `?actor=&from=&to=&source=`
 * (everything of an actor in a span). With masked columns a `reason` is needed, which is recorded: the text holds values.
 */
export interface Undo {
  /** SQL to read and to run at the source; comments name what stands in its way. */
  readonly sql: string;
  /** The comments `-- In the way: …` and `-- … stays as it is: …`, without the dashes. */
  readonly obstacles: readonly string[];
  readonly changes: number;
}

/** GET {@link routes.picture} `?filter=` */
export interface Picture {
  readonly window: Window;
  /** Whether the numbers are estimates from a sample of the log: then they say "about". */
  readonly isEstimate: boolean;
  readonly bucketSeconds: number;
  /** Buckets without changes are left out. */
  readonly buckets: readonly { readonly start: Moment; readonly counts: Partial<Record<Operation, number>> }[];
  readonly tables: readonly Top[];
  /** `atLeast` where counting stopped. */
  readonly actors: readonly Top[];
  /** What is counted of an actor: acts when nothing but a span is asked for, changes that fit otherwise. */
  readonly actorsAreCountedBy: "acts" | "changes";
}

export interface Top {
  readonly name: string;
  readonly count: number;
  readonly atLeast: boolean;
}

export const completable = ["actor", "table", "column", "operation", "request", "source"] as const;
/** GET {@link routes.completions} `?of=actor&start=al&table=shop.orders` : at most {@link limits.completions}, in order. */
export interface Completions {
  readonly values: readonly string[];
}

/** GET {@link routes.value} `?time=&event=&side=before|after&column=` : one whole value. */
export interface WholeValue {
  readonly value: JsonText;
}

/** POST {@link routes.reveal} with a JSON body: the hidden columns of one change. Recorded before it answers. */
export interface RevealRequest {
  readonly time: Moment;
  readonly event: string;
  readonly columns: readonly string[];
  readonly reason: string;
}
export interface Revealed {
  readonly before: Image;
  readonly after: Image;
}

/** GET {@link routes.session} */
export interface Session {
  readonly reader: string;
  /** How the reader was told: the link that the command printed, or the load balancer's login. */
  readonly signedInBy: "link" | "load balancer";
  /** Tables that the reader may see, as patterns `schema.table` or `schema.*`; null for all. */
  readonly scope: readonly string[] | null;
  /** `schema.table.column` hidden from this reader. */
  readonly masked: readonly string[];
  readonly mayReveal: boolean;
  readonly sources: readonly string[];
  readonly defaultWindowSeconds: number;
}

/** GET {@link routes.health}, and the event `health` of the tail. Null: this login can't know, and `unknown` says why. */
export interface Health {
  /** The last moment up to which the log is known to be whole: the newest commit that has arrived, canaries included. */
  readonly newest: Moment | null;
  readonly newestStoredAt: Moment | null;
  /** Seconds from commit to row of the newest events. */
  readonly lagSeconds: number | null;
  readonly deadLetters: number | null;
  /** Sentences about what the log says of its own capture: tables unwatched, columns untyped, gaps. */
  readonly problems: readonly string[];
  readonly seal: { readonly state: "unknown"; readonly detail: string };
  /** What can't be told from the log alone, one sentence each. */
  readonly unknown: readonly string[];
}

/**
 * GET {@link routes.tail} `?filter=` : server-sent events. `act` carries {@link Act} (its id is a cursor, which the
 * browser sends back as Last-Event-ID), `health` carries {@link Health}, `trouble` carries {@link Failure}. It begins with
 * the acts of the last minute of the log: the page tells those apart that it has.
 */
export interface TailEvents {
  readonly act: Act;
  readonly health: Health;
  readonly trouble: Failure;
}

/** GET {@link routes.exported} `?filter=&format=csv|ndjson` : a download. Its first line or lines say filter, time, count. */
export type ExportFormat = "csv" | "ndjson";

/** The body of every answer that is not 2xx. */
export interface Failure {
  readonly error: FailureKind;
  /** One sentence for people. */
  readonly message: string;
  /** What would help, a sentence for each. */
  readonly help: readonly string[];
}

export type FailureKind =
  /** 400: a parameter is missing or wrong. */
  | "not understood"
  /** 401: no token, or the login has ended. */
  | "signed out"
  /** 403: outside of the reader's scope, or no reason given. */
  | "not allowed"
  /** 404 */
  | "not found"
  /** 503: the database can't be reached; the page asks again by itself. */
  | "database away"
  /** 504: cancelled; `help` says what would make it faster. */
  | "took too long"
  /** 422: the log refuses, such as an undo of a TRUNCATE. */
  | "refused"
  /** 500 */
  | "broken";

export const routes = {
  session: "/api/session",
  feed: "/api/feed",
  act: "/api/act",
  record: "/api/record",
  asOf: "/api/record/as-of",
  blame: "/api/record/blame",
  compare: "/api/record/compare",
  reads: "/api/reads",
  undo: "/api/undo",
  picture: "/api/picture",
  completions: "/api/completions",
  value: "/api/value",
  reveal: "/api/reveal",
  health: "/api/health",
  tail: "/api/tail",
  exported: "/api/export",
} as const;

/**
 * Addresses of the page, which an application may link to. The server answers each with the page:
 * `/` (feed), `/act/SOURCE/TIME/TRANSACTION` (`-` for a load without one), `/record/SCHEMA.TABLE?key={"id":42}`, `/undo` with
 * the parameters of its question, `/reads`.
 */
export const pages = ["/", "/act/:source/:time/:transaction", "/record/:table", "/undo", "/reads"] as const;

export const limits = {
  /** Acts of a page. */
  acts: 50,
  /** Changes of an act or steps of a record in one page. */
  changes: 50,
  /** Changes of an act up to which they are counted exactly. */
  countedChanges: 1000,
  /** Changes shown in the feed's line without opening it. */
  firstChanges: 1,
  /** Characters of a value in a list. */
  valueCharacters: 20_000,
  completions: 20,
  reasonCharacters: 500,
} as const;

/** A POST must carry this header, which a form of another site can't send. */
export const postHeader = { name: "x-review", value: "1" } as const;
