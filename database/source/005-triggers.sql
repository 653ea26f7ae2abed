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

-- Runs as the first statement of a transaction touches a watched table; the trigger's WHEN clause keeps it from running
-- again, and from speaking over a context that the application has given. It never fails a write.
CREATE OR REPLACE FUNCTION capture.identify_actor()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  actor text := left(coalesce(nullif(current_setting('capture.actor', true), ''), session_user), 1000);
  request_id text := left(nullif(current_setting('capture.request_id', true), ''), 1000);
  given text := nullif(current_setting('capture.context', true), '');
  given_context jsonb;
  facts jsonb := jsonb_strip_nulls(jsonb_build_object(
    'session_user', session_user,
    'application_name', nullif(current_setting('application_name', true), ''),
    'client_address', host(inet_client_addr())));
  body text;
BEGIN
  IF given IS NOT NULL THEN
    BEGIN
      given_context := given;
      IF jsonb_typeof(given_context) <> 'object' THEN
        given_context := jsonb_build_object('capture.context', given_context);
      END IF;
    EXCEPTION WHEN OTHERS THEN
      given_context := jsonb_build_object('capture.context', left(given, 1000));
    END;
    -- The facts come last: a setting cannot claim another session user or address.
    facts := given_context || facts;
  END IF;
  body := jsonb_strip_nulls(jsonb_build_object('actor', actor, 'request_id', request_id, 'origin', 'session'))
    || jsonb_build_object('context', facts);
  IF length(body) > 32000 THEN
    body := jsonb_strip_nulls(jsonb_build_object('actor', actor, 'request_id', request_id, 'origin', 'session'))
      || jsonb_build_object('context', facts - ARRAY(SELECT jsonb_object_keys(given_context)) || jsonb_build_object(
        'session_user', session_user, 'capture.context', format('left out: %s characters', length(given))));
  END IF;
  PERFORM capture.write_signal('context', NULL, NULL, body);
  PERFORM set_config('capture.context_transaction', pg_current_xact_id()::text, true);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION capture.identify_actor() IS
  'Says who acts when the application did not: the setting capture.actor, else the session user, with the settings '
  'capture.request_id and capture.context, the application name and the client address.';
