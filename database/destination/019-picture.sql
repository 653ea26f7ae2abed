-- Pictures: how many changes there were when, of which tables, by whom.

CREATE OR REPLACE FUNCTION audit.actors_between(
  since timestamptz DEFAULT now() - interval '1 day', until timestamptz DEFAULT now(), counted_at_most integer DEFAULT 100
)
RETURNS TABLE (actor text, acts integer, at_least boolean)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  -- Whole partitions, in which every entry of the index leads to the next actor at once.
  from_time timestamptz := coalesce(
    (SELECT max(lower_bound) FROM audit.partitions() WHERE lower_bound <= $1), '-infinity');
  to_time timestamptz := coalesce((SELECT min(upper_bound) FROM audit.partitions() WHERE upper_bound > $2), 'infinity');
  begun timestamptz := clock_timestamp();
  last_actor text := '';
  most integer := $3;
BEGIN
  LOOP
    SELECT event.actor INTO last_actor FROM audit.events AS event
    WHERE event.operation = 'context' AND event.actor > last_actor
      AND event.committed_at >= from_time AND event.committed_at < to_time
    ORDER BY event.actor LIMIT 1;
    EXIT WHEN NOT FOUND;
    SELECT count(*) INTO acts FROM (
      SELECT FROM audit.events AS event
      WHERE event.operation = 'context' AND event.actor = last_actor
        AND event.committed_at >= $1 AND event.committed_at < $2
      LIMIT most
    ) AS counted;
    actor := last_actor;
    at_least := acts >= most;
    IF acts > 0 THEN
      RETURN NEXT;
    END IF;
    -- Many actors: their counts end earlier.
    IF clock_timestamp() - begun > interval '60 milliseconds' THEN
      most := 20;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.actors_between(timestamptz, timestamptz, integer) IS
  'Everybody who acted in a span of time, by name, with in how many acts: counted up to a limit, which at_least tells.';

CREATE OR REPLACE FUNCTION audit.bucket_width(since timestamptz, until timestamptz, buckets integer)
RETURNS interval
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT interval '1 second' * coalesce(
    (SELECT min(seconds) FROM unnest(ARRAY[1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 259200, 604800])
      AS usual (seconds) WHERE seconds >= wanted.seconds),
    ceil(wanted.seconds / 604800) * 604800)
  FROM (SELECT extract(epoch FROM until - since) / buckets AS seconds) AS wanted
$$;
COMMENT ON FUNCTION audit.bucket_width(timestamptz, timestamptz, integer) IS
  'How much time one bar of a picture holds, so that a span takes at most so many.';

CREATE OR REPLACE FUNCTION audit.picture(filter jsonb DEFAULT '{}', buckets integer DEFAULT 60, tops integer DEFAULT 20)
RETURNS TABLE (kind text, start timestamptz, name text, changes bigint, at_least boolean, is_estimate boolean)
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  wanted record;
  ends timestamptz;
  width interval;
  is_plain boolean := filter - '{from,to,hidden}'::text[] = '{}';
BEGIN
  SELECT * INTO wanted FROM audit.filter_of(filter);
  ends := least(wanted.until, greatest(now(), wanted.since + interval '1 minute'));
  width := audit.bucket_width(wanted.since, ends, buckets);
  RETURN QUERY
    WITH change AS MATERIALIZED (SELECT * FROM audit.sampled(filter, width, NOT is_plain)),
    exactness AS (SELECT coalesce(max(weight) > 1, false) AS is_estimate FROM change),
    act AS MATERIALIZED (
      -- So many are looked up.
      SELECT committed_at, source_id, transaction_id, sum(changes) AS changes, count(*) OVER () / 300.0::float8 AS thinned
      FROM change WHERE NOT is_plain GROUP BY 1, 2, 3 ORDER BY random() LIMIT 300
    )
    SELECT 'time', change.start, operation, round(sum(changes))::bigint, false, exactness.is_estimate
    FROM change CROSS JOIN exactness GROUP BY 2, 3, exactness.is_estimate
    UNION ALL
    (
      SELECT 'table', NULL, format('%I.%I', busy.schema_name, busy.table_name), round(busy.changes)::bigint, false,
        exactness.is_estimate
      FROM (SELECT schema_name, table_name, sum(changes) AS changes FROM change GROUP BY 1, 2) AS busy CROSS JOIN exactness
      ORDER BY 4 DESC, 3 LIMIT tops
    )
    UNION ALL
    (
      SELECT 'actor', NULL, who.actor, round(sum(act.changes * greatest(act.thinned, 1)))::bigint, false,
        exactness.is_estimate OR max(act.thinned) > 1
      FROM act CROSS JOIN exactness CROSS JOIN LATERAL (
        SELECT context.actor FROM audit.events AS context
        WHERE context.operation = 'context' AND context.transaction_id = act.transaction_id
          AND context.committed_at = act.committed_at AND context.source_id = act.source_id AND context.actor IS NOT NULL
        ORDER BY context.sequence LIMIT 1
      ) AS who
      GROUP BY 3, exactness.is_estimate ORDER BY 4 DESC, 3 LIMIT tops
    )
    UNION ALL
    (
      SELECT 'acts of actor', NULL, who.actor, who.acts, who.at_least, false
      FROM audit.actors_between(wanted.since, ends) AS who
      WHERE is_plain
      ORDER BY 4 DESC, 3 LIMIT tops
    )
    UNION ALL
    SELECT 'width', NULL, extract(epoch FROM width)::bigint::text, NULL, NULL, NULL;
END
$$;
COMMENT ON FUNCTION audit.picture(jsonb, integer, integer) IS
  'Changes over time by operation (kind time), the busiest tables (table) and actors (actor: their changes; acts of actor: '
  'of everybody, when nothing but a span is asked for), and the width of the buckets in seconds. Long spans are estimated '
  'from a sample. Filters: see audit.filter_of.';
