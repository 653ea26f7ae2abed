import type { ClientBase } from "pg";
import {
  checkEncoding,
  checkInstalled,
  checkVersion,
  checkWriter,
  type ServerFacts,
  serverFactsColumns,
} from "./check-server";
import type { Problem } from "./problems";
import { inTransaction } from "./transaction";

interface DestinationFacts extends ServerFacts {
  readonly can_create_schema: boolean;
  readonly can_create_roles: boolean;
}

const factsQuery = `
  SELECT ${serverFactsColumns},
    rolsuper OR has_database_privilege(current_database(), 'CREATE') OR to_regnamespace('audit') IS NOT NULL
      AS can_create_schema,
    rolsuper OR rolcreaterole OR (to_regrole('audit_writer') IS NOT NULL AND to_regrole('audit_reader') IS NOT NULL)
      AS can_create_roles
  FROM pg_roles WHERE rolname = current_user`;

/** Everything that keeps this role from making the audit log in this database; empty when it is ready. Only reads. */
export async function checkDestination(client: ClientBase): Promise<Problem[]> {
  return inTransaction(client, {}, async () => {
    const { rows } = await client.query<DestinationFacts>(factsQuery);
    const facts = rows[0];
    if (!facts) throw new Error("The server does not know the role that is connected to it.");
    return [
      ...checkVersion(facts),
      ...checkWriter(facts, "The audit log is written"),
      ...checkEncoding(facts),
      ...checkPrivileges(facts),
      ...(await checkInstalled(client, facts, "destination")),
    ];
  });
}

function checkPrivileges(facts: DestinationFacts): Problem[] {
  const problems: Problem[] = [];
  if (!facts.can_create_schema) {
    problems.push({
      what: `Role ${facts.role} may not create schemas in database ${facts.database}`,
      why: "The audit log is kept in the schema audit",
      fix: `GRANT CREATE ON DATABASE "${facts.database}" TO "${facts.role}"`,
    });
  }
  if (!facts.can_create_roles) {
    problems.push({
      what: `Role ${facts.role} may not create roles`,
      why: "The sink writes as audit_writer, and readers read as audit_reader",
      fix: `ALTER ROLE "${facts.role}" CREATEROLE`,
    });
  }
  return problems;
}
