import { type Announcement, announceText, literalText } from "./actor";

/** What this package uses of node-postgres's connection: the messages of the extended protocol. */
export interface Connection {
  readonly stream: { cork?(): void; uncork?(): void };
  /** Texts by the names under which they were sent to be parsed, and are not known to be; old versions lack it. */
  readonly submittedNamedStatements?: Record<string, string>;
  parse(message: { text: string; name: string; types: readonly number[] }): void;
  bind(message: { portal: string; statement: string; values: readonly unknown[] }): void;
  execute(message: { portal: string; rows: number }): void;
  sync(): void;
}

/** A query of node-postgres, or another object that it can submit, such as a cursor. */
export interface Query {
  name?: string | undefined;
  text?: string;
  submit(connection: Connection): Error | null | undefined | void;
  handleRowDescription?: ((message: unknown) => void) | undefined;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
  handleReadyForQuery(connection: Connection): void;
  handleError(error: Error, connection: Connection): void;
  requiresPreparation?(): boolean;
  handleCopyData?: unknown;
  handleCopyInResponse?: unknown;
}

/**
 * Makes a query say who acts when it is submitted: both go to the server together and run in one transaction, so a name costs
 * no trip. The answer to the announcement is swallowed; if the server refuses it, the query fails with that error.
 */
export function carry(query: Query, announcement: Announcement): void {
  if (isSimple(query)) return carryInText(query, announcement);
  const { submit } = query;
  query.submit = (connection) => {
    query.submit = submit;
    connection.stream.cork?.();
    try {
      connection.parse({ text: announceText, name: "", types: [] });
      connection.bind({ portal: "", statement: "", values: announcement });
      connection.execute({ portal: "", rows: 0 });
      submitBehind(query, connection);
    } finally {
      connection.stream.uncork?.();
    }
    return null;
  };
}

/** Submits a query whose announcement is under way, and keeps the announcement's answer from it. */
function submitBehind(query: Query, connection: Connection): void {
  const { name, handleDataRow, handleCommandComplete, handleError } = query;
  const own = { name, handleDataRow, handleCommandComplete, handleError };
  const wasSubmitted = name !== undefined && connection.submittedNamedStatements?.[name] !== undefined;
  query.handleDataRow = () => undefined;
  query.handleCommandComplete = () => Object.assign(query, own);
  query.handleError = (error, over) => {
    // node-postgres's own, such as a timeout: the announcement will be answered all the same.
    if (!isOfServer(error)) return handleError.call(query, error, over);
    Object.assign(query, own);
    if (name && !wasSubmitted) delete connection.submittedNamedStatements?.[name];
    query.handleError(error, over);
  };
  const refusal = errorOf(() => query.submit(connection));
  // node-postgres notes that a query's name is parsed when the server says so, which it says of the announcement first.
  if (name) query.name = undefined;
  if (!refusal) return;
  // The query sent nothing. It fails when the announcement is answered, or the next query would get the answer.
  connection.sync();
  query.handleReadyForQuery = (over) => handleError.call(query, refusal, over);
}

/**
 * A simple query has the announcement as the first of its statements. Messages of the extended protocol before it would begin a
 * transaction that PostgreSQL 18 leaves open behind it.
 */
function carryInText(query: Query, announcement: Announcement): void {
  const { text, submit, handleRowDescription, handleDataRow, handleCommandComplete, handleError } = query;
  const own = { text, handleRowDescription, handleDataRow, handleCommandComplete };
  const before = `${literalText(announcement)}; `;
  query.text = `${before}${text}`;
  // node-postgres fails a query whose submission returns an error.
  query.submit = (connection) => errorOf(() => submit.call(query, connection));
  query.handleRowDescription = () => undefined;
  query.handleDataRow = () => undefined;
  query.handleCommandComplete = () => Object.assign(query, own);
  query.handleError = (error: Error & { position?: string }, over) => {
    Object.assign(query, own);
    // The place in the text that the caller wrote.
    if (error.position) error.position = String(Number(error.position) - [...before].length);
    handleError.call(query, error, over);
  };
}

/** Whether it is sent by the simple protocol, as COPY is by pg-copy-streams. A cursor is not. */
function isSimple(query: Query): boolean {
  if (query.requiresPreparation) return !query.requiresPreparation();
  return query.handleCopyData !== undefined || query.handleCopyInResponse !== undefined;
}

const isOfServer = (error: Error) => (error as { severity?: unknown }).severity !== undefined;

/** What a submission returns or throws. */
function errorOf(submission: () => Error | null | undefined | void): Error | undefined {
  try {
    return submission() ?? undefined;
  } catch (error) {
    return error as Error;
  }
}
