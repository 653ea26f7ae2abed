-- Counts over spans of time. A short span is counted; of a long one evenly spread blocks of the table are read, so that the
-- answer takes as long for a year as for a day, and says that it is an estimate.

CREATE OR REPLACE FUNCTION audit.block_of(place tid)
RETURNS bigint
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT split_part(trim('(' FROM place::text), ',', 1)::bigint
$$;
COMMENT ON FUNCTION audit.block_of(tid) IS 'The block that holds a row.';

CREATE OR REPLACE FUNCTION audit.span_blocks(since timestamptz, until timestamptz)
RETURNS TABLE (partition regclass, first_block bigint, last_block bigint, rows_of_block integer)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  part record;
BEGIN
  FOR part IN
    SELECT existing.*, greatest(pg_class.reltuples, 0) AS reltuples, pg_class.relpages
    FROM audit.partitions() AS existing JOIN pg_class ON pg_class.oid = existing.partition
    WHERE (lower_bound IS NULL OR lower_bound < until) AND (upper_bound IS NULL OR upper_bound > since)
  LOOP
    partition := part.partition;
    first_block := 0;
    last_block := pg_relation_size(part.partition) / current_setting('block_size')::bigint - 1;
    CONTINUE WHEN last_block < 0;
    rows_of_block := least(290, 8 + 1.3 * CASE WHEN part.relpages > 0 THEN ceil(part.reltuples / part.relpages)::integer
      ELSE 40 END);
    -- Rows stand nearly in the order of their commits; some of those at the ends tell where the span begins and ends.
    IF part.lower_bound < since THEN
      EXECUTE format('SELECT min(audit.block_of(place)) FROM (SELECT ctid AS place FROM %s WHERE committed_at >= $1 '
        'ORDER BY committed_at LIMIT 100) AS early', part.partition) INTO first_block USING since;
    END IF;
    IF part.upper_bound > until THEN
      EXECUTE format('SELECT max(audit.block_of(place)) FROM (SELECT ctid AS place FROM %s WHERE committed_at < $1 '
        'ORDER BY committed_at DESC LIMIT 100) AS late', part.partition) INTO last_block USING until;
    END IF;
    CONTINUE WHEN first_block IS NULL OR last_block IS NULL OR last_block < first_block;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.span_blocks(timestamptz, timestamptz) IS
  'Which blocks of which partitions hold a span of time, and how many rows a block may hold.';

CREATE OR REPLACE FUNCTION audit.sampled(filter jsonb, blocks_at_most integer DEFAULT 400)
RETURNS TABLE (
  committed_at timestamptz, source_id text, transaction_id bigint, operation text, schema_name text, table_name text,
  weight float8
)
LANGUAGE plpgsql
-- Not stable: its sample is random.
VOLATILE
SET search_path = pg_catalog, pg_temp
-- A few blocks of a large table are read by their places, whatever the planner thinks of reading all of it.
SET enable_seqscan = off
SET enable_bitmapscan = off
SET random_page_cost = 1
AS $$
#variable_conflict use_column
DECLARE
  wanted record;
  span record;
  of_act text := audit.act_condition(filter);
  fits text := audit.change_condition(filter);
  columns constant text := 'SELECT event.committed_at, event.source_id, event.transaction_id, event.operation, '
    'event.schema_name, event.table_name, $3::float8 FROM %s AS event WHERE event.committed_at >= $1 AND event.committed_at < $2';
  blocks bigint;
  step float8;
  times timestamptz[];
  sources text[];
  transactions bigint[];
  is_whole boolean;
