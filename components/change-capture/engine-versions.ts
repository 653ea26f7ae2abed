import { pipelinePostgresVersions } from "../../contract/postgres-versions";
import type { Problem } from "../shared/checks";

/** DMS engine that is used unless told otherwise: the first that reads PostgreSQL 17. */
export const defaultEngineVersion = "3.6.1";

/**
 * First DMS engine that reads each major version of PostgreSQL, from the DMS user guide, "Using a PostgreSQL database as an AWS
 * DMS source", read on 2026-12-01 in the newest stored copies. None of them names 18, which Aurora has since June 2026.
 */
export const firstEngineFor: Readonly<Record<string, string>> = { "15": "3.5.1", "16": "3.5.3", "17": "3.6.1" };

/** The major versions of PostgreSQL that DMS reads unless told otherwise: those that its documents name. */
export const dmsPostgresVersions: readonly number[] = Object.keys(firstEngineFor).map(Number);

/** What is wrong with the versions that DMS is said to read. */
export function postgresVersionProblems(versions: readonly number[] | undefined): Problem[] {
  if (versions === undefined) return [];
  const strange = versions.some((version) => !pipelinePostgresVersions.includes(version));
  if (versions.length > 0 && !strange && new Set(versions).size === versions.length) return [];
  return [
    {
      setting: "postgresVersions",
      value: versions,
      allowed: `at least one of ${pipelinePostgresVersions.join(", ")}, each once: the pipeline is made for no other`,
      fix: `Name those that the DMS engine reads, or remove it for ${dmsPostgresVersions.join(", ")}.`,
    },
  ];
}
