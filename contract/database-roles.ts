/** The roles in the two databases. `database/` creates and limits them; each part that logs in takes the name from here. */
export const databaseRoles = {
  /** Source side, logs in: DMS reads the WAL and the watched tables. */
  capture: "cdc_capture",
  /** Source side, granted to the application: may say who acts. */
  application: "capture_app",
  /** Destination side, logs in: the sink adds rows to the audit table and can change none. */
  writer: "audit_writer",
  /** Destination side, granted to readers: selects from views and functions. */
  reader: "audit_reader",
  /** Destination side, logs in where the reviewer's page is deployed: reads by functions and records who read. */
  review: "audit_review",
} as const;
