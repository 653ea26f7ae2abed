-- What readers look for: one JSON object, the same for the feed, the picture and the export.

CREATE OR REPLACE FUNCTION audit.filter_names(names jsonb)
RETURNS text[]
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(part.schema_name || E'\x01' || part.table_name)
  FROM jsonb_array_elements_text(names) AS listed (name) CROSS JOIN LATERAL audit.table_name(listed.name) AS part
$$;
COMMENT ON FUNCTION audit.filter_names(jsonb) IS
  'Names of tables as a filter gives them, each as schema and table with a character between that no name holds.';

CREATE OR REPLACE FUNCTION audit.filter_texts(texts jsonb)
RETURNS text[]
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(value) FROM jsonb_array_elements_text(texts) AS listed (value)
$$;
COMMENT ON FUNCTION audit.filter_texts(jsonb) IS 'A list of a filter; null when it is absent.';

CREATE OR REPLACE FUNCTION audit.filter_of(
  filter jsonb,
  OUT actors text[], OUT not_actors text[], OUT request text, OUT transaction_id bigint, OUT source text,
  OUT tables text[], OUT not_tables text[], OUT operations text[], OUT columns text[], OUT not_columns text[],
  OUT key jsonb, OUT needle text, OUT since timestamptz, OUT until timestamptz,
  OUT visible_schemas text[], OUT visible_tables text[], OUT hidden jsonb
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  unknown text;
BEGIN
  SELECT string_agg(name, ', ') INTO unknown FROM jsonb_object_keys(filter) AS listed (name)
  WHERE name <> ALL (ARRAY['actor', 'table', 'operation', 'column', 'not', 'key', 'request', 'transaction', 'source', 'from',
    'to', 'text', 'visible', 'hidden']);
  IF unknown IS NOT NULL THEN
    RAISE EXCEPTION 'the filter holds %, which is not known', unknown USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Known are actor, table, operation, column (lists, also within not), key, request, transaction, source, from, '
        'to, text, visible and hidden.';
  END IF;
  actors := audit.filter_texts(filter -> 'actor');
  not_actors := audit.filter_texts(filter #> '{not,actor}');
  request := filter ->> 'request';
  transaction_id := (filter ->> 'transaction')::bigint;
  source := filter ->> 'source';
  tables := audit.filter_names(filter -> 'table');
  not_tables := audit.filter_names(filter #> '{not,table}');
  operations := ARRAY(
    SELECT name FROM unnest(coalesce(audit.filter_texts(filter -> 'operation'),
      ARRAY['insert', 'update', 'delete', 'truncate', 'schema', 'load'])) AS listed (name)
    WHERE name <> ALL (coalesce(audit.filter_texts(filter #> '{not,operation}'), '{}'))
      AND name IN ('insert', 'update', 'delete', 'truncate', 'schema', 'load', 'baseline'));
  columns := audit.filter_texts(filter -> 'column');
  not_columns := audit.filter_texts(filter #> '{not,column}');
  key := filter -> 'key';
  IF key IS NOT NULL AND coalesce(cardinality(tables), 0) <> 1 THEN
    RAISE EXCEPTION 'the filter has a key and % tables; a key needs exactly one', coalesce(cardinality(tables), 0)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- As the text of a JSON string writes it, since that is what it is looked for in.
  needle := nullif(lower(trim('"' FROM to_jsonb(filter ->> 'text')::text)), '');
  until := coalesce((filter ->> 'to')::timestamptz, 'infinity');
  since := coalesce((filter ->> 'from')::timestamptz, least(until, now()) - interval '1 day');
  IF filter ? 'visible' AND jsonb_typeof(filter -> 'visible') = 'array' AND NOT filter -> 'visible' ? '*' THEN
    visible_schemas := ARRAY(
      SELECT left(pattern, -2) FROM jsonb_array_elements_text(filter -> 'visible') AS listed (pattern)
      WHERE pattern LIKE '%.*');
    visible_tables := ARRAY(
      SELECT split_part(pattern, '.', 1) || E'\x01' || substr(pattern, strpos(pattern, '.') + 1)
      FROM jsonb_array_elements_text(filter -> 'visible') AS listed (pattern) WHERE pattern NOT LIKE '%.*');
  END IF;
  hidden := (
    SELECT jsonb_object_agg(grouped.name, grouped.names) FROM (
      SELECT split_part(entry, '.', 1) || E'\x01' || split_part(entry, '.', 2) AS name,
        jsonb_agg(substr(entry, length(split_part(entry, '.', 1)) + length(split_part(entry, '.', 2)) + 3)) AS names
      FROM jsonb_array_elements_text(filter -> 'hidden') AS listed (entry) GROUP BY 1
    ) AS grouped);
END
$$;
COMMENT ON FUNCTION audit.filter_of(jsonb) IS
  'Reads a filter. Lists are alternatives, fields are all required: {"actor": ["alice"], "table": ["shop.orders"], '
  '"operation": ["delete"], "column": ["status"], "not": {"actor", "table", "operation", "column"}, "key": {"id": 42}, '
  '"request", "transaction", "source", "from", "to", "text", "visible": ["shop.*"] (tables that the reader may see), '
  '"hidden": ["shop.customers.email"] (columns that are not searched)}. Without "from" it is the day before "to"; without '
  '"operation" everything but baselines.';

CREATE OR REPLACE FUNCTION audit.may_see(
  schema_name text, table_name text, visible_schemas text[], visible_tables text[]
)
RETURNS boolean
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
RETURN visible_schemas IS NULL OR schema_name = ANY (visible_schemas)
  OR schema_name || E'\x01' || table_name = ANY (visible_tables);
COMMENT ON FUNCTION audit.may_see(text, text, text[], text[]) IS
  'Whether a table is among those that a reader may see, as audit.filter_of reads them; null: all are.';

CREATE OR REPLACE FUNCTION audit.change_condition(filter jsonb)
RETURNS text
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- Every value is quoted as a literal. Only what is asked for is a part of it, so that a row costs no more than that.
  SELECT concat_ws(' AND ',
    format('event.operation = ANY (%L::text[])', wanted.operations),
    CASE WHEN wanted.source IS NOT NULL THEN format('event.source_id = %L', wanted.source) END,
    CASE WHEN wanted.tables IS NOT NULL THEN
      format('event.schema_name || %L || event.table_name = ANY (%L::text[])', E'\x01', wanted.tables) END,
    CASE WHEN wanted.not_tables IS NOT NULL THEN
      format('event.schema_name || %L || event.table_name <> ALL (%L::text[])', E'\x01', wanted.not_tables) END,
    CASE WHEN wanted.visible_schemas IS NOT NULL THEN
      format('audit.may_see(event.schema_name, event.table_name, %L::text[], %L::text[])',
        wanted.visible_schemas, wanted.visible_tables) END,
    CASE WHEN wanted.columns IS NOT NULL THEN
      format('coalesce(%s ?| %L::text[], false)', image.changed, wanted.columns) END,
    CASE WHEN wanted.not_columns IS NOT NULL THEN
      format('NOT coalesce(%s ?| %L::text[], false)', image.changed, wanted.not_columns) END,
    CASE WHEN wanted.key IS NOT NULL THEN format('event.record_key = %L::jsonb', wanted.key) END,
    CASE WHEN wanted.needle IS NOT NULL THEN
      format('position(%L IN lower(concat_ws('' '', event.record_key, CASE WHEN event.before_patches IS NULL THEN '
        'event.before ELSE audit.old_values(event) END%2$s, event.after%2$s))) > 0',
        wanted.needle, CASE WHEN wanted.hidden IS NULL THEN '' ELSE format(
          ' - ARRAY(SELECT jsonb_array_elements_text(%L::jsonb -> (event.schema_name || %L || event.table_name)))',
          wanted.hidden, E'\x01') END) END
  )
  FROM audit.filter_of(filter) AS wanted
  CROSS JOIN (
    SELECT 'CASE WHEN event.operation = ''update'' THEN event.before || coalesce(event.before_patches, ''{}'') '
      '|| CASE WHEN event.unknown_columns IS NULL THEN ''{}'' ELSE jsonb_object(event.unknown_columns, event.unknown_columns) END '
      'WHEN event.operation = ''delete'' THEN event.before '
      'WHEN event.operation IN (''insert'', ''baseline'') THEN event.after END' AS changed
  ) AS image
$$;
COMMENT ON FUNCTION audit.change_condition(jsonb) IS
  'The condition on one change, as "event", that a filter makes: SQL text for the functions here. A column counts as changed '
  'when an update set it or may have, and when an insert or delete had it. Free text is looked for in keys and images.';

CREATE OR REPLACE FUNCTION audit.act_condition(filter jsonb)
RETURNS text
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT concat_ws(' AND ',
    CASE WHEN wanted.transaction_id IS NOT NULL THEN format('act.transaction_id = %L::bigint', wanted.transaction_id) END,
    CASE WHEN wanted.actors IS NOT NULL THEN
      format('EXISTS (%s AND named.actor = ANY (%L::text[]))', named.contexts, wanted.actors) END,
    CASE WHEN wanted.not_actors IS NOT NULL THEN
      format('NOT EXISTS (%s AND named.actor = ANY (%L::text[]))', named.contexts, wanted.not_actors) END,
    CASE WHEN wanted.request IS NOT NULL THEN
      format('EXISTS (%s AND named.request_id = %L)', named.contexts, wanted.request) END
  )
  FROM audit.filter_of(filter) AS wanted
  CROSS JOIN (
    SELECT 'SELECT FROM audit.events AS named WHERE named.operation = ''context'' '
      'AND named.transaction_id = act.transaction_id AND named.committed_at = act.committed_at '
      'AND named.source_id = act.source_id' AS contexts
  ) AS named
$$;
COMMENT ON FUNCTION audit.act_condition(jsonb) IS
  'The condition on a transaction, as "act", that a filter makes: who acted, for which request.';
