-- A record's page: its life in pages, who gave each column its value, and how it was at a moment.

CREATE OR REPLACE FUNCTION audit.moment(at timestamptz)
RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN isfinite(at) THEN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ELSE at::text END
$$;
COMMENT ON FUNCTION audit.moment(timestamptz) IS 'A time in UTC with its microseconds, as ISO 8601 writes it.';

CREATE OR REPLACE FUNCTION audit.exact_values(image jsonb, concealed text[] DEFAULT '{}', longest integer DEFAULT NULL)
RETURNS jsonb
-- In plpgsql, as the next one, so that a session plans it once: a page asks it for each of its changes.
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF image IS NULL OR jsonb_typeof(image) <> 'object' THEN
    RETURN NULL;
  END IF;
  RETURN (
    SELECT coalesce(jsonb_object_agg(name,
      CASE WHEN length(text) > longest THEN jsonb_build_object('cut', left(text, longest), 'characters', length(text))
        ELSE to_jsonb(text) END), '{}')
    FROM (SELECT key AS name, value::text AS text FROM jsonb_each(image)) AS part
    WHERE name <> ALL (concealed)
  );
END
$$;
COMMENT ON FUNCTION audit.exact_values(jsonb, text[], integer) IS
  'An image with each value as its JSON text, which no reader rounds, without concealed columns; of a longer text its '
  'beginning and its length.';

CREATE OR REPLACE FUNCTION audit.exact_change(line audit.log, hidden jsonb DEFAULT NULL, longest integer DEFAULT 20000)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  concealed text[] := '{}';
  changed text[];
  redacted text[] := '{}';
  masked text[] := '{}';
BEGIN
  IF hidden IS NOT NULL THEN
    concealed := ARRAY(SELECT jsonb_array_elements_text(hidden -> (line."schema" || E'\x01' || line."table")));
    masked := ARRAY(
      SELECT name FROM unnest(concealed) AS listed (name) WHERE line.before ? name OR line.after ? name ORDER BY 1);
  END IF;
  changed := ARRAY(
    SELECT jsonb_object_keys(CASE WHEN line.operation IN ('update', 'delete') THEN line.before
      WHEN line.operation IN ('insert', 'baseline') THEN line.after END)
    UNION
    SELECT unnest(line.unknown_columns) WHERE line.operation = 'update'
    ORDER BY 1
  );
  IF line.operation IN ('insert', 'update', 'delete', 'baseline')
    AND (line.before @? '$.* ? (@ == "[redacted]")' OR line.after @? '$.* ? (@ == "[redacted]")') THEN
    redacted := ARRAY(
      SELECT DISTINCT key FROM (
        SELECT * FROM jsonb_each(line.before) UNION ALL SELECT * FROM jsonb_each(line.after)
      ) AS part (key, value)
      WHERE value = '"[redacted]"' ORDER BY 1);
  END IF;
  RETURN jsonb_build_object(
    'time', audit.moment(line."time"), 'event', line.event_id, 'source', line.source,
    'transaction', line.transaction::text, 'sequence', line.sequence, 'actor', line.actor, 'request', line.request,
    'operation', line.operation, 'table', format('%I.%I', line."schema", line."table"), 'key', line.key::text,
    'before', audit.exact_values(line.before, concealed, longest),
    'after', audit.exact_values(line.after, concealed, longest),
    'changed', to_jsonb(changed),
    'unknown', to_jsonb(coalesce(line.unknown_columns, '{}')), 'untyped', to_jsonb(coalesce(line.untyped_columns, '{}')),
    'redacted', to_jsonb(redacted), 'masked', to_jsonb(masked),
    'detail', line.detail::text, 'partition', line.partition, 'storedAt', audit.moment(line.stored_at)
  );
END
$$;
COMMENT ON FUNCTION audit.exact_change(audit.log, jsonb, integer) IS
  'A line of the log as JSON for a page: values as their JSON text, what is unknown, untyped, redacted or masked by name.';

CREATE OR REPLACE FUNCTION audit.record_steps(
  "table" text, key jsonb, source text DEFAULT NULL, related boolean DEFAULT false, after_step jsonb DEFAULT NULL,
  most integer DEFAULT 50
)
RETURNS TABLE (line audit.log, place bigint[], is_related boolean, next_step jsonb, of_source text)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  final record;
  newer audit.events;
