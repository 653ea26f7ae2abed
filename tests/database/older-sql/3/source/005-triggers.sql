CREATE OR REPLACE FUNCTION capture.on_truncate()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM capture.write_signal('truncate', TG_TABLE_SCHEMA, TG_TABLE_NAME, '{}');
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION capture.on_truncate() IS 'Says that a watched table was truncated; DMS does not.';

CREATE OR REPLACE FUNCTION capture.session_context()
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  given text := current_setting('capture.context', true);
  given_context jsonb;
BEGIN
  given_context := given;
  IF jsonb_typeof(given_context) <> 'object' THEN
    given_context := jsonb_build_object('capture.context', given_context);
  END IF;
  -- Half of a signal; the rest is for the actor, the request and the facts, whatever characters they are made of.
  IF length(given_context::text) > 16000 THEN
    RETURN jsonb_build_object('capture.context', format('left out: %s characters, at most 16000 fit', length(given)));
  END IF;
  -- PostgreSQL alone says these, also when it has nothing to say.
  RETURN given_context - ARRAY['session_user', 'application_name', 'client_address'];
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN jsonb_build_object('capture.context', left(given, 1000));
END
$$;
COMMENT ON FUNCTION capture.session_context() IS
  'The setting capture.context as a JSON object, without the names that the session''s facts have. What is none, or too '
  'long, is kept as text or named: it never fails.';

-- Runs with each statement that touches a watched table, and speaks with the first one of a transaction unless the
-- application has spoken. It asks by itself rather than in the trigger's WHEN clause, which PostgreSQL reads anew with each
-- statement, and hands its facts over as they are: to make JSON of them would be a third of what it costs. It never fails
-- a write.
CREATE OR REPLACE FUNCTION capture.identify_actor()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  actor text;
  request_id text;
BEGIN
  IF current_setting('capture.context_transaction', true) = pg_current_xact_id()::text THEN
    RETURN NULL;
  END IF;
  actor := left(coalesce(nullif(current_setting('capture.actor', true), ''), session_user), 600);
  request_id := left(nullif(current_setting('capture.request_id', true), ''), 1000);
  -- The first half is always true: the marker is set here because a statement of its own would cost every transaction more.
  IF set_config('capture.context_transaction', pg_current_xact_id()::text, true) <> ''
    AND coalesce(current_setting('capture.context', true), '') = ''
  THEN
    INSERT INTO capture.signal (kind, body_1, body_2, body_3, body_4, body_5) VALUES (
      'session', actor, request_id, session_user, nullif(current_setting('application_name'), ''),
      host(inet_client_addr()));
  ELSE
    PERFORM capture.write_signal('context', NULL, NULL, (jsonb_strip_nulls(
      jsonb_build_object('actor', actor, 'request_id', request_id, 'origin', 'session')
    ) || jsonb_build_object('context',
      capture.session_context() || jsonb_strip_nulls(jsonb_build_object(
        'session_user', session_user, 'application_name', nullif(current_setting('application_name'), ''),
        'client_address', host(inet_client_addr())))))::text);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION capture.identify_actor() IS
  'Says who acts when the application did not: the setting capture.actor, else the session user, with the settings '
  'capture.request_id and capture.context, the application name and the client address.';
