-- A body after RETURN is parsed here, so no search_path can change what it calls; and without a SET clause PostgreSQL puts it
-- in place of the call, which would cost more than what it does.
CREATE OR REPLACE FUNCTION capture.signal_limit()
RETURNS integer
LANGUAGE sql
IMMUTABLE
RETURN 32000;
COMMENT ON FUNCTION capture.signal_limit() IS 'Characters of JSON that a signal holds: 16 pieces of 2,000.';

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
  IF length(body) > capture.signal_limit() THEN
    RAISE EXCEPTION 'a % signal holds at most % characters of JSON; this one has %', kind, capture.signal_limit(),
      length(body)
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
  'Writes one signal, its body cut into pieces. Internal: other roles may not execute it.';

CREATE OR REPLACE FUNCTION capture.check_context(caller text, actor text, context jsonb, most_characters integer)
RETURNS void
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF coalesce(btrim(actor), '') = '' THEN
    RAISE EXCEPTION '%: actor is empty; pass who acts, such as a user name or a job name', caller
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- An entry of the log's index by actor holds 600 characters of four bytes.
  IF length(actor) > 600 THEN
    RAISE EXCEPTION '%: actor has % characters, at most 600 fit; pass a name rather than a token', caller, length(actor)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF jsonb_typeof(context) <> 'object' THEN
    RAISE EXCEPTION '%: context is a JSON %; pass an object such as {"reason": "refund"}', caller, jsonb_typeof(context)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF length(context::text) > most_characters THEN
    RAISE EXCEPTION '%: context has % characters of JSON, at most % fit', caller, length(context::text), most_characters
      USING ERRCODE = 'program_limit_exceeded', HINT = 'Pass an identifier of large data instead of the data.';
  END IF;
END
$$;
COMMENT ON FUNCTION capture.check_context(text, text, jsonb, integer) IS
  'Refuses what a context can''t hold, in the name of the function that was called. Without most_characters the context may '
  'have any length.';

CREATE OR REPLACE FUNCTION capture.set_context(actor text, request_id text DEFAULT NULL, context jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM capture.check_context('capture.set_context', actor, context, NULL);
  -- A read-only transaction changes nothing, and middleware may call this at the start of every transaction.
  IF current_setting('transaction_read_only')::boolean THEN
    RETURN;
  END IF;
  PERFORM
    capture.write_signal('context', NULL, NULL, (
      jsonb_strip_nulls(jsonb_build_object('actor', actor, 'request_id', request_id, 'origin', 'application'))
      || jsonb_build_object('context', coalesce(context, '{}'))
    )::text),
    -- The actor trigger reads this marker: this transaction has its context.
    set_config('capture.context_transaction', pg_current_xact_id()::text, true);
END
$$;
COMMENT ON FUNCTION capture.set_context(text, text, jsonb) IS
  'Says who acts in this transaction, and why. Call it once per transaction, before the first change; a later call '
  'counts for the changes after it. The actor has at most 600 characters, and the whole at most 32,000 as JSON. It does '
  'nothing in a read-only transaction.';

-- It takes no transaction id and writes nothing, so that a transaction which only reads costs what it did. What it sets
-- ends with the transaction, and with a savepoint that is rolled back.
CREATE OR REPLACE FUNCTION capture.announce(actor text, request_id text DEFAULT NULL, context jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  said_context text;
BEGIN
  -- Nearly every call ends here. It is one expression of few parts, because PostgreSQL prepares each of them again in every
  -- transaction. An actor that begins with a blank has it looked at below.
  IF (CASE
      WHEN ascii(actor) > 32 AND length(actor) <= 600 AND context = '{}'
        AND (current_setting('capture.context_transaction', true) <> '') IS NOT TRUE
      THEN set_config('capture.actor', actor, true) || set_config('capture.request_id', coalesce(request_id, ''), true)
        || set_config('capture.context', '', true)
    END) IS NOT NULL
  THEN
    RETURN;
  END IF;
  IF actor IS NULL THEN
    -- The actor trigger has to speak again, of the session's user.
    IF current_setting('capture.context_transaction', true) <> '' THEN
      PERFORM set_config('capture.context_transaction', '', true);
    END IF;
    PERFORM set_config('capture.actor', '', true), set_config('capture.request_id', '', true),
      set_config('capture.context', '', true);
    RETURN;
  END IF;
  -- The other half of a signal is for the actor, the request and the facts of the session.
  PERFORM capture.check_context('capture.announce', actor, context, capture.signal_limit() / 2);
  said_context := coalesce(nullif(context, '{}')::text, '');
  -- The actor trigger has spoken already, and what it said holds no longer: it has to speak again.
  IF current_setting('capture.context_transaction', true) <> ''
    AND (actor, coalesce(request_id, ''), said_context) IS DISTINCT FROM (
      current_setting('capture.actor', true), current_setting('capture.request_id', true),
      current_setting('capture.context', true))
  THEN
    PERFORM set_config('capture.context_transaction', '', true);
  END IF;
  PERFORM set_config('capture.actor', actor, true), set_config('capture.request_id', coalesce(request_id, ''), true),
    set_config('capture.context', said_context, true);
END
$$;
COMMENT ON FUNCTION capture.announce(text, text, jsonb) IS
  'Says who acts, should this transaction change a table that has the actor trigger. It writes nothing and takes no '
  'transaction id, so call it in every transaction: before the first change, and before the first savepoint, whose '
  'rollback undoes it. A later call with something else counts for the changes after it; so does capture.set_context. With '
  'NULL nobody acts from here on. The actor has at most 600 characters, and the context as JSON half of what a signal holds.';

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
  'Sends a probe through the whole pipeline and returns when. It ends as a row of audit.events with operation canary.';

CREATE OR REPLACE FUNCTION capture.note_load(
  schema_name text, table_name text, started_at timestamptz, ended_at timestamptz, loaded_rows bigint
)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  written CONSTANT text := 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';
BEGIN
  IF ended_at < started_at OR loaded_rows < 0 OR num_nulls(schema_name, table_name, started_at, ended_at, loaded_rows) > 0 THEN
    RAISE EXCEPTION 'capture.note_load: a load of %.% from % to % with % rows is none', coalesce(schema_name, 'null'),
      coalesce(table_name, 'null'), coalesce(started_at::text, 'null'), coalesce(ended_at::text, 'null'),
      coalesce(loaded_rows::text, 'null')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass what the table statistics of the task say, in their order.';
  END IF;
  INSERT INTO capture.noted_loads
  VALUES (note_load.schema_name, note_load.table_name, note_load.started_at, note_load.ended_at, note_load.loaded_rows)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM capture.write_signal('load', schema_name, table_name, jsonb_build_object(
    'started_at', to_char(started_at AT TIME ZONE 'UTC', written),
    'ended_at', to_char(ended_at AT TIME ZONE 'UTC', written),
    'rows', loaded_rows)::text);
  RETURN true;
END
$$;
COMMENT ON FUNCTION capture.note_load(text, text, timestamptz, timestamptz, bigint) IS
  'Tells the log that a full load of a table has ended: rows that it did not read were not there any more. Returns whether '
  'it did; each load is told of once, by its beginning.';

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
  'Empties the signal table; the pipeline reads signals from the WAL. It waits at most 200 ms for its lock, because writers '
  'wait behind it. It returns false when a writer held the table: call it again later.';
