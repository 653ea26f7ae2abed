import deployerPolicy from "../docs/deployer-policy.json";

/**
 * Actions that only read. Values of secrets are among them: a refresh compares them, and the passwords of MSK and DMS are in
 * the state. MSK asks for Connect of everybody who reads topics; it allows nothing by itself.
 */
const reading = /:(Describe|Get|List)|^kms:Decrypt$|^kafka-cluster:Connect$/;

/** What a preview and a search for drift may do: of what the deployer may, the part that changes nothing. */
export function previewPolicy() {
  const statements = deployerPolicy.Statement.map((statement) => ({
    ...statement,
    Action: statement.Action.filter((action) => reading.test(action)),
  }));
  return { ...deployerPolicy, Statement: statements.filter(({ Action }) => Action.length > 0) };
}
