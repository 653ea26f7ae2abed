import { type Announcement, announceText } from "./actor";

/** What this package uses of node-postgres's connection: the messages of the extended protocol. */
export interface Connection {
  readonly stream: { cork?(): void; uncork?(): void };
  readonly parsedStatements: Record<string, string>;
  parse(message: { text: string; name: string; types: readonly number[] }): void;
  bind(message: { portal: string; statement: string; values: readonly unknown[] }): void;
  execute(message: { portal: string; rows: number }): void;
  sync(): void;
}

/** A query of node-postgres, or another object that it can submit, such as a cursor. */
export interface Query {
  readonly name?: string;
  submit(connection: Connection): Error | null | undefined | void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
  handleError(error: Error, connection: Connection): void;
  requiresPreparation?(): boolean;
}

/**
 * Makes a query say who acts when it is submitted: both go to the server together and run in one transaction, so a name costs
 * no trip. The answer to the announcement is swallowed; if the server refuses it, the query fails with that error.
 */
export function carry(query: Query, announcement: Announcement): void {
  const isSimple = query.requiresPreparation !== undefined && !query.requiresPreparation();
  const { submit, handleDataRow, handleCommandComplete, handleError } = query;
  const own = { handleDataRow, handleCommandComplete, handleError };
  query.submit = (connection) => {
    query.submit = submit;
    const name = query.name ?? "";
    const wasParsed = name !== "" && connection.parsedStatements[name] !== undefined;
    query.handleDataRow = () => undefined;
    query.handleCommandComplete = () => Object.assign(query, own);
    query.handleError = (error, over) => {
      Object.assign(query, own);
      // The server answered that it had parsed the announcement; node-postgres noted it of the query.
      if (name !== "" && !wasParsed) delete connection.parsedStatements[name];
      // After an error the server skips everything up to a Sync, which a simple query does not send.
      if (isSimple) connection.sync();
      query.handleError(error, over);
    };
    connection.stream.cork?.();
    try {
      connection.parse({ text: announceText, name: "", types: [] });
      connection.bind({ portal: "", statement: "", values: announcement });
      connection.execute({ portal: "", rows: 0 });
      return query.submit(connection);
    } finally {
      connection.stream.uncork?.();
    }
  };
}
