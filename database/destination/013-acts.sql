-- Of an earlier version, without sources: beside the functions of today, a call that names none would be ambiguous.
DROP FUNCTION IF EXISTS
  audit.transaction(bigint, timestamptz), audit.acts(text, timestamptz, timestamptz),
  audit.actors(timestamptz, timestamptz);

CREATE OR REPLACE FUNCTION audit.transaction(id bigint, "time" timestamptz DEFAULT now(), source text DEFAULT NULL)
RETURNS SETOF audit.log
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  sources text[];
  nearest timestamptz;
BEGIN
  SELECT array_agg(DISTINCT event.source_id ORDER BY event.source_id) INTO sources
  FROM audit.events AS event
  WHERE event.transaction_id = $1 AND ($3 IS NULL OR event.source_id = $3);
  IF cardinality(sources) > 1 THEN
    RAISE EXCEPTION 'the sources % all have a transaction %', array_to_string(sources, ', '), $1
      USING ERRCODE = 'ambiguous_parameter', HINT = format('Name one: source => %L.', sources[1]);
  END IF;
  SELECT near.committed_at INTO nearest
  FROM (
    (
      SELECT event.committed_at FROM audit.events AS event
      WHERE event.transaction_id = $1 AND event.committed_at <= $2 AND event.source_id = sources[1]
      ORDER BY event.committed_at DESC LIMIT 1
    )
    UNION ALL
    (
      SELECT event.committed_at FROM audit.events AS event
      WHERE event.transaction_id = $1 AND event.committed_at >= $2 AND event.source_id = sources[1]
      ORDER BY event.committed_at LIMIT 1
    )
  ) AS near
  ORDER BY greatest(near.committed_at - $2, $2 - near.committed_at)
  LIMIT 1;
  RETURN QUERY
    SELECT log.* FROM audit.log
    WHERE log.transaction = $1 AND log."time" = nearest AND log.source = sources[1]
    ORDER BY log.sequence;
END
$$;
COMMENT ON FUNCTION audit.transaction(bigint, timestamptz, text) IS
  'The changes of one transaction, in order. Ids wrap, so of those with this id the one committed nearest to the time '
  'counts; by default the latest.';

CREATE OR REPLACE FUNCTION audit.acts(
  actor text, since timestamptz DEFAULT now() - interval '1 day', until timestamptz DEFAULT now(),
  source text DEFAULT NULL
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
      AND ($4 IS NULL OR source_id = $4)
  ) AS act ON log."time" = act.committed_at AND log.transaction = act.transaction_id AND log.source = act.source_id
  WHERE log.actor = $1
  ORDER BY audit.place(log.stream_order, log."time", log.transaction, log.sequence)
$$;
COMMENT ON FUNCTION audit.acts(text, timestamptz, timestamptz, text) IS
  'What an actor changed in a span of time, by default the last day, in the order of the stream.';

CREATE OR REPLACE FUNCTION audit.actors(
  since timestamptz DEFAULT now() - interval '1 day', until timestamptz DEFAULT now(), source text DEFAULT NULL
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
    AND ($3 IS NULL OR events.source_id = $3)
  GROUP BY events.actor
  ORDER BY 2 DESC, 1
$$;
COMMENT ON FUNCTION audit.actors(timestamptz, timestamptz, text) IS
  'Who acted in a span of time, by default the last day, and in how many transactions, the busiest first. Transactions in '
  'which nobody was named are not among them.';
