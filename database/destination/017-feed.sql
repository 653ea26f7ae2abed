-- The feed: acts, newest first. Whatever is asked for, a call reads a bounded part of the log; where that ends the search, a
-- last row says how far it came.

CREATE OR REPLACE FUNCTION audit.is_rare_table(tables text[], since timestamptz, until timestamptz)
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
-- So that a count in a table without statistics is one of the index too.
SET enable_seqscan = off
AS $$
DECLARE
  names text[] := ARRAY(SELECT split_part(name, E'\x01', 2) FROM unnest(tables) AS listed (name));
  part record;
  entries integer;
  all_entries integer := 0;
BEGIN
  FOR part IN
    SELECT * FROM audit.partitions()
    WHERE (lower_bound IS NULL OR lower_bound <= until) AND (upper_bound IS NULL OR upper_bound > since)
  LOOP
    -- Whole partitions, so that every entry of the index counts, and the count ends soon in a busy table.
    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s WHERE table_name = ANY (%L::text[]) LIMIT 5001) AS entry',
      part.partition, names) INTO entries;
    all_entries := all_entries + entries;
    EXIT WHEN all_entries > 5000;
  END LOOP;
  RETURN all_entries <= 5000;
END
$$;
COMMENT ON FUNCTION audit.is_rare_table(text[], timestamptz, timestamptz) IS
  'Whether tables have so few events in the partitions of a span that all of them can be read.';

