-- Counts over spans of time. A short span is counted; of a long one evenly spread blocks of the table are read, or some acts
-- of those that an index finds, so that the answer takes as long for a year as for a day, and says that it is an estimate.

CREATE OR REPLACE FUNCTION audit.bucket_origin()
RETURNS timestamptz
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
RETURN timestamptz '2001-01-01 00:00:00+00';
COMMENT ON FUNCTION audit.bucket_origin() IS 'A Monday, from which the bars of pictures are counted.';

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

CREATE OR REPLACE FUNCTION audit.sampled_blocks(
  filter jsonb, width interval, by_act boolean DEFAULT false, blocks_at_most integer DEFAULT 150
)
RETURNS TABLE (
  start timestamptz, operation text, schema_name text, table_name text, committed_at timestamptz, source_id text,
  transaction_id bigint, changes float8, weight float8
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
  spans record;
  span record;
  of_act text := audit.act_condition(filter);
  fits text := audit.change_condition(filter);
  -- Counted where they are read: to hand on a row for each change would cost more than to read them.
  counted text := 'SELECT date_bin($3, event.committed_at, audit.bucket_origin()), event.operation, event.schema_name, '
    'event.table_name, ' || CASE WHEN by_act THEN 'event.committed_at, event.source_id, event.transaction_id'
    ELSE 'NULL::timestamptz, NULL::text, NULL::bigint' END || ', count(*) * $4::float8, $4::float8 FROM %s AS event '
    'WHERE event.committed_at >= $1 AND event.committed_at < $2 AND %s GROUP BY 1, 2, 3, 4, 5, 6, 7';
  step float8;
BEGIN
  SELECT * INTO wanted FROM audit.filter_of(filter);
  IF of_act <> '' THEN
    -- Each row is looked up in its transaction.
    fits := fits || ' AND ' || replace(of_act, 'act.', 'event.');
    blocks_at_most := blocks_at_most / 4;
  ELSIF wanted.needle IS NOT NULL THEN
    -- Each row is written as text and searched.
    blocks_at_most := blocks_at_most / 4;
  END IF;
  SELECT array_agg(part) AS parts, sum(part.last_block - part.first_block + 1) AS blocks INTO spans
  FROM audit.span_blocks(wanted.since, wanted.until) AS part;
  step := greatest(1, spans.blocks::float8 / blocks_at_most);
  IF step = 1 THEN
    RETURN QUERY EXECUTE format(counted, 'audit.events', fits) USING wanted.since, wanted.until, width, 1;
    RETURN;
  END IF;
  FOR span IN
    SELECT part.*, part.last_block - part.first_block + 1 AS size,
      greatest(1, floor((part.last_block - part.first_block + 1) / step))::bigint AS count
    FROM unnest(spans.parts) AS part (partition regclass, first_block bigint, last_block bigint, rows_of_block integer)
  LOOP
    -- Behind a SELECT, so that the planner does not weigh each of the places.
    RETURN QUERY EXECUTE format(counted, span.partition, fits || ' AND event.ctid = ANY ((SELECT $5)::tid[])')
      USING wanted.since, wanted.until, width, span.size::float8 / span.count, (
        -- The places of a block's rows as text, made once and then for each block: a function call a row would cost more.
        SELECT ('{' || string_agg(replace(lines.text, '#',
            (span.first_block + floor((place + random()) * span.size / span.count))::bigint::text), ',') || '}')::tid[]
        FROM (
          SELECT string_agg(format('"(#,%s)"', line), ',') AS text FROM generate_series(1, span.rows_of_block) AS line
        ) AS lines
        CROSS JOIN LATERAL generate_series(0, span.count - 1) AS place
      );
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.sampled_blocks(jsonb, interval, boolean, integer) IS
  'The changes that fit a filter, of at most so many blocks of the table, by start of a time of that width, operation, table '
  'and, when asked for, act: how many they stand for, and how many each of them does, which is 1 when all were read.';

CREATE OR REPLACE FUNCTION audit.acts_spread(
  of_column name, names text[], since timestamptz, until timestamptz, width interval, most integer
)
RETURNS TABLE (committed_at timestamptz, source_id text, transaction_id bigint, weight float8)
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  ends timestamptz := least(until, greatest(now(), since + interval '1 minute'));
  parts integer := cardinality(names) * (
    SELECT count(*) FROM generate_series(date_bin(width, since, audit.bucket_origin()), ends - interval '1 microsecond', width));
BEGIN
  RETURN QUERY EXECUTE format($question$
    WITH part AS (
      SELECT listed.name, greatest(start, $2) AS begun, CASE WHEN start + $4 >= $5 THEN $3 ELSE start + $4 END AS ended
      FROM unnest($1) AS listed (name)
      CROSS JOIN generate_series(date_bin($4, $2, audit.bucket_origin()), $5 - interval '1 microsecond', $4) AS start
    ), counted AS MATERIALIZED (
      SELECT part.*, found.times, found.contexts, cardinality(found.times) AS count,
        found.times[cardinality(found.times)] AS last
      FROM part CROSS JOIN LATERAL (
        -- Not DISTINCT below, for which PostgreSQL reads all of the part.
        SELECT array_agg(DISTINCT context.committed_at) AS times, count(*) AS contexts FROM (
          SELECT context.committed_at FROM audit.events AS context
          WHERE context.operation = 'context' AND context.%1$I = part.name
            AND context.committed_at >= part.begun AND context.committed_at < part.ended
          ORDER BY context.committed_at LIMIT $6
        ) AS context
      ) AS found
      WHERE found.times IS NOT NULL
    ), chosen AS MATERIALIZED (
      SELECT counted.name,
        counted.times[1 + floor((place + random()) * counted.count / picks.count)::integer] AS at,
        -- Of more than are counted: as if the part went on as it begins.
        counted.count::float8 / picks.count * CASE WHEN counted.contexts < $6 OR counted.last <= counted.begun THEN 1
          ELSE greatest(1, extract(epoch FROM least(counted.ended, greatest($5, counted.last)) - counted.begun)::float8
            / extract(epoch FROM counted.last - counted.begun)::float8) END AS weight
      FROM counted
      CROSS JOIN LATERAL (SELECT least(counted.count, $7)::integer AS count) AS picks
      CROSS JOIN LATERAL generate_series(0, picks.count - 1) AS place
    )
    SELECT act.*, chosen.weight FROM chosen CROSS JOIN LATERAL (
      SELECT DISTINCT context.committed_at, context.source_id, context.transaction_id FROM audit.events AS context
      WHERE context.operation = 'context' AND context.%1$I = chosen.name AND context.committed_at = chosen.at LIMIT 10
    ) AS act
    -- An act of several of the names counts as one of the first. OFFSET 0, so that it is looked up act by act.
    WHERE NOT EXISTS (
      SELECT FROM audit.events AS context
      WHERE context.operation = 'context' AND context.transaction_id = act.transaction_id
        AND context.committed_at = act.committed_at AND context.source_id = act.source_id
        AND context.%1$I = ANY ($1) AND context.%1$I < chosen.name OFFSET 0)
    $question$, of_column)
    USING names, since, until, width, ends, greatest(150, 12000 / parts), greatest(1, most / parts);
END
$$;
COMMENT ON FUNCTION audit.acts_spread(name, text[], timestamptz, timestamptz, interval, integer) IS
  'Some acts of actors, or of requests, evenly spread within each time of that width, and how many each stands for.';

CREATE OR REPLACE FUNCTION audit.sampled_acts(filter jsonb, width interval, most integer DEFAULT 60)
RETURNS TABLE (committed_at timestamptz, source_id text, transaction_id bigint, weight float8)
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  wanted record;
  named name;
  names text[];
  contexts text;
  acts text;
  count integer;
BEGIN
  SELECT * INTO wanted FROM audit.filter_of(filter);
  named := CASE WHEN wanted.request IS NULL THEN 'actor' ELSE 'request_id' END;
  names := CASE WHEN wanted.request IS NULL THEN ARRAY(SELECT DISTINCT unnest(wanted.actors)) ELSE ARRAY[wanted.request] END;
  contexts := format('FROM audit.events AS context WHERE context.operation = ''context'' AND context.%I = ANY ($1) '
    'AND context.committed_at >= $2 AND context.committed_at < $3', named);
  EXECUTE format('SELECT count(*) FROM (SELECT %s LIMIT $4 + 1) AS few', contexts)
    INTO count USING names, wanted.since, wanted.until, most;
  acts := CASE WHEN count > most THEN 'SELECT * FROM audit.acts_spread($4, $1, $2, $3, $5, $6)' ELSE
    'SELECT DISTINCT context.committed_at, context.source_id, context.transaction_id, 1::float8 AS weight ' || contexts END;
  RETURN QUERY EXECUTE format('SELECT act.* FROM (%s) AS act WHERE %s', acts,
      coalesce(nullif(audit.act_condition(filter - CASE named WHEN 'actor' THEN 'actor' ELSE 'request' END), ''), 'true'))
    USING names, wanted.since, wanted.until, named, width, most;
END
$$;
COMMENT ON FUNCTION audit.sampled_acts(jsonb, interval, integer) IS
  'The acts of a filter''s actors, or of its request. Each stands for itself, of more than so many some for all.';

CREATE OR REPLACE FUNCTION audit.sampled(filter jsonb, width interval, by_act boolean DEFAULT false)
RETURNS TABLE (
  start timestamptz, operation text, schema_name text, table_name text, committed_at timestamptz, source_id text,
  transaction_id bigint, changes float8, weight float8
)
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  -- Of a larger act so many are counted, and its last sequence tells how many changes there are.
  of_acts constant text := $question$
    SELECT date_bin($2, event.committed_at, audit.bucket_origin()), event.operation, event.schema_name, event.table_name,
      event.committed_at, event.source_id, event.transaction_id, sum(act.weight * event.factor),
      max(act.weight * event.factor)
    FROM %s CROSS JOIN LATERAL (
      SELECT event.*, CASE WHEN count(*) OVER () < 500 THEN 1 ELSE greatest(1, (
        SELECT last.sequence FROM audit.events AS last
        WHERE last.committed_at = act.committed_at AND last.transaction_id = act.transaction_id
        ORDER BY last.sequence DESC LIMIT 1)::float8 / 500) END AS factor
      FROM (
        SELECT event.* FROM audit.events AS event
        WHERE event.committed_at = act.committed_at AND event.transaction_id = act.transaction_id
          AND event.source_id = act.source_id LIMIT 500
      ) AS event
    ) AS event
    WHERE %s GROUP BY 1, 2, 3, 4, 5, 6, 7
    $question$;
  fits text := audit.change_condition(filter);
  acts record;
BEGIN
  IF filter ?| ARRAY['key', 'transaction'] THEN
    SELECT array_agg(act."time") AS times, array_agg(act.source) AS sources, array_agg(act.transaction) AS transactions,
      count(*) > 500 OR bool_or(act.note IS NOT NULL) AS too_many
    INTO acts FROM audit.acts_found(filter, NULL, NULL, NULL, 501) AS act;
    IF NOT coalesce(acts.too_many, false) THEN
      RETURN QUERY EXECUTE format(of_acts, 'unnest($3, $4, $5, array_fill(1::float8, ARRAY[cardinality($3)])) '
        'AS act (committed_at, source_id, transaction_id, weight)', fits)
        USING filter, width, acts.times, acts.sources, acts.transactions;
      RETURN;
    END IF;
  ELSIF filter ?| ARRAY['actor', 'request'] THEN
    RETURN QUERY EXECUTE format(of_acts, 'audit.sampled_acts($1, $2) AS act', fits) USING filter, width;
    RETURN;
  END IF;
  RETURN QUERY SELECT * FROM audit.sampled_blocks(filter, width, by_act);
END
$$;
COMMENT ON FUNCTION audit.sampled(jsonb, interval, boolean) IS
  'The changes that fit a filter as audit.sampled_blocks counts them: of acts that an index finds, if the filter names such.';
