CREATE OR REPLACE VIEW audit.log AS
SELECT
  event.committed_at AS "time",
  who.actor,
  who.request_id AS request,
  event.operation,
  event.schema_name AS "schema",
  event.table_name AS "table",
  event.record_key AS key,
  difference.changes,
  event.before,
  event.after,
  event.transaction_id AS transaction,
  event.sequence,
  who.context,
  event.context AS detail,
  event.unknown_columns,
  event.untyped_columns,
  event.source_id AS source,
  event.position,
  event.event_id,
  event.captured_at,
  event.transformed_at,
  event.stored_at
FROM audit.events AS event
LEFT JOIN LATERAL (
  -- The nearest context before the change, else the first after it: two look-ups, however many contexts there are.
  SELECT nearest.actor, nearest.request_id, nearest.context
  FROM (
    (
      SELECT 1 AS preference, context.actor, context.request_id, context.context
      FROM audit.events AS context
      WHERE context.operation = 'context'
        AND context.transaction_id = event.transaction_id
        AND context.committed_at = event.committed_at
        AND context.source_id = event.source_id
        AND context.sequence < event.sequence
      ORDER BY context.sequence DESC
      LIMIT 1
    )
    UNION ALL
    (
      SELECT 2, context.actor, context.request_id, context.context
      FROM audit.events AS context
      WHERE context.operation = 'context'
        AND context.transaction_id = event.transaction_id
        AND context.committed_at = event.committed_at
        AND context.source_id = event.source_id
        AND context.sequence > event.sequence
      ORDER BY context.sequence
      LIMIT 1
    )
  ) AS nearest
  ORDER BY nearest.preference
  LIMIT 1
) AS who ON true
LEFT JOIN LATERAL (
  SELECT jsonb_object_agg(
    named.column_name,
    CASE WHEN event.before ? named.column_name
      THEN jsonb_build_object('old', event.before -> named.column_name) ELSE '{}' END
    || CASE WHEN event.after ? named.column_name
      THEN jsonb_build_object('new', event.after -> named.column_name) ELSE '{}' END
  ) AS changes
  FROM (
    SELECT jsonb_object_keys(CASE event.operation
      WHEN 'update' THEN event.before WHEN 'delete' THEN event.before ELSE event.after END) AS column_name
    UNION ALL
    SELECT unnest(event.unknown_columns) WHERE event.operation = 'update'
  ) AS named
  WHERE event.operation IN ('insert', 'update', 'delete', 'baseline')
    AND (event.before ? named.column_name OR event.after ? named.column_name)
) AS difference ON true
WHERE event.operation NOT IN ('context', 'canary');
COMMENT ON VIEW audit.log IS
  'The audit log for readers: each change with who made it. Times, keys and tables may be searched by index; to search '
  'by actor use audit.acts.';
COMMENT ON COLUMN audit.log."time" IS 'When the change was committed at the source.';
COMMENT ON COLUMN audit.log.actor IS 'Who acted; null when the application and the triggers did not say.';
COMMENT ON COLUMN audit.log.request IS 'The request or job that acted.';
COMMENT ON COLUMN audit.log.operation IS 'insert, update, delete, truncate, baseline or schema.';
COMMENT ON COLUMN audit.log."schema" IS 'Schema of the changed table.';
COMMENT ON COLUMN audit.log."table" IS 'The changed table.';
COMMENT ON COLUMN audit.log.key IS 'Key columns and their values after the change.';
COMMENT ON COLUMN audit.log.changes IS
  'Changed columns as {"column": {"old": ..., "new": ...}}. A side that does not exist or is not known is left out.';
