-- Who looked at what. Readers are audited as writers are: append-only, written by one function alone.

CREATE TABLE IF NOT EXISTS audit.reads (
  read_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  read_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  reader text NOT NULL,
  login text NOT NULL,
  action text COLLATE "C" NOT NULL CONSTRAINT action_is_known CHECK (action IN (
    'feed', 'act', 'record', 'undo', 'picture', 'export', 'reveal', 'value', 'tail', 'reads', 'completions')),
  records jsonb NOT NULL DEFAULT '[]' CONSTRAINT records_are_listed CHECK (jsonb_typeof(records) = 'array'),
  reason text,
  detail jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE audit.reads IS
  'One row per look at the log by the review page, append-only. audit.note_read writes it, audit.seen_by reads it.';
COMMENT ON COLUMN audit.reads.read_id IS 'Place among the reads.';
COMMENT ON COLUMN audit.reads.read_at IS 'When it was noted, which is before the answer left.';
COMMENT ON COLUMN audit.reads.reader IS 'Who looked, as the login of the page says.';
COMMENT ON COLUMN audit.reads.login IS 'The database role that noted it.';
COMMENT ON COLUMN audit.reads.action IS 'What kind of look it was.';
COMMENT ON COLUMN audit.reads.records IS 'The records whose values were shown: [{"table", "key"}]; of an export none, its detail says the filter.';
COMMENT ON COLUMN audit.reads.reason IS 'Why, where a reason was asked for.';
COMMENT ON COLUMN audit.reads.detail IS 'What was asked.';

DO $$
BEGIN
  IF to_regclass('audit.reads_record') IS NULL THEN
    CREATE INDEX reads_record ON audit.reads USING gin (records jsonb_path_ops);
    COMMENT ON INDEX audit.reads_record IS 'Who looked at a record.';
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION audit.keep_reads()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'audit.reads is append-only: % is refused', lower(TG_OP) USING ERRCODE = 'insufficient_privilege';
END
$$;
COMMENT ON FUNCTION audit.keep_reads() IS 'Refuses UPDATE, DELETE and TRUNCATE of audit.reads.';

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'audit.reads'::regclass AND tgname = 'keep_reads') THEN
    CREATE TRIGGER keep_reads BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.reads
      FOR EACH STATEMENT EXECUTE FUNCTION audit.keep_reads();
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION audit.note_read(
  reader text, action text, records jsonb DEFAULT '[]', detail jsonb DEFAULT '{}', reason text DEFAULT NULL
)
RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  noted bigint;
BEGIN
  IF coalesce($1, '') = '' THEN
    RAISE EXCEPTION 'audit.note_read: reader is empty; name who looked' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO audit.reads (reader, login, action, records, reason, detail)
  VALUES ($1, session_user, $2,
    CASE WHEN jsonb_typeof($3) = 'array'
      THEN coalesce((SELECT jsonb_agg(DISTINCT record) FROM jsonb_array_elements($3) AS listed (record)), '[]')
      ELSE coalesce($3, '[]') END,
    $5, coalesce($4, '{}'))
  RETURNING read_id INTO noted;
  RETURN noted;
END
$$;
COMMENT ON FUNCTION audit.note_read(text, text, jsonb, jsonb, text) IS
  'Notes who looked at what: the only way into audit.reads. Returns its place among the reads.';

CREATE OR REPLACE FUNCTION audit.seen_by(
  "table" text DEFAULT NULL, key jsonb DEFAULT NULL, before bigint DEFAULT NULL, most integer DEFAULT 50
)
RETURNS TABLE (
  read_id bigint, "time" timestamptz, reader text, action text, records jsonb, reason text, detail jsonb
)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  named record;
BEGIN
  IF $1 IS NULL THEN
    RETURN QUERY
      SELECT seen.read_id, seen.read_at, seen.reader, seen.action, seen.records, seen.reason, seen.detail
      FROM audit.reads AS seen WHERE $3 IS NULL OR seen.read_id < $3
      ORDER BY seen.read_id DESC LIMIT $4;
    RETURN;
  END IF;
  SELECT * INTO named FROM audit.table_name($1);
  -- Found by the record first, then sorted: looks at one record are few among all.
  RETURN QUERY
    WITH found AS MATERIALIZED (
      SELECT seen.* FROM audit.reads AS seen
      WHERE seen.records @> jsonb_build_array(
        jsonb_build_object('table', format('%I.%I', named.schema_name, named.table_name), 'key', $2))
    )
    SELECT found.read_id, found.read_at, found.reader, found.action, '[]'::jsonb, found.reason, found.detail
    FROM found WHERE $3 IS NULL OR found.read_id < $3
    ORDER BY found.read_id DESC LIMIT $4;
END
$$;
COMMENT ON FUNCTION audit.seen_by(text, jsonb, bigint, integer) IS
  'Who looked at a record, the last one first: audit.seen_by(''shop.orders'', ''{"id": 42}''). Without a table, every look '
  'at the log. Before: the read_id from which an earlier answer goes on.';
