CREATE OR REPLACE FUNCTION capture.check_watchable(target regclass)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found pg_class;
  schema_name text;
BEGIN
  SELECT * INTO found FROM pg_class WHERE oid = target;
  SELECT nspname INTO schema_name FROM pg_namespace WHERE oid = found.relnamespace;
  IF found.relpersistence = 't' THEN
    RAISE EXCEPTION '% is a temporary table: its changes are not in the WAL', target
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF schema_name ~ '^(pg_|information_schema$)' THEN
    RAISE EXCEPTION '% belongs to the system: watch tables of your own schemas', target
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF schema_name IN ('audit', 'capture', 'capture_heartbeat') OR found.relname LIKE 'awsdms\_%' THEN
    RAISE EXCEPTION '% belongs to the audit pipeline: watching it would feed the log into itself', target
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF found.relkind NOT IN ('r', 'p') THEN
    RAISE EXCEPTION '% is not a table: watch the tables it is made of', target USING ERRCODE = 'wrong_object_type';
  END IF;
  IF found.relpersistence = 'u' THEN
    RAISE EXCEPTION '% is an unlogged table: its changes are not in the WAL', target
      USING ERRCODE = 'wrong_object_type', HINT = format('ALTER TABLE %s SET LOGGED;', target);
  END IF;
END
$$;
COMMENT ON FUNCTION capture.check_watchable(regclass) IS 'Raises an error that says why a table cannot be watched.';

CREATE OR REPLACE FUNCTION capture.check_columns(
  target regclass, ignored_columns text[], redacted_columns text[], key text[]
)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  missing text;
  present text;
  in_key text;
BEGIN
  SELECT string_agg(quote_ident(named), ', ') INTO missing
  FROM unnest(ignored_columns || redacted_columns) AS named
  WHERE named IS NULL OR named <> ALL (array_remove(capture.column_names(target), NULL));
  IF missing IS NOT NULL THEN
    SELECT string_agg(quote_ident(name), ', ') INTO present
    FROM unnest(capture.column_names(target)) AS name WHERE name IS NOT NULL;
    RAISE EXCEPTION '% has no column %; it has %', target, missing, present
      USING ERRCODE = 'undefined_column';
  END IF;
  SELECT string_agg(quote_ident(named), ', ') INTO in_key
  FROM unnest(ignored_columns || redacted_columns) AS named
  WHERE named = ANY (key);
  IF in_key IS NOT NULL THEN
    RAISE EXCEPTION 'column % identifies the rows of %: a key column cannot be ignored or redacted',
      in_key, target
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION capture.check_columns(regclass, text[], text[], text[]) IS
  'Raises an error when a column to ignore or redact does not exist, or belongs to the key.';

CREATE OR REPLACE FUNCTION capture.hindering_publication(target regclass, replica_identity text)
RETURNS name
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT min(pubname)
    FROM pg_publication JOIN pg_publication_rel ON prpubid = pg_publication.oid
    WHERE (pubupdate OR pubdelete)
      AND (prrelid = target OR prrelid IN (SELECT relid FROM pg_partition_ancestors(target)))
      AND CASE WHEN replica_identity = 'full' THEN prattrs IS NOT NULL ELSE prqual IS NOT NULL END
  );
END
$$;
COMMENT ON FUNCTION capture.hindering_publication(regclass, text) IS
  'A publication because of which PostgreSQL would refuse updates and deletes of a table under a replica identity; null '
  'without one. Under full it is one with a column list. Under any other it is one with a row filter, because the key may '
  'lack columns of the filter.';

CREATE OR REPLACE FUNCTION capture.check_replica_identity(target regclass, replica_identity text)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found pg_class;
  hindering name;
BEGIN
  SELECT * INTO found FROM pg_class WHERE oid = target;
  IF replica_identity = 'default' AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = target AND indisprimary) THEN
    RAISE EXCEPTION '% has no primary key: with replica identity default its updates and deletes would fail', target
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use replica identity full.';
  END IF;
  IF replica_identity = 'default' AND NOT EXISTS (
    SELECT FROM pg_index WHERE indrelid = target AND indisprimary AND indisvalid AND indimmediate
  ) THEN
    RAISE EXCEPTION 'the primary key of % is deferrable: with replica identity default its updates and deletes would not '
      'say of which row they are', target
      USING ERRCODE = 'invalid_parameter_value',
        HINT = format('Use replica identity full. Or make a plain unique index over NOT NULL columns, run '
          'ALTER TABLE %s REPLICA IDENTITY USING INDEX with it, and use replica identity keep.', target);
  END IF;
  IF found.relkind <> 'r' OR replica_identity IN ('keep', capture.replica_identity_word(found.relreplident)) THEN
    RETURN;
  END IF;
  hindering := capture.hindering_publication(target, replica_identity);
  IF hindering IS NOT NULL THEN
    RAISE EXCEPTION 'publication % restricts %: with replica identity % PostgreSQL would refuse its updates and deletes',
      quote_ident(hindering), target, replica_identity
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = format('Take the table''s %s out of the publication, or use replica identity keep.',
          CASE WHEN replica_identity = 'full' THEN 'column list' ELSE 'row filter' END);
  END IF;
END
$$;
COMMENT ON FUNCTION capture.check_replica_identity(regclass, text) IS
  'Raises an error when updates and deletes of a table would fail under a replica identity: full, default or keep.';

CREATE OR REPLACE FUNCTION capture.check_shape_fits(target regclass, shape jsonb)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF length(capture.fitting_body(capture.shape_signal_body('watch', NULL, shape))::text) > capture.signal_limit() THEN
    RAISE EXCEPTION 'the shape of % does not fit a signal: its % columns are % characters as JSON, at most % fit',
      target, jsonb_array_length(shape -> 'columns'), length(shape::text), capture.signal_limit()
      USING ERRCODE = 'program_limit_exceeded', HINT = 'Split the table, or shorten its column names.';
  END IF;
END
$$;
COMMENT ON FUNCTION capture.check_shape_fits(regclass, jsonb) IS
  'Raises an error when the shape of a table is too long for a signal.';
