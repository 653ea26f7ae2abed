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
  event.stored_at,
  event.stream_order,
  event.partition_name AS partition
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
COMMENT ON COLUMN audit.log.operation IS 'insert, update, delete, truncate, baseline, schema or load.';
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
COMMENT ON COLUMN audit.log.detail IS
  'Schema: reason and command. Load: when it began and ended, and how many rows it read.';
COMMENT ON COLUMN audit.log.unknown_columns IS 'Columns whose old or new value the stream did not carry.';
COMMENT ON COLUMN audit.log.untyped_columns IS 'Columns kept as text, because their type was not known or did not fit.';
COMMENT ON COLUMN audit.log.source IS 'Which pipeline and database the change came from.';
COMMENT ON COLUMN audit.log.position IS 'DMS stream position.';
COMMENT ON COLUMN audit.log.event_id IS 'Identity of the event.';
COMMENT ON COLUMN audit.log.captured_at IS 'When DMS built the change record.';
COMMENT ON COLUMN audit.log.transformed_at IS 'When the transformer built the event.';
COMMENT ON COLUMN audit.log.stored_at IS 'When the row was stored.';
COMMENT ON COLUMN audit.log.stream_order IS
  'Place in the source''s stream, whatever its clock did: audit.stream_order_of sorts by it.';
COMMENT ON COLUMN audit.log.partition IS 'The partition that held the row, when the table is partitioned.';

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

-- Of an earlier version, without sources: beside the functions of today, a call with two arguments would be ambiguous.
DROP FUNCTION IF EXISTS audit.history(text, jsonb), audit.row_as_of(text, jsonb, timestamptz);
