/** The first engine that reads PostgreSQL 17. */
export const defaultEngineVersion = "3.6.1";

export const defaultSourcePort = 5432;
