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
COMMENT ON FUNCTION capture.on_truncate() IS 'Signals that a watched table was truncated, because DMS does not.';

CREATE OR REPLACE FUNCTION capture.session_context()
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  given text := current_setting('capture.context', true);
  given_context jsonb;
  -- Half of a signal. The rest is for the actor, the request and the facts, whatever characters they are made of.
  most_characters integer := capture.signal_limit() / 2;
BEGIN
  given_context := given;
  IF jsonb_typeof(given_context) <> 'object' THEN
    given_context := jsonb_build_object('capture.context', given_context);
  END IF;
  IF length(given_context::text) > most_characters THEN
    RETURN jsonb_build_object('capture.context',
      format('left out: %s characters, at most %s fit', length(given), most_characters));
  END IF;
  -- Only PostgreSQL may give these, even when it has no value for them.
  RETURN given_context - ARRAY['session_user', 'application_name', 'client_address', 'current_user'];
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN jsonb_build_object('capture.context', left(given, 1000));
END
$$;
COMMENT ON FUNCTION capture.session_context() IS
  'The setting capture.context as a JSON object, without the names of the session''s facts. A text that is no JSON object '
  'is kept as text; one that is too long is named. It never fails.';

-- Runs with each statement on a watched table. It writes a signal at the first one of a transaction, unless the
-- application has set a context. The check is here, not in WHEN: PostgreSQL parses WHEN for every statement. The facts go
-- out as they are, because turning them into JSON would be a third of the cost. It never fails a write.
CREATE OR REPLACE FUNCTION capture.identify_actor()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  actor text;
  request_id text;
  -- This function runs as its owner. The setting is what the session said in SET ROLE.
  acting_role text := nullif(nullif(current_setting('role'), 'none'), session_user);
BEGIN
  IF current_setting('capture.context_transaction', true) = pg_current_xact_id()::text THEN
    RETURN NULL;
  END IF;
  actor := left(coalesce(nullif(current_setting('capture.actor', true), ''), session_user), 600);
  request_id := left(nullif(current_setting('capture.request_id', true), ''), 1000);
  -- The first half is always true. The marker is set here because a second statement would cost every transaction more.
  IF set_config('capture.context_transaction', pg_current_xact_id()::text, true) <> ''
    AND coalesce(current_setting('capture.context', true), '') = ''
  THEN
    INSERT INTO capture.signal (kind, body_1, body_2, body_3, body_4, body_5, body_6) VALUES (
      'session', actor, request_id, session_user, nullif(current_setting('application_name'), ''),
      host(inet_client_addr()), acting_role);
  ELSE
    PERFORM capture.write_signal('context', NULL, NULL, (jsonb_strip_nulls(
      jsonb_build_object('actor', actor, 'request_id', request_id, 'origin', 'session')
    ) || jsonb_build_object('context',
      capture.session_context() || jsonb_strip_nulls(jsonb_build_object(
        'session_user', session_user, 'application_name', nullif(current_setting('application_name'), ''),
        'client_address', host(inet_client_addr()), 'current_user', acting_role))))::text);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION capture.identify_actor() IS
  'Signals who acts when the application did not: the setting capture.actor, else the session user. It adds the settings '
  'capture.request_id and capture.context, the application name, the client address, and the role of SET ROLE as '
  'current_user if it is not the session user.';

CREATE OR REPLACE FUNCTION capture.disabled_triggers(relation regclass)
RETURNS text[]
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT coalesce(array_agg(tgname::text ORDER BY tgname), '{}')
    FROM pg_trigger
    WHERE tgrelid = relation AND tgname IN ('capture_truncate', 'capture_actor') AND tgenabled IN ('D', 'R')
  );
END
$$;
COMMENT ON FUNCTION capture.disabled_triggers(regclass) IS
  'Triggers of the capture that ordinary sessions do not fire, because somebody has switched them off.';
