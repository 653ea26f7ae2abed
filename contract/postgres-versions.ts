/** Major versions of PostgreSQL that the SQL of both databases and the local pipeline are made for. */
export const pipelinePostgresVersions: readonly number[] = [15, 16, 17, 18];