BEGIN
  IF after_step IS NULL THEN
    SELECT * INTO final FROM audit.record_at_end($1, $2, $3);
  ELSE
    SELECT * INTO newer FROM audit.events AS event
    WHERE event.committed_at = (after_step ->> 'time')::timestamptz AND event.event_id = (after_step ->> 'event')::uuid;
    SELECT newer.source_id AS of_source, newer.schema_name::text AS last_schema, newer.table_name::text AS last_table,
      after_step -> 'key' AS last_key,
      audit.place(newer.stream_order, newer.committed_at, newer.transaction_id, newer.sequence) AS end_place
    INTO final;
  END IF;
  RETURN QUERY
    WITH step AS MATERIALIZED (
      SELECT * FROM audit.record_lines(final.of_source, final.last_schema, final.last_table, final.last_key,
        final.end_place, false, most, newer)
    ), lowest AS (
      SELECT min(step.place) AS place, count(*) FILTER (WHERE step.next_key IS NOT NULL) AS count FROM step
    )
    SELECT step.line, step.place, false,
      CASE WHEN step.next_key IS NOT NULL AND step.place = lowest.place AND lowest.count >= most
        THEN jsonb_build_object('time', audit.moment((step.line)."time"),
          'event', coalesce(step.moved_from, (step.line).event_id), 'key', step.next_key) END,
      final.of_source
    FROM step CROSS JOIN lowest
    UNION ALL
    -- Of the records that refer to it: what happened meanwhile.
    SELECT ROW(log.*)::audit.log, stands.place, true, NULL, final.of_source
    FROM lowest CROSS JOIN audit.referring(final.of_source, final.last_schema, final.last_table, final.last_key) AS child
    JOIN audit.log ON log."time" = child.committed_at AND log.event_id = child.event_id
    CROSS JOIN LATERAL (
      SELECT audit.place(log.stream_order, log."time", log.transaction, log.sequence) AS place
    ) AS stands
    WHERE related AND stands.place < final.end_place AND (lowest.count < most OR stands.place > lowest.place)
    ORDER BY 2 DESC;
END
$$;
COMMENT ON FUNCTION audit.record_steps(text, jsonb, text, boolean, jsonb, integer) IS
  'The life of a record, the last step first, in pages: after_step is the next_step that an earlier answer ended with. The '
  'steps are those of audit.history. Related steps read every event of the tables that refer to it.';

CREATE OR REPLACE FUNCTION audit.table_steps(
  source text, tables text[], since timestamptz, until timestamptz, most integer DEFAULT 50
)
RETURNS SETOF audit.log
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  names text[] := audit.filter_names(to_jsonb(tables));
BEGIN
  RETURN QUERY
    SELECT log.* FROM (
      SELECT event.committed_at, event.event_id FROM audit.events AS event
      WHERE event.operation IN ('truncate', 'schema', 'load')
        AND event.operation IN ('delete', 'truncate', 'schema', 'load')
        AND event.committed_at >= since AND event.committed_at <= until
        AND event.schema_name || E'\x01' || event.table_name = ANY (names) AND event.source_id = $1
      ORDER BY event.committed_at DESC LIMIT most
    ) AS found
    JOIN audit.log ON log."time" = found.committed_at AND log.event_id = found.event_id
    ORDER BY log."time" DESC, log.sequence DESC;
END
$$;
COMMENT ON FUNCTION audit.table_steps(text, text[], timestamptz, timestamptz, integer) IS
  'Schema changes, truncates and full loads of tables in a span of time, the last one first.';

CREATE OR REPLACE FUNCTION audit.record_as_of(
  "table" text, key jsonb, "time" timestamptz DEFAULT now(), source text DEFAULT NULL
)
RETURNS TABLE ("row" jsonb, unknown jsonb, doubt jsonb, named text, named_key jsonb)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  final record;
  then_version record;
  later_key jsonb;
  later_shape jsonb;
BEGIN
  SELECT * INTO final FROM audit.record_at_end($1, $2, $4);
  -- The key that it had: what the first of its changes since then left behind. Most tables never saw a key change.
  IF EXISTS (
    SELECT FROM audit.events AS event
    WHERE event.operation = 'update' AND NOT (event.record_key || event.before) @> event.record_key
      AND event.table_name IN (
        SELECT life.stored_table
        FROM audit.life(final.of_source, final.last_schema, final.last_table, 'infinity', final.end_place) AS life)
  ) OR EXISTS (
    SELECT FROM audit.newest_touch(
      final.of_source, final.last_schema, final.last_table, NULL, final.last_key, final.end_place, 'infinity') AS touch
    WHERE touch.partition_name IS NOT NULL
  ) THEN
    SELECT walked.next_key, version.shape INTO later_key, later_shape
    FROM (
      SELECT path.*, row_number() OVER () AS number
      FROM audit.path(final.of_source, final.last_schema, final.last_table, final.last_key, final.end_place, 300) AS path
    ) AS walked
    LEFT JOIN LATERAL (
      SELECT life.shape FROM audit.life(final.of_source, final.last_schema, final.last_table, 'infinity', final.end_place)
        AS life
      WHERE life.since <= walked.committed_at LIMIT 1
    ) AS version ON true
    WHERE walked.committed_at > $3 AND walked.next_key IS NOT NULL
    ORDER BY walked.number DESC LIMIT 1;
  END IF;
  SELECT life.* INTO then_version
  FROM audit.life(final.of_source, final.last_schema, final.last_table, 'infinity', final.end_place) AS life
  WHERE life.since IS NULL OR life.since <= $3 LIMIT 1;
  named := format('%I.%I', coalesce(then_version.schema_name, final.last_schema),
    coalesce(then_version.table_name, final.last_table));
  named_key := coalesce(audit.key_in(then_version.shape, later_shape, later_key), later_key, final.last_key);
  RETURN QUERY
    SELECT known."row", known.unknown, known.doubt, named, named_key
    FROM audit.row_as_of_explained(named, named_key, $3, final.of_source) AS known;
  IF NOT FOUND THEN
    RETURN QUERY SELECT NULL::jsonb, '{}'::jsonb, NULL::jsonb, named, named_key;
  END IF;
