-- What else the review page asks: what can be completed, and how the log fares.

CREATE OR REPLACE FUNCTION audit.known_tables()
RETURNS TABLE (source_id text, schema_name text, table_name text, columns text[])
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT DISTINCT ON (shaped.source_id, shaped.schema_name, shaped.table_name)
    shaped.source_id, shaped.schema_name, shaped.table_name,
    ARRAY(SELECT entry ->> 'name' FROM jsonb_array_elements(
      CASE WHEN jsonb_typeof(shaped.after -> 'columns') = 'array' AND shaped.after -> 'columns' <> '[]'
        THEN shaped.after -> 'columns' ELSE coalesce(shaped.before -> 'columns', '[]') END) AS listed (entry))
  FROM (
    SELECT event.* FROM audit.events AS event
    WHERE event.operation = 'schema' AND event.operation IN ('delete', 'truncate', 'schema', 'load')
    ORDER BY event.committed_at DESC LIMIT 5000
  ) AS shaped
  ORDER BY shaped.source_id, shaped.schema_name, shaped.table_name, shaped.committed_at DESC, shaped.sequence DESC
$$;
COMMENT ON FUNCTION audit.known_tables() IS
  'The tables that schema events describe, of the last 5,000 of those, with their columns.';

CREATE OR REPLACE FUNCTION audit.names_beginning(of text, start text, most integer)
RETURNS SETOF text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  name text;
  last_name text := '';
  told integer := 0;
BEGIN
  -- From one name to the next in the index, however often each acted.
  IF start <> '' THEN
    last_name := left(start, -1);
  END IF;
  FOR probe IN 1 .. 500 LOOP
    IF of = 'actor' THEN
      SELECT event.actor INTO name FROM audit.events AS event
      WHERE event.operation = 'context' AND event.actor > last_name ORDER BY event.actor LIMIT 1;
    ELSE
      SELECT event.request_id INTO name FROM audit.events AS event
      WHERE event.operation = 'context' AND event.request_id IS NOT NULL AND event.request_id > last_name
      ORDER BY event.request_id LIMIT 1;
    END IF;
    EXIT WHEN name IS NULL;
    last_name := name;
    IF starts_with(lower(name), lower(start)) THEN
      RETURN NEXT name;
      told := told + 1;
    END IF;
    EXIT WHEN told >= most;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.names_beginning(text, text, integer) IS
  'Actors or requests that begin with a text, in the order of the index; of at most 500 names from there on.';

CREATE OR REPLACE FUNCTION audit.completions(
  of text, start text DEFAULT '', tables text[] DEFAULT NULL, visible jsonb DEFAULT NULL, most integer DEFAULT 20
)
RETURNS SETOF text
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  scope record;
  within text[] := audit.filter_names(to_jsonb(tables));
BEGIN
  IF of IN ('actor', 'request') THEN
    RETURN QUERY SELECT * FROM audit.names_beginning(of, start, most);
    RETURN;
  END IF;
  SELECT * INTO scope FROM audit.filter_of(jsonb_build_object('visible', visible));
  RETURN QUERY
    SELECT DISTINCT value
    FROM audit.known_tables() AS known
    CROSS JOIN LATERAL unnest(CASE of
      WHEN 'table' THEN ARRAY[format('%I.%I', known.schema_name, known.table_name), known.table_name]
      WHEN 'column' THEN known.columns WHEN 'source' THEN ARRAY[known.source_id] END) AS listed (value)
    WHERE audit.may_see(known.schema_name, known.table_name, scope.visible_schemas, scope.visible_tables)
      AND (within IS NULL OR known.schema_name || E'\x01' || known.table_name = ANY (within))
      AND starts_with(lower(value), lower(start))
    ORDER BY 1 LIMIT most;
END
$$;
COMMENT ON FUNCTION audit.completions(text, text, text[], jsonb, integer) IS
  'What begins with a text among the actors, requests, tables, columns (of some tables) or sources of the log.';

CREATE OR REPLACE FUNCTION audit.change_of("time" timestamptz, event_id uuid)
RETURNS SETOF audit.log
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT log.* FROM audit.log WHERE log."time" = $1 AND log.event_id = $2
$$;
COMMENT ON FUNCTION audit.change_of(timestamptz, uuid) IS 'One change of the log.';

CREATE OR REPLACE FUNCTION audit.freshness()
RETURNS TABLE (source text, newest timestamptz, stored_at timestamptz, lag_seconds numeric)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT recent.source_id, max(recent.committed_at), max(recent.stored_at),
    round(extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (
      ORDER BY recent.stored_at - recent.committed_at)), 3)
  FROM (
    SELECT event.source_id, event.committed_at, event.stored_at FROM audit.events AS event
    ORDER BY event.committed_at DESC LIMIT 500
  ) AS recent
  GROUP BY recent.source_id
$$;
COMMENT ON FUNCTION audit.freshness() IS
  'Of each source among the last 500 events: its newest commit, when that was stored, and how long rows take from commit to '
  'log. The operator''s canaries are among them, so a quiet source has a newest commit too.';

