/** DMS engine that is used unless told otherwise: the first that reads PostgreSQL 17. */
export const defaultEngineVersion = "3.6.1";

/** First DMS engine that reads each major version of PostgreSQL. */
export const firstEngineFor: Readonly<Record<string, string>> = { "15": "3.5.1", "16": "3.5.3", "17": "3.6.1" };

/** The major versions of PostgreSQL that DMS reads, for the operator to check at the database itself. */
export const dmsPostgresVersions: readonly number[] = Object.keys(firstEngineFor).map(Number);