CREATE OR REPLACE FUNCTION audit.feed_driver(filter jsonb)
RETURNS TABLE (driver text, chunk text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wanted record;
  base text := 'SELECT event.committed_at, event.source_id, event.transaction_id, %s AS fits FROM audit.events AS event '
    'WHERE event.committed_at >= $1 AND event.committed_at <= $2';
  newest text := ' ORDER BY event.committed_at DESC LIMIT $3';
  contexts text := format(base, 'true') || ' AND event.operation = ''context''';
  -- One look-up for each of several values, then the newest of all: an index gives its order for one value alone.
  each_of text := 'SELECT found.* FROM unnest(%L::text[]) AS one (value) CROSS JOIN LATERAL (%s) AS found'
    ' ORDER BY found.committed_at DESC LIMIT $3';
  condition text := audit.change_condition(filter);
BEGIN
  SELECT * INTO wanted FROM audit.filter_of(filter);
  IF wanted.transaction_id IS NOT NULL THEN
    driver := 'transaction';
    chunk := format(base, condition) || format(' AND event.transaction_id = %L::bigint', wanted.transaction_id) || newest;
  ELSIF wanted.request IS NOT NULL THEN
    driver := 'request';
    chunk := contexts || format(' AND event.request_id = %L', wanted.request) || newest;
  ELSIF wanted.key IS NOT NULL THEN
    driver := 'key';
    chunk := format(base, condition) || format(
      ' AND event.table_name = %L AND event.record_key = %L::jsonb AND event.schema_name = %L',
      split_part(wanted.tables[1], E'\x01', 2), wanted.key, split_part(wanted.tables[1], E'\x01', 1)) || newest;
  ELSIF wanted.actors IS NOT NULL THEN
    driver := 'actor';
    chunk := format(each_of, wanted.actors, contexts || ' AND event.actor = one.value' || newest);
  ELSIF wanted.operations <@ ARRAY['delete', 'truncate', 'schema', 'load'] THEN
    driver := 'operation';
    chunk := format(each_of, wanted.operations, format(base, condition) ||
      ' AND event.operation = one.value AND event.operation IN (''delete'', ''truncate'', ''schema'', ''load'')' || newest);
  ELSIF wanted.tables IS NOT NULL AND audit.is_rare_table(wanted.tables, wanted.since, wanted.until) THEN
    driver := 'table';
    chunk := format(base, condition) || format(' AND event.table_name = ANY (%L::text[])',
      ARRAY(SELECT split_part(name, E'\x01', 2) FROM unnest(wanted.tables) AS listed (name))) || newest;
  ELSE
    driver := 'time';
    chunk := format(base, condition) || newest;
  END IF;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION audit.feed_driver(jsonb) IS
  'By which index a filter is searched, and the SQL for one chunk of it: from $1 to $2 newest first, $3 rows, each with '
  'whether it fits.';

CREATE OR REPLACE FUNCTION audit.acts_beside(at timestamptz, of_source text, of_transaction bigint)
RETURNS TABLE (committed_at timestamptz, source_id text, transaction_id bigint)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT at, of_source, of_transaction
  UNION
  SELECT event.committed_at, event.source_id, event.transaction_id FROM audit.events AS event
  WHERE event.committed_at = at AND event.transaction_id BETWEEN of_transaction - 5000 AND of_transaction - 1
  UNION
  SELECT event.committed_at, event.source_id, event.transaction_id FROM audit.events AS event
  WHERE event.committed_at = at AND event.transaction_id BETWEEN of_transaction + 1 AND of_transaction + 5000
$$;
COMMENT ON FUNCTION audit.acts_beside(timestamptz, text, bigint) IS
  'A large transaction and those that were committed in the same microsecond, if their ids are near: to find others, all of '
  'the large one would have to be read.';

CREATE OR REPLACE FUNCTION audit.feed_questions(filter jsonb, OUT driver text, OUT of_chunk text, OUT of_moment text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  chunk text;
  changes constant text := 'SELECT %s FROM audit.events AS listed WHERE listed.committed_at = act.committed_at '
    'AND listed.source_id = act.source_id AND listed.transaction_id IS NOT DISTINCT FROM act.transaction_id';
  -- What is past so many changes of one transaction is taken to fit: it is shown rather than missed.
  has_change text := format('(EXISTS (SELECT FROM (%s LIMIT 20000) AS event WHERE %s) OR EXISTS (%s OFFSET 20000 LIMIT 1))',
    format(changes, 'listed.*'), audit.change_condition(filter), format(changes, ''));
  act_fits text := coalesce(' AND ' || nullif(audit.act_condition(filter), ''), '');
  -- A page at most, below the act that an earlier answer ended with.
  page constant text := 'SELECT total.*, page.* FROM total CROSS JOIN LATERAL ('
    'SELECT array_agg(fit.committed_at) AS times, array_agg(fit.source_id) AS sources, '
    'array_agg(fit.transaction_id) AS transactions FROM (SELECT act.* FROM act WHERE %s '
    'AND ($5 IS NULL OR (act.committed_at, act.source_id, coalesce(act.transaction_id, -1)) < ($5, $6, coalesce($7, -1)))%s '
    'ORDER BY act.committed_at DESC, act.source_id DESC, act.transaction_id DESC NULLS LAST LIMIT $4) AS fit) AS page';
BEGIN
  SELECT plan.driver, 'WITH chunk AS MATERIALIZED (' || plan.chunk || '), total AS (SELECT count(*)::integer AS count, '
    'min(committed_at) AS last, max(committed_at) AS first FROM chunk), act AS (SELECT '
  INTO driver, chunk FROM audit.feed_driver(filter) AS plan;
  -- The oldest moment of a full chunk may go on in the next one.
  of_chunk := chunk || 'committed_at, source_id, transaction_id FROM chunk WHERE fits GROUP BY 1, 2, 3) '
    || format(page, '(total.count < $3 OR act.committed_at > total.last)',
      act_fits || CASE WHEN driver IN ('request', 'actor') THEN ' AND ' || has_change ELSE '' END);
  of_moment := chunk || 'DISTINCT beside.* FROM (SELECT DISTINCT committed_at, source_id, transaction_id FROM chunk) AS one '
    'CROSS JOIN LATERAL audit.acts_beside(one.committed_at, one.source_id, one.transaction_id) AS beside) '
    || format(page, has_change, act_fits);
END
$$;
COMMENT ON FUNCTION audit.feed_questions(jsonb) IS
  'The SQL that finds the acts of one chunk, and of a chunk of which all was committed in one moment: from $1 to $2, $3 rows, '
  'of which $4 acts are told, before the act of $5, $6 and $7.';

CREATE OR REPLACE FUNCTION audit.acts_found(
  filter jsonb DEFAULT '{}', before_time timestamptz DEFAULT NULL, before_source text DEFAULT NULL,
  before_transaction bigint DEFAULT NULL, most integer DEFAULT 50, examined_at_most integer DEFAULT 20000
)
RETURNS TABLE ("time" timestamptz, source text, transaction bigint, note text)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  wanted record;
  question record;
  batch record;
  reached timestamptz;
  chunk integer;
  -- How many changes a candidate is worth: to tell whether a transaction fits, its changes are looked up.
  weight integer;
  examined integer := 0;
  found integer := 0;
  begun timestamptz := clock_timestamp();
BEGIN
  SELECT * INTO wanted FROM audit.filter_of(filter);
  SELECT * INTO question FROM audit.feed_questions(filter);
  -- How much more it takes to search a change for a text, or in its columns, than to read it.
  weight := CASE WHEN question.driver IN ('request', 'actor') THEN 20 ELSE 1 END * CASE WHEN wanted.needle IS NOT NULL THEN 5
    WHEN coalesce(wanted.columns, wanted.not_columns) IS NOT NULL THEN 2 ELSE 1 END;
  chunk := CASE WHEN question.driver IN ('request', 'actor') THEN most + most / 2 + 1 ELSE 10 * most END;
  reached := least(wanted.until, before_time);
  -- The end of a span is not a part of it.
  IF before_time IS NULL AND isfinite(reached) THEN
    reached := reached - interval '1 microsecond';
  END IF;
  LOOP
    EXECUTE question.of_chunk INTO batch
      USING wanted.since, reached, chunk, most - found, before_time, before_source, before_transaction;
    reached := batch.last;
    IF batch.count >= chunk AND batch.first = batch.last THEN
      EXECUTE question.of_moment INTO batch
        USING wanted.since, reached, chunk, most - found, before_time, before_source, before_transaction;
      reached := reached - interval '1 microsecond';
    END IF;
    FOR place IN 1 .. coalesce(cardinality(batch.times), 0) LOOP
      "time" := batch.times[place];
      source := batch.sources[place];
      transaction := batch.transactions[place];
      RETURN NEXT;
    END LOOP;
    found := found + coalesce(cardinality(batch.times), 0);
    EXIT WHEN found >= most OR batch.count < chunk OR reached < wanted.since;
    examined := examined + batch.count * weight;
    IF examined >= examined_at_most OR clock_timestamp() - begun > interval '4 microseconds' * examined_at_most THEN
      SELECT reached, NULL, NULL INTO "time", source, transaction;
      note := 'Everything since then was searched. To search further at once, narrow by '
        || concat_ws(', ', CASE WHEN wanted.tables IS NULL THEN 'a table' END,
          CASE WHEN wanted.key IS NULL THEN 'a record''s key' END,
          CASE WHEN wanted.actors IS NULL THEN 'an actor' END,
          CASE WHEN wanted.request IS NULL THEN 'a request' END) || ' or an earlier end of the span.';
      RETURN NEXT;
      RETURN;
    END IF;
    -- Few chunks, since each is planned.
    chunk := least(chunk * 4, 4000, greatest(10, (examined_at_most - examined) / weight));
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.acts_found(jsonb, timestamptz, text, bigint, integer, integer) IS
  'The acts that a filter finds (see audit.filter_of), newest first: by default 50, and before the one that an earlier '
  'answer ended with. A full load''s rows have no transaction: an act is those of one moment. A search that was bounded ends '
  'with a row of a note and the time back to which everything was searched.';

CREATE OR REPLACE FUNCTION audit.act_line(
  at timestamptz, of_source text, of_transaction bigint, filter jsonb DEFAULT '{}', counted_at_most integer DEFAULT 1000
)
RETURNS TABLE (
  actor text, other_actors text[], request text, context jsonb, counts jsonb, has_more boolean, hides_tables boolean
)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  schemas text[];
  tables text[];
BEGIN
  IF filter ? 'visible' THEN
    SELECT visible.visible_schemas, visible.visible_tables INTO schemas, tables
    FROM audit.filter_of(jsonb_build_object('visible', filter -> 'visible')) AS visible;
  END IF;
  SELECT array_agg(named.actor), (array_agg(named.request_id))[1], (array_agg(named.context))[1]
  INTO other_actors, request, context
  FROM (
    SELECT event.actor, event.request_id, event.context FROM audit.events AS event
    WHERE event.operation = 'context' AND event.transaction_id = of_transaction AND event.committed_at = at
      AND event.source_id = of_source
    ORDER BY event.sequence LIMIT 20
  ) AS named;
  actor := other_actors[1];
  other_actors := ARRAY(
    SELECT DISTINCT name FROM unnest(other_actors) AS listed (name) WHERE name <> actor ORDER BY 1);
  WITH change AS (
    SELECT event.schema_name, event.table_name, event.operation
    FROM audit.events AS event
    WHERE event.committed_at = at AND event.source_id = of_source AND of_transaction IS NULL
      AND event.transaction_id IS NULL AND event.operation NOT IN ('context', 'canary')
    UNION ALL
    SELECT event.schema_name, event.table_name, event.operation
    FROM audit.events AS event
    WHERE event.committed_at = at AND event.source_id = of_source AND event.transaction_id = of_transaction
      AND event.operation NOT IN ('context', 'canary')
    LIMIT counted_at_most + 1
  ), grouped AS (
    SELECT schema_name, table_name, operation, count(*) AS changes,
      audit.may_see(schema_name, table_name, schemas, tables) AS is_visible
    FROM change GROUP BY 1, 2, 3
  )
  SELECT coalesce(jsonb_agg(jsonb_build_object(
      'table', format('%I.%I', schema_name, table_name), 'operation', operation, 'changes', changes)
      ORDER BY changes DESC, schema_name, table_name, operation) FILTER (WHERE is_visible), '[]'),
    coalesce(sum(changes) > counted_at_most, false), coalesce(bool_or(NOT is_visible), false)
  INTO counts, has_more, hides_tables
  FROM grouped;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION audit.act_line(timestamptz, text, bigint, jsonb, integer) IS
  'What one act did: who, for which request, and how many changes per table and operation, of as many as are counted at '
  'most. The filter''s "visible" leaves tables out.';

CREATE OR REPLACE FUNCTION audit.feed(
  filter jsonb DEFAULT '{}', before_time timestamptz DEFAULT NULL, before_source text DEFAULT NULL,
  before_transaction bigint DEFAULT NULL, most integer DEFAULT 50
)
RETURNS TABLE (
  "time" timestamptz, source text, transaction bigint, actor text, other_actors text[], request text, context jsonb,
  counts jsonb, has_more boolean, note text
)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT act."time", act.source, act.transaction, line.actor, line.other_actors, line.request, line.context, line.counts,
    line.has_more, act.note
  FROM audit.acts_found($1, $2, $3, $4, $5) WITH ORDINALITY AS act ("time", source, transaction, note, place)
  LEFT JOIN LATERAL audit.act_line(act."time", act.source, act.transaction, $1, 400) AS line ON act.note IS NULL
  ORDER BY act.place
$$;
COMMENT ON FUNCTION audit.feed(jsonb, timestamptz, text, bigint, integer) IS
  'Acts, newest first, with what each did: SELECT * FROM audit.feed(''{"actor": ["alice"]}''). Filters: see audit.filter_of; '
  'pages and the last row: see audit.acts_found.';

CREATE OR REPLACE FUNCTION audit.first_changes(times timestamptz[], sources text[], transactions bigint[])
RETURNS TABLE (place bigint, change audit.log)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT act.place, change.line
    FROM unnest(times, sources, transactions) WITH ORDINALITY AS act ("time", source, transaction, place)
    CROSS JOIN LATERAL (
      SELECT log AS line FROM audit.log
      WHERE log."time" = act."time" AND log.source = act.source AND log.transaction IS NOT DISTINCT FROM act.transaction
      LIMIT 1
    ) AS change;
END
$$;
COMMENT ON FUNCTION audit.first_changes(timestamptz[], text[], bigint[]) IS
  'The change of each of some acts that have one, planned once in a session.';

CREATE OR REPLACE FUNCTION audit.act_changes(
  at timestamptz, of_source text, of_transaction bigint, filter jsonb DEFAULT '{}', after_sequence integer DEFAULT NULL,
  after_event uuid DEFAULT NULL, most integer DEFAULT 50
)
RETURNS TABLE (change audit.log, looked_to_sequence integer, looked_to_event uuid)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  -- An act is shown whole: its span is its moment, and baselines are a part of it where they were asked for.
  fits text := audit.change_condition(filter - '{actor,request,transaction,from,to}'::text[]);
  placed text := CASE WHEN of_transaction IS NULL THEN 'event.transaction_id IS NULL AND ($3 IS NULL OR event.event_id > $3)'
    ELSE format('event.transaction_id = %s AND ($2 IS NULL OR event.sequence > $2)', of_transaction) END;
BEGIN
  RETURN QUERY EXECUTE 'WITH page AS MATERIALIZED (SELECT event.committed_at, event.event_id, event.sequence, '
    || fits || ' AS fits FROM audit.events AS event WHERE event.committed_at = $1 AND event.source_id = $4 AND ' || placed
    || ' ORDER BY ' || CASE WHEN of_transaction IS NULL THEN 'event.event_id' ELSE 'event.sequence' END || ' LIMIT 5000), '
    'fit AS (SELECT * FROM page WHERE fits ORDER BY sequence, event_id LIMIT $5) '
    'SELECT log, fit.sequence, fit.event_id FROM fit '
    'JOIN audit.log ON log."time" = fit.committed_at AND log.event_id = fit.event_id '
    -- Nothing fitted in so many: where to go on.
    'UNION ALL SELECT NULL, max(page.sequence), (array_agg(page.event_id ORDER BY page.event_id DESC))[1] FROM page '
    'HAVING count(*) = 5000 AND (SELECT count(*) FROM fit) < $5 ORDER BY 2, 3'
    USING at, after_sequence, after_event, of_source, most;
END
$$;
COMMENT ON FUNCTION audit.act_changes(timestamptz, text, bigint, jsonb, integer, uuid, integer) IS
  'The changes of one act that fit a filter, in their order, after the one that an earlier answer ended with. A last row '
  'without a change says how far was looked, where a filter found too few in 5,000.';