COMMENT ON COLUMN audit.log.before IS 'Update: old values of the changed columns. Delete: the whole old row.';
COMMENT ON COLUMN audit.log.after IS 'Insert, update, baseline: the whole new row. Schema: the new shape of the table.';
COMMENT ON COLUMN audit.log.transaction IS 'PostgreSQL transaction id; it wraps, so pair it with the time.';
COMMENT ON COLUMN audit.log.sequence IS 'Place of the change within its transaction.';
COMMENT ON COLUMN audit.log.context IS 'What the application or trigger said about the transaction.';
COMMENT ON COLUMN audit.log.detail IS 'Schema: reason and command.';
COMMENT ON COLUMN audit.log.unknown_columns IS 'Columns whose old or new value the stream did not carry.';
COMMENT ON COLUMN audit.log.untyped_columns IS 'Columns kept as text, because their type was not known or did not fit.';
COMMENT ON COLUMN audit.log.source IS 'Which pipeline and database the change came from.';
COMMENT ON COLUMN audit.log.position IS 'DMS stream position.';
COMMENT ON COLUMN audit.log.event_id IS 'Identity of the event.';
COMMENT ON COLUMN audit.log.captured_at IS 'When DMS built the change record.';
COMMENT ON COLUMN audit.log.transformed_at IS 'When the transformer built the event.';
COMMENT ON COLUMN audit.log.stored_at IS 'When the row was stored.';

CREATE OR REPLACE FUNCTION audit.table_name(name text, OUT schema_name text, OUT table_name text)
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parts text[] := parse_ident(name);
BEGIN
  IF cardinality(parts) > 2 THEN
    RAISE EXCEPTION '% names a table in more than two parts; write schema.table', quote_literal(name)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  schema_name := CASE WHEN cardinality(parts) = 2 THEN parts[1] ELSE 'public' END;
  table_name := parts[cardinality(parts)];
END
$$;
COMMENT ON FUNCTION audit.table_name(text) IS
  'Reads a table name as SQL does: schema.table or "Schema"."Table"; without a schema, public.';

CREATE OR REPLACE FUNCTION audit.previous_key(record_key jsonb, before jsonb)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_object_agg(name, coalesce(before -> name, value)) FROM jsonb_each(record_key) AS part (name, value)
$$;
COMMENT ON FUNCTION audit.previous_key(jsonb, jsonb) IS 'The key that a record had before an update.';

CREATE OR REPLACE FUNCTION audit.history("table" text, key jsonb)
RETURNS SETOF audit.log
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE named AS (
    SELECT schema_name, table_name FROM audit.table_name($1)
  ), life (record_key, until, until_sequence) AS (
    SELECT $2, 'infinity'::timestamptz, 0
    UNION ALL
    -- A key that a record was given by an update: before that, the record is found under its previous key.
    SELECT audit.previous_key(event.record_key, event.before), event.committed_at, event.sequence
    FROM life
    CROSS JOIN named
    JOIN audit.events AS event
      ON event.table_name = named.table_name AND event.schema_name = named.schema_name
      AND event.record_key = life.record_key
      AND (event.committed_at, event.sequence) < (life.until, life.until_sequence)
    WHERE event.operation = 'update' AND NOT (event.record_key || event.before) @> event.record_key
  ), found AS (
    SELECT event.committed_at, event.event_id
    FROM life
    CROSS JOIN named
    JOIN audit.events AS event
      ON event.table_name = named.table_name AND event.schema_name = named.schema_name
      AND event.record_key = life.record_key
      AND (event.committed_at, coalesce(event.sequence, 0)) < (life.until, life.until_sequence)
    UNION
    -- The record that had this key was given another one.
    SELECT event.committed_at, event.event_id
    FROM named
    JOIN audit.events AS event
      ON event.table_name = named.table_name AND event.schema_name = named.schema_name
    WHERE event.operation = 'update' AND NOT (event.record_key || event.before) @> event.record_key
      AND audit.previous_key(event.record_key, event.before) = $2
  )
  SELECT log.*
  FROM found JOIN audit.log ON log."time" = found.committed_at AND log.event_id = found.event_id
  ORDER BY log."time", log.transaction, log.sequence
$$;
COMMENT ON FUNCTION audit.history(text, jsonb) IS
  'Everything that happened to a record, oldest first: audit.history(''shop.orders'', ''{"id": 42}''). Follows changes '
  'of the key backwards. The key holds every key column, numbers as numbers.';

