REVOKE ALL ON SCHEMA audit FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA audit FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;

GRANT USAGE ON SCHEMA audit TO audit_writer, audit_reader, audit_review;

-- Only what the sink's INSERT ... ON CONFLICT (committed_at, event_id) DO NOTHING needs: PostgreSQL asks for SELECT on the
-- columns of the conflict target. The REVOKE takes back what an earlier version gave.
DO $$
DECLARE
  event_columns text := (
    SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
    WHERE attrelid = 'audit.events'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'stored_at'
  );
BEGIN
  EXECUTE format('REVOKE SELECT (%1$s), UPDATE (%1$s) ON audit.events FROM audit_writer', event_columns);
  EXECUTE format('GRANT SELECT (committed_at, event_id), INSERT (%s) ON audit.events TO audit_writer', event_columns);
END
$$;

-- An index uses it, so an insert computes it with the rights of its role. It reads no table.
GRANT EXECUTE ON FUNCTION audit.previous_key(jsonb, jsonb) TO audit_writer;

GRANT SELECT ON audit.log TO audit_reader;
-- The view's, which calls them with the rights of its reader. They read no table.
GRANT EXECUTE ON FUNCTION audit.patched(jsonb, jsonb), audit.old_values(audit.events) TO audit_reader;
GRANT EXECUTE ON FUNCTION
  audit.history(text, jsonb, text, boolean),
  audit.row_as_of(text, jsonb, timestamptz, text),
  audit.row_as_of_explained(text, jsonb, timestamptz, text),
  audit.table_as_of(text, timestamptz, text),
  audit.transaction(bigint, timestamptz, text),
  audit.acts(text, timestamptz, timestamptz, text),
  audit.actors(timestamptz, timestamptz, text),
  audit.undo(timestamptz, uuid),
  audit.undo_transaction(bigint, timestamptz, text),
  audit.undo_acts(text, timestamptz, timestamptz, text)
  TO audit_reader;

-- What people with psql and the page both ask. Each returns a bounded part of the log, but those of a single record's undo.
GRANT EXECUTE ON FUNCTION
  audit.acts_found(jsonb, timestamptz, text, bigint, integer, integer),
  audit.act_line(timestamptz, text, bigint, jsonb, integer),
  audit.feed(jsonb, timestamptz, text, bigint, integer),
  audit.act_changes(timestamptz, text, bigint, jsonb, integer, uuid, integer),
  audit.first_changes(timestamptz[], text[], bigint[]),
  audit.changes_of_acts(timestamptz[], text[], bigint[], jsonb, integer, uuid, integer, bigint),
  audit.actors_between(timestamptz, timestamptz, integer),
  audit.picture(jsonb, integer, integer),
  audit.record_steps(text, jsonb, text, boolean, jsonb, integer),
  audit.table_steps(text, text[], timestamptz, timestamptz, integer),
  audit.record_as_of(text, jsonb, timestamptz, text),
  audit.compare(text, jsonb, timestamptz, timestamptz, text),
  audit.blame(text, jsonb, text, integer),
  audit.completions(text, text, text[], jsonb, integer),
  audit.known_tables(),
  audit.freshness(),
  audit.log_problems(),
  audit.unnamed_writers(bigint),
  audit.seen_by(text, jsonb, bigint, integer),
  audit.moment(timestamptz),
  audit.exact_values(jsonb, text[], integer),
  audit.exact_change(audit.log, jsonb, integer)
  TO audit_reader, audit_review;
-- The page's alone: it notes each look before it answers.
GRANT EXECUTE ON FUNCTION
  audit.note_read(text, text, jsonb, jsonb, text),
  audit.filter_of(jsonb),
  audit.change_of(timestamptz, uuid),
  audit.undo(timestamptz, uuid),
  audit.undo_transaction(bigint, timestamptz, text),
  audit.undo_acts(text, timestamptz, timestamptz, text)
  TO audit_review;

DO $$
DECLARE
  role name;
BEGIN
  FOREACH role IN ARRAY ARRAY['audit_writer', 'audit_reader', 'audit_review'] LOOP
    IF NOT has_database_privilege(role, current_database(), 'CONNECT') THEN
      EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
    END IF;
  END LOOP;
END
$$;