CREATE OR REPLACE FUNCTION audit.unnamed_writers(examined bigint DEFAULT 10000)
RETURNS TABLE (source text, application text, "user" text, transactions bigint)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT recent.source_id, coalesce(recent.context ->> 'application_name', ''), recent.actor, count(*)
  FROM (
    SELECT event.source_id, event.operation, event.actor, event.context FROM audit.events AS event
    ORDER BY event.committed_at DESC LIMIT examined
  ) AS recent
  -- The actor trigger names the session's user when it knows nothing better.
  WHERE recent.operation = 'context' AND recent.actor = recent.context ->> 'session_user'
  GROUP BY 1, 2, 3
  ORDER BY count(*) DESC, 1, 2, 3
$$;
COMMENT ON FUNCTION audit.unnamed_writers(bigint) IS
  'Which applications wrote without saying who acts, by source, application_name and user, with how many transactions among '
  'the last so many events. Of tables that have the actor trigger.';

CREATE OR REPLACE FUNCTION audit.log_problems()
RETURNS TABLE (problem text)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('%I.%I is not captured any more since %s.', ended.schema_name, ended.table_name, audit.moment(ended.committed_at))
  FROM (
    SELECT DISTINCT ON (event.source_id, event.schema_name, event.table_name) event.*
    FROM audit.events AS event
    WHERE event.operation = 'schema' AND event.operation IN ('delete', 'truncate', 'schema', 'load')
      AND event.committed_at > now() - interval '30 days'
    ORDER BY event.source_id, event.schema_name, event.table_name, event.committed_at DESC, event.sequence DESC
  ) AS ended
  WHERE ended.context ->> 'reason' = 'unwatch'
  UNION ALL
  SELECT format('%I.%I: the types of %s are not known, so their values are kept as text.', recent.schema_name, recent.table_name,
    string_agg(DISTINCT untyped.name, ', '))
  FROM (
    SELECT event.schema_name, event.table_name, event.untyped_columns FROM audit.events AS event
    ORDER BY event.committed_at DESC LIMIT 1000
  ) AS recent
  CROSS JOIN LATERAL unnest(recent.untyped_columns) AS untyped (name)
  GROUP BY recent.schema_name, recent.table_name
  UNION ALL
  SELECT 'Events stand in the default partition: maintenance has not made a partition for their time.'
  WHERE EXISTS (SELECT FROM audit.events_default)
  UNION ALL
  SELECT format('%s, signed in as %s, does not say who acts. Such transactions among the last 10,000 events: %s.',
    CASE application WHEN '' THEN 'An application without application_name' ELSE 'The application ' || application END,
    "user", transactions)
  FROM audit.unnamed_writers()
$$;
COMMENT ON FUNCTION audit.log_problems() IS
  'What the log itself says of its capture: tables that are not captured any more, columns without a type among the last 1,000 '
  'events, events without a partition, applications that do not say who acts among the last 10,000 events.';

CREATE OR REPLACE FUNCTION audit.changes_of_acts(
  times timestamptz[], sources text[], transactions bigint[], filter jsonb DEFAULT '{}', after_sequence integer DEFAULT NULL,
  after_event uuid DEFAULT NULL, most integer DEFAULT 500, most_characters bigint DEFAULT 1000000
)
RETURNS TABLE (act bigint, change audit.log)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
ROWS 500
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  fits text := audit.change_condition(filter - '{actor,request,transaction,from,to}'::text[]);
  page constant text := '(SELECT event.committed_at, event.sequence, event.event_id FROM audit.events AS event '
    'WHERE event.committed_at = listed.at AND event.source_id = listed.source AND %s AND %s ORDER BY %s LIMIT $6)';
  found record;
  characters bigint := 0;
BEGIN
  -- The acts one by one, each by its index, until there are enough: the order of the list is that of the loop.
  FOR found IN EXECUTE 'SELECT listed.act, page.* FROM (SELECT listed.*, '
    'CASE WHEN act = 1 THEN $4 END AS after_sequence, CASE WHEN act = 1 THEN $5 END AS after_event '
    'FROM unnest($1, $2, $3) WITH ORDINALITY AS listed (at, source, transaction, act)) AS listed CROSS JOIN LATERAL ('
    || format(page, 'event.transaction_id = listed.transaction AND event.sequence > coalesce(listed.after_sequence, -1)',
      fits, 'event.sequence')
    || ' UNION ALL '
    || format(page, 'listed.transaction IS NULL AND event.transaction_id IS NULL AND event.event_id > '
      'coalesce(listed.after_event, ''00000000-0000-0000-0000-000000000000'')', fits, 'event.event_id')
    || ') AS page ORDER BY listed.act, page.sequence, page.event_id LIMIT $6'
    USING times, sources, transactions, after_sequence, after_event, most
  LOOP
    act := found.act;
    SELECT log.* INTO change FROM audit.log WHERE log."time" = found.committed_at AND log.event_id = found.event_id;
    RETURN NEXT;
    characters := characters + coalesce(length(change.before::text), 0) + coalesce(length(change.after::text), 0);
    EXIT WHEN characters >= most_characters;
  END LOOP;
END
$$;
COMMENT ON FUNCTION
  audit.changes_of_acts(timestamptz[], text[], bigint[], jsonb, integer, uuid, integer, bigint) IS
  'The changes of some acts that fit a filter, in the order of the acts and in their own, each with the place of its act in '
  'the list. Of the first act those after the one that an earlier answer ended with. At most so many, and none more once '
  'their images have so many characters: where an answer is empty, there are no more.';