CREATE OR REPLACE FUNCTION audit.row_as_of("table" text, key jsonb, "time" timestamptz)
RETURNS jsonb
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH named AS (
    SELECT schema_name, table_name FROM audit.table_name($1)
  ), latest AS (
    SELECT event.operation, event.after, event.committed_at, coalesce(event.sequence, 0) AS sequence
    FROM named
    JOIN audit.events AS event
      ON event.table_name = named.table_name AND event.schema_name = named.schema_name
    WHERE event.record_key = $2 AND event.committed_at <= $3
    ORDER BY event.committed_at DESC, event.transaction_id DESC NULLS LAST, event.sequence DESC
    LIMIT 1
  )
  SELECT latest.after
  FROM latest
  WHERE latest.operation <> 'delete'
    AND NOT EXISTS (
      -- The record was given another key since.
      SELECT
      FROM named
      JOIN audit.events AS event
        ON event.table_name = named.table_name AND event.schema_name = named.schema_name
      WHERE event.operation = 'update' AND NOT (event.record_key || event.before) @> event.record_key
        AND event.committed_at BETWEEN latest.committed_at AND $3
        AND (event.committed_at, event.sequence) > (latest.committed_at, latest.sequence)
        AND audit.previous_key(event.record_key, event.before) = $2
    )
    AND NOT EXISTS (
      -- The table was emptied or dropped since.
      SELECT
      FROM named
      JOIN audit.events AS event
        ON event.table_name = named.table_name AND event.schema_name = named.schema_name
      WHERE event.record_key IS NULL
        AND (event.operation = 'truncate' OR (event.operation = 'schema' AND event.context ->> 'reason' = 'drop'))
        AND event.committed_at BETWEEN latest.committed_at AND $3
        AND (event.committed_at, event.sequence) > (latest.committed_at, latest.sequence)
    )
$$;
COMMENT ON FUNCTION audit.row_as_of(text, jsonb, timestamptz) IS
  'A record as it was at a time, null when it did not exist then or nothing is known of it yet. A column whose value '
  'the stream did not carry is left out.';

CREATE OR REPLACE FUNCTION audit.transaction(id bigint, "time" timestamptz DEFAULT now())
RETURNS SETOF audit.log
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT log.*
  FROM audit.log
  WHERE log.transaction = $1
    AND log."time" = (
      SELECT near.committed_at
      FROM (
        (
          SELECT committed_at FROM audit.events
          WHERE transaction_id = $1 AND committed_at <= $2 ORDER BY committed_at DESC LIMIT 1
        )
        UNION ALL
        (
          SELECT committed_at FROM audit.events
          WHERE transaction_id = $1 AND committed_at >= $2 ORDER BY committed_at LIMIT 1
        )
      ) AS near
      ORDER BY greatest(near.committed_at - $2, $2 - near.committed_at)
      LIMIT 1
    )
  ORDER BY log.sequence
$$;
COMMENT ON FUNCTION audit.transaction(bigint, timestamptz) IS
  'The changes of one transaction, in order. Ids wrap, so of those with this id the one committed nearest to the time '
  'counts; by default the latest.';

CREATE OR REPLACE FUNCTION audit.acts(
  actor text, since timestamptz DEFAULT now() - interval '1 day', until timestamptz DEFAULT now()
)
RETURNS SETOF audit.log
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT log.*
  FROM audit.log
  JOIN (
    SELECT DISTINCT committed_at, transaction_id, source_id
    FROM audit.events
    WHERE operation = 'context' AND events.actor = $1 AND committed_at >= $2 AND committed_at <= $3
  ) AS act ON log."time" = act.committed_at AND log.transaction = act.transaction_id AND log.source = act.source_id
  WHERE log.actor = $1
  ORDER BY log."time", log.transaction, log.sequence
$$;
COMMENT ON FUNCTION audit.acts(text, timestamptz, timestamptz) IS
  'What an actor changed in a span of time, by default the last day, oldest first.';

CREATE OR REPLACE FUNCTION audit.actors(
  since timestamptz DEFAULT now() - interval '1 day', until timestamptz DEFAULT now()
)
RETURNS TABLE (actor text, transactions bigint)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT events.actor, count(DISTINCT (events.source_id, events.committed_at, events.transaction_id))
  FROM audit.events
  WHERE events.operation = 'context' AND events.committed_at >= $1 AND events.committed_at <= $2
  GROUP BY events.actor
  ORDER BY 2 DESC, 1
$$;
COMMENT ON FUNCTION audit.actors(timestamptz, timestamptz) IS
  'Who acted in a span of time, by default the last day, and in how many transactions, the busiest first. Transactions in '
  'which nobody was named are not among them.';