END
$$;
COMMENT ON FUNCTION audit.record_as_of(text, jsonb, timestamptz, text) IS
  'A record as it was at a time, by any name that its table had, through changes of its key among its last 300 events: see '
  'audit.row_as_of_explained. Also what it was called then.';

CREATE OR REPLACE FUNCTION audit.compare(
  "table" text, key jsonb, "from" timestamptz, "to" timestamptz DEFAULT now(), source text DEFAULT NULL
)
RETURNS TABLE ("column" text, old jsonb, new jsonb, old_is_known boolean, new_is_known boolean)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT names.name, old."row" -> names.name, new."row" -> names.name,
    NOT coalesce(old.unknown ? names.name, false), NOT coalesce(new.unknown ? names.name, false)
  FROM audit.record_as_of($1, $2, $3, $5) AS old CROSS JOIN audit.record_as_of($1, $2, $4, $5) AS new
  CROSS JOIN LATERAL (
    SELECT jsonb_object_keys(coalesce(old."row", '{}') || coalesce(new."row", '{}') || coalesce(old.unknown, '{}')
      || coalesce(new.unknown, '{}')) AS name
  ) AS names
  WHERE old."row" -> names.name IS DISTINCT FROM new."row" -> names.name
    OR coalesce(old.unknown ? names.name, false) OR coalesce(new.unknown ? names.name, false)
  ORDER BY 1
$$;
COMMENT ON FUNCTION audit.compare(text, jsonb, timestamptz, timestamptz, text) IS
  'In which columns a record differs between two moments, or may differ because one side is not known.';

CREATE OR REPLACE FUNCTION audit.blame("table" text, key jsonb, source text DEFAULT NULL, most integer DEFAULT 100)
RETURNS TABLE (
  "column" text, value jsonb, is_known boolean, "time" timestamptz, event_id uuid, of_source text, transaction bigint,
  actor text, request text, operation text, searched_back_to timestamptz
)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  final record;
  present record;
BEGIN
  SELECT * INTO final FROM audit.record_at_end($1, $2, $3);
  SELECT known."row", known.unknown INTO present
  FROM audit.row_as_of_explained(format('%I.%I', final.last_schema, final.last_table), final.last_key, 'infinity',
    final.of_source) AS known;
  RETURN QUERY
    WITH told AS MATERIALIZED (
      SELECT lines.place, (lines.line).* FROM audit.record_lines(
        final.of_source, final.last_schema, final.last_table, final.last_key, final.end_place, false, most) AS lines
      WHERE (lines.line).operation <> 'load'
    ), version AS MATERIALIZED (
      SELECT life.*, row_number() OVER () AS number
      FROM audit.life(final.of_source, final.last_schema, final.last_table, 'infinity', final.end_place, true) AS life
    ), last_row AS (
      -- Of a record that is gone, the row that it was.
      SELECT coalesce(present."row", (
        SELECT coalesce(told.after, told.before) FROM told ORDER BY told.place DESC LIMIT 1), '{}') AS image,
        coalesce(present.unknown, '{}') AS unknown
    ), listed AS (
      SELECT jsonb_object_keys(last_row.image || last_row.unknown) AS name FROM last_row
    ), formerly AS MATERIALIZED (
      -- Told once for a version, since its changes are many.
      SELECT version.from_place, version.to_place, listed.name,
        audit.column_of(version.shape, (SELECT shape FROM version WHERE number = 1), listed.name) AS old_name
      FROM version CROSS JOIN listed
    ), written AS (
      SELECT DISTINCT ON (listed.name) listed.name, told.*
      FROM listed CROSS JOIN told
      LEFT JOIN formerly ON formerly.name = listed.name
        AND told.place >= formerly.from_place AND told.place < formerly.to_place
      CROSS JOIN LATERAL (
        SELECT CASE WHEN formerly.name IS NULL THEN listed.name ELSE formerly.old_name END AS name
      ) AS then_named
      WHERE CASE told.operation WHEN 'update'
        THEN told.before ? then_named.name OR then_named.name = ANY (told.unknown_columns)
        ELSE told.after ? then_named.name END
      ORDER BY listed.name, told.place DESC
    )
    SELECT listed.name, last_row.image -> listed.name, NOT last_row.unknown ? listed.name,
      written."time", written.event_id, written.source, written.transaction, written.actor, written.request,
      written.operation,
      (SELECT min(told."time") FROM told HAVING count(*) >= most)
    FROM last_row CROSS JOIN listed LEFT JOIN written ON written.name = listed.name
    ORDER BY 1;
END
$$;
COMMENT ON FUNCTION audit.blame(text, jsonb, text, integer) IS
  'For each column of a record, or of the row that it was when it was deleted: its value, and the change that gave it that. '
  'Of a long life the last 100 changes are searched: searched_back_to says from when on.';
