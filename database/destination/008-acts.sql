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
