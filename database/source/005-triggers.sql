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

-- Runs with each statement that touches a watched table, and speaks with the first one of a transaction unless the
-- application has spoken. It asks by itself rather than in the trigger's WHEN clause, which PostgreSQL reads anew with each
-- statement. It never fails a write, and does its work in few expressions, because each is made ready anew in every
-- transaction; for the same reason it writes its JSON by hand.
CREATE OR REPLACE FUNCTION capture.identify_actor()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  context text;
  body text;
BEGIN
  IF current_setting('capture.context_transaction', true) = pg_current_xact_id()::text THEN
    RETURN NULL;
  END IF;
  context := '{"session_user":' || to_json(session_user::text)
    || coalesce(',"application_name":' || to_json(nullif(current_setting('application_name'), '')), '')
    || coalesce(',"client_address":"' || host(inet_client_addr()) || '"', '') || '}';
  IF coalesce(current_setting('capture.context', true), '') <> '' THEN
    -- The facts come last: a setting cannot claim another session user or address.
    context := capture.session_context() || context::jsonb;
  END IF;
  body := '{"actor":'
    || to_json(left(coalesce(nullif(current_setting('capture.actor', true), ''), session_user), 1000))
    || coalesce(',"request_id":' || to_json(left(nullif(current_setting('capture.request_id', true), ''), 1000)), '')
    || ',"origin":"session","context":' || context || '}';
  -- Always true: the marker is set here because a statement of its own would cost every transaction more. The rest is
  -- what capture.write_signal would do, for the same reason.
  IF set_config('capture.context_transaction', pg_current_xact_id()::text, true) <> '' AND length(body) <= 2000 THEN
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
