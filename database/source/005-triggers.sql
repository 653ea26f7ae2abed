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
  RETURN given_context;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN jsonb_build_object('capture.context', left(given, 1000));
END
$$;
COMMENT ON FUNCTION capture.session_context() IS
  'The setting capture.context as a JSON object. What is none, or too long, is kept as text or named: it never fails.';

-- Runs as the first statement of a transaction touches a watched table: the trigger's WHEN clause keeps it from running
-- again, and from speaking over a context that the application gave. It never fails a write, and does its work in few
-- expressions, because each is made ready anew in every transaction.
CREATE OR REPLACE FUNCTION capture.identify_actor()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  body text;
BEGIN
  IF coalesce(current_setting('capture.context', true), '') = '' THEN
    body := jsonb_strip_nulls(jsonb_build_object(
      'actor', left(coalesce(nullif(current_setting('capture.actor', true), ''), session_user), 1000),
      'request_id', left(nullif(current_setting('capture.request_id', true), ''), 1000),
      'origin', 'session',
      'context', jsonb_build_object(
        'session_user', session_user,
        'application_name', nullif(current_setting('application_name'), ''),
        'client_address', host(inet_client_addr()))))::text;
  ELSE
    body := (jsonb_strip_nulls(jsonb_build_object(
        'actor', left(coalesce(nullif(current_setting('capture.actor', true), ''), session_user), 1000),
        'request_id', left(nullif(current_setting('capture.request_id', true), ''), 1000),
        'origin', 'session'))
      || jsonb_build_object('context',
        -- The facts come last: a setting cannot claim another session user or address.
        capture.session_context() || jsonb_strip_nulls(jsonb_build_object(
          'session_user', session_user,
          'application_name', nullif(current_setting('application_name'), ''),
          'client_address', host(inet_client_addr())))))::text;
  END IF;
  PERFORM set_config('capture.context_transaction', pg_current_xact_id()::text, true);
  -- What capture.write_signal would do, without what one more call costs every transaction.
  IF length(body) <= 2000 THEN
    INSERT INTO capture.signal (kind, body_1) VALUES ('context', body);
  ELSE
    PERFORM capture.write_signal('context', NULL, NULL, body);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION capture.identify_actor() IS
  'Says who acts when the application did not: the setting capture.actor, else the session user, with the settings '
  'capture.request_id and capture.context, the application name and the client address.';