BEGIN
  SELECT * INTO wanted FROM audit.filter_of(filter);
  IF of_act <> '' OR wanted.key IS NOT NULL THEN
    -- Acts that an index finds, if they are few: their changes are counted.
    SELECT array_agg(act."time"), array_agg(act.source), array_agg(act.transaction), bool_and(act.note IS NULL)
    INTO times, sources, transactions, is_whole
    FROM audit.acts_found(filter, NULL, NULL, NULL, 501) AS act;
    IF times IS NULL OR is_whole AND cardinality(times) <= 500 THEN
      RETURN QUERY EXECUTE 'SELECT event.committed_at, event.source_id, event.transaction_id, event.operation, '
        'event.schema_name, event.table_name, 1::float8 FROM unnest($1, $2, $3) AS act (at, of_source, of_transaction) '
        'JOIN audit.events AS event ON event.committed_at = act.at AND event.source_id = act.of_source '
        'AND event.transaction_id = act.of_transaction WHERE ' || fits || ' LIMIT 100000'
        USING times, sources, transactions;
      RETURN;
    END IF;
  END IF;
  SELECT sum(last_block - first_block + 1) INTO blocks FROM audit.span_blocks(wanted.since, wanted.until);
  IF of_act <> '' THEN
    -- Each row is looked up in its transaction.
    fits := fits || ' AND ' || replace(of_act, 'act.', 'event.');
    blocks_at_most := blocks_at_most / 4;
  END IF;
  step := greatest(1, blocks::float8 / blocks_at_most);
  IF step = 1 THEN
    RETURN QUERY EXECUTE format(columns, 'audit.events') || ' AND ' || fits USING wanted.since, wanted.until, 1;
    RETURN;
  END IF;
  FOR span IN SELECT * FROM audit.span_blocks(wanted.since, wanted.until) LOOP
    RETURN QUERY EXECUTE format(columns, span.partition) || ' AND ' || fits || ' AND event.ctid = ANY ($4)'
      USING wanted.since, wanted.until, (span.last_block - span.first_block + 1)::float8
        / greatest(1, floor((span.last_block - span.first_block + 1) / step)),
      -- The places of a block's rows as text, made once and then for each block: a function call a row would cost more.
      (
        SELECT ('{' || string_agg(replace(lines.text, '#',
            (span.first_block + floor((place + random()) * (span.last_block - span.first_block + 1) / chosen.count))::bigint::text),
          ',') || '}')::tid[]
        FROM (SELECT greatest(1, floor((span.last_block - span.first_block + 1) / step))::bigint AS count) AS chosen
        CROSS JOIN (
          SELECT string_agg(format('"(#,%s)"', line), ',') AS text FROM generate_series(1, span.rows_of_block) AS line
        ) AS lines
        CROSS JOIN LATERAL generate_series(0, chosen.count - 1) AS place
      );
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.sampled(jsonb, integer) IS
  'The changes that fit a filter, of at most so many blocks of the table, each with how many it stands for: 1 when all '
  'were read.';

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
BEGIN
  SELECT * INTO wanted FROM audit.filter_of(filter);
  ends := least(wanted.until, greatest(now(), wanted.since + interval '1 minute'));
  width := audit.bucket_width(wanted.since, ends, buckets);
  RETURN QUERY
    WITH change AS MATERIALIZED (SELECT * FROM audit.sampled(filter)),
    exactness AS (SELECT coalesce(max(weight) > 1, false) AS is_estimate FROM change),
    named AS MATERIALIZED (
      -- So many changes are looked up in their transactions.
      SELECT change.*, (SELECT count(*) FROM change)::float8 / 1500 AS thinned
      FROM change WHERE filter - '{from,to,hidden}'::text[] <> '{}'
      ORDER BY random() LIMIT 1500
    )
    SELECT 'time', date_bin(width, committed_at, timestamptz '2001-01-01 00:00:00+00'), operation,
      round(sum(weight))::bigint, false, exactness.is_estimate
    FROM change CROSS JOIN exactness GROUP BY 2, 3, exactness.is_estimate
    UNION ALL
    (
      SELECT 'table', NULL, format('%I.%I', schema_name, table_name), round(sum(weight))::bigint, false, exactness.is_estimate
      FROM change CROSS JOIN exactness GROUP BY 3, exactness.is_estimate ORDER BY 4 DESC, 3 LIMIT tops
    )
    UNION ALL
    (
      SELECT 'actor', NULL, who.actor, round(sum(named.weight * greatest(named.thinned, 1)))::bigint, false,
        exactness.is_estimate OR max(named.thinned) > 1
      FROM named CROSS JOIN exactness CROSS JOIN LATERAL (
        SELECT context.actor FROM audit.events AS context
        WHERE context.operation = 'context' AND context.transaction_id = named.transaction_id
          AND context.committed_at = named.committed_at AND context.source_id = named.source_id AND context.actor IS NOT NULL
        ORDER BY context.sequence LIMIT 1
      ) AS who
      GROUP BY 3, exactness.is_estimate ORDER BY 4 DESC, 3 LIMIT tops
    )
    UNION ALL
    (
      SELECT 'acts of actor', NULL, who.actor, who.acts, who.at_least, false
      FROM audit.actors_between(wanted.since, ends) AS who
      WHERE filter - '{from,to,hidden}'::text[] = '{}'
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
