CREATE OR REPLACE FUNCTION capture.write_signal(kind text, schema_name text, table_name text, body text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Nearly every signal fits one piece, and every transaction may pay for this call.
  IF length(body) <= 2000 THEN
    INSERT INTO capture.signal (kind, schema_name, table_name, body_1)
    VALUES (write_signal.kind, write_signal.schema_name, write_signal.table_name, body);
    RETURN;
  END IF;
  IF length(body) > 32000 THEN
    RAISE EXCEPTION 'a % signal of % characters of JSON does not fit: at most 32000 do', kind, length(body)
      USING ERRCODE = 'program_limit_exceeded', HINT = 'Pass an identifier of large data instead of the data.';
  END IF;
  INSERT INTO capture.signal VALUES (
    write_signal.kind, write_signal.schema_name, write_signal.table_name,
    substr(body, 1, 2000),
    nullif(substr(body, 2001, 2000), ''),
    nullif(substr(body, 4001, 2000), ''),
    nullif(substr(body, 6001, 2000), ''),
    nullif(substr(body, 8001, 2000), ''),
    nullif(substr(body, 10001, 2000), ''),
    nullif(substr(body, 12001, 2000), ''),
    nullif(substr(body, 14001, 2000), ''),
    nullif(substr(body, 16001, 2000), ''),
    nullif(substr(body, 18001, 2000), ''),
    nullif(substr(body, 20001, 2000), ''),
    nullif(substr(body, 22001, 2000), ''),
    nullif(substr(body, 24001, 2000), ''),
    nullif(substr(body, 26001, 2000), ''),
    nullif(substr(body, 28001, 2000), ''),
    nullif(substr(body, 30001, 2000), '')
  );
END
$$;
COMMENT ON FUNCTION capture.write_signal(text, text, text, text) IS
  'Writes one signal, its body cut into pieces. Internal: not executable by other roles.';

CREATE OR REPLACE FUNCTION capture.set_context(actor text, request_id text DEFAULT NULL, context jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF coalesce(btrim(actor), '') = '' THEN
    RAISE EXCEPTION 'capture.set_context: actor is empty; pass who acts, such as a user name or a job name'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- 600 characters of four bytes fit an entry of the log's index by actor.
  IF length(actor) > 600 THEN
    RAISE EXCEPTION 'capture.set_context: actor has % characters, at most 600 fit; pass a name rather than a token',
      length(actor)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF jsonb_typeof(context) <> 'object' THEN
    RAISE EXCEPTION 'capture.set_context: context is a JSON %; pass an object such as {"reason": "refund"}',
      jsonb_typeof(context)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Nothing can change in a read-only transaction, and middleware may call this at the start of every one.
  IF current_setting('transaction_read_only')::boolean THEN
    RETURN;
  END IF;
  PERFORM
    capture.write_signal('context', NULL, NULL, (
      jsonb_strip_nulls(jsonb_build_object('actor', actor, 'request_id', request_id, 'origin', 'application'))
      || jsonb_build_object('context', coalesce(context, '{}'))
    )::text),
    -- Tells the actor trigger that this transaction has its context.
    set_config('capture.context_transaction', pg_current_xact_id()::text, true);
END
$$;
COMMENT ON FUNCTION capture.set_context(text, text, jsonb) IS
  'Says who acts in this transaction, and why. Call it once per transaction, before the first change; a later call '
  'counts for the changes after it. An actor of at most 600 characters, all of at most 32,000 as JSON. Does nothing in a read-only transaction.';

CREATE OR REPLACE FUNCTION capture.write_canary(id uuid)
RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sent_at timestamptz := clock_timestamp();
BEGIN
  PERFORM capture.write_signal('canary', NULL, NULL, jsonb_build_object(
    'id', id, 'sent_at', to_char(sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text);
  RETURN sent_at;
END
$$;
COMMENT ON FUNCTION capture.write_canary(uuid) IS
  'Sends a probe through the whole pipeline: it ends as a row of audit.events with operation canary. Returns when.';

CREATE OR REPLACE FUNCTION capture.clear_signals()
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '200ms'
AS $$
BEGIN
  TRUNCATE capture.signal;
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
END
$$;
COMMENT ON FUNCTION capture.clear_signals() IS
  'Empties the signal table, which only the WAL is read from. Waits at most 200 ms, so that no writer waits longer '
  'behind it; false when a writer held the table, then call it again later.';
