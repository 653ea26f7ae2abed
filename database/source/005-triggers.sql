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
  IF coalesce(given, '') = '' THEN
    RETURN '{}';
  END IF;
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

CREATE OR REPLACE FUNCTION capture.said_in(setting text, member text)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN nullif(btrim(CASE WHEN member IS NULL THEN setting ELSE setting::jsonb ->> member END), '');
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION capture.said_in(text, text) IS
  'The name in the value of a setting: all of it, or a member of its JSON. Null where there is none. It never fails.';

-- A tag of sqlcommenter: URL-encoded, in quotes unless it is a number, in one of the comments at the very end, or at the very
-- beginning. A comment in between may be part of a value. Python's libraries double each % for the driver, which halves them
-- only in a statement with parameters; no URL encoding has two beside each other. What is quoted otherwise is no tag: a part of
-- it would be another name.
CREATE OR REPLACE FUNCTION capture.said_in_comment(query text, tag text)
RETURNS text
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- A statement may have hundreds of megabytes.
  furthest CONSTANT integer := 9000;
  blank CONSTANT text := E' \t\r\n\f\v;';
  -- A comma in the quotes of another tag begins none.
  pattern CONSTANT text := '^(?:[^'',]*(?:''(?:[^''\\]|\\.)*''[^'',]*)?,)*\s*' || tag
    || '=(?:''((?:[^''\\]|\\.)*)''|([\w.-]+))\s*(?:,|$)';
  part text := rtrim(right(query, furthest), blank);
  comment text;
  found text[];
BEGIN
  WHILE found IS NULL AND part LIKE '%/*%*/' LOOP
    comment := split_part(left(part, -2), '/*', -1);
    part := rtrim(left(part, -4 - length(comment)), blank);
    found := CASE WHEN strpos(comment, '*/') = 0 THEN regexp_match(comment, pattern) END;
  END LOOP;
  part := ltrim(left(query, furthest), blank);
  IF found IS NULL AND part LIKE '/*%*/%' THEN
    found := regexp_match(split_part(substr(part, 3), '*/', 1), pattern);
  END IF;
  RETURN (
    SELECT nullif(btrim(convert_from(string_agg(
      CASE WHEN piece[1] ~ '^%..$' THEN decode(substr(piece[1], 2), 'hex') ELSE convert_to(piece[1], 'UTF8') END,
      '' ORDER BY place), 'UTF8')), '')
    FROM regexp_matches(replace(replace(coalesce(found[1], found[2]), '\''', ''''), '%%', '%'),
      '%[[:xdigit:]]{2}|[^%]+|%', 'g') WITH ORDINALITY AS matched (piece, place));
EXCEPTION WHEN data_exception OR character_not_in_repertoire OR untranslatable_character THEN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION capture.said_in_comment(text, text) IS
  'The value of a tag that sqlcommenter has written at the end of a statement, or else at its beginning, within 9000 '
  'characters of it. Null where there is none. It never fails.';

CREATE OR REPLACE FUNCTION capture.set_actor_sources(sources text[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- PostgREST and Supabase, Hasura, PostGraphile, django-pghistory, logidze, sqlcommenter.
  usual CONSTANT text[] := ARRAY['request.jwt.claims ->> sub', 'hasura.user ->> x-hasura-user-id', 'jwt.claims.user_id',
    'pghistory.context_metadata ->> user', 'logidze.meta ->> _r', 'comment actor'];
  source text;
  parts text[];
  cases text := '';
BEGIN
  DELETE FROM capture.actor_sources;
  INSERT INTO capture.actor_sources
    SELECT place, name FROM unnest(sources) WITH ORDINALITY AS given (name, place)
    UNION ALL SELECT 0, '' WHERE sources = '{}';
  FOREACH source IN ARRAY coalesce(sources, usual) LOOP
    -- A letter that is not ASCII is a \w in some locales only. See contract/actor-sources.ts.
    parts := regexp_match(source, replace('^(?:comment (WORD)|(WORD(?:\.WORD)+)(?: ->> (.+))?)$',
      'WORD', '(?:\w|[^\x01-\x7f])+'));
    IF parts IS NULL THEN
      RAISE EXCEPTION 'capture.set_actor_sources: % is no source', quote_literal(source)
        USING ERRCODE = 'invalid_parameter_value',
          HINT = 'Pass settings such as ''jwt.claims.user_id'', members of a setting''s JSON such as '
            '''request.jwt.claims ->> email'', or a tag of sqlcommenter such as ''comment actor''.';
    END IF;
    -- Each is a name and its source, or null.
    cases := cases || CASE WHEN parts[1] IS NOT NULL
      THEN format(
        'CASE WHEN current_query() LIKE ''%%*/%%'' THEN nullif(ARRAY[capture.said_in_comment(current_query(), %1$L), %2$L], '
          'ARRAY[NULL, %2$L]) END, ',
        parts[1], source)
      ELSE format(
        'CASE WHEN current_setting(%1$L, true) <> '''' THEN nullif(ARRAY[capture.said_in(current_setting(%1$L, true), %2$L), '
          '%3$L], ARRAY[NULL, %3$L]) END, ',
        parts[2], parts[3], source)
      END;
  END LOOP;
  -- What the actor trigger calls in transactions that announce nobody, so its text holds the sources: reading the table would
  -- cost each of them more.
  EXECUTE format('CREATE OR REPLACE FUNCTION capture.said_elsewhere() RETURNS text[] LANGUAGE sql STABLE '
    'RETURN coalesce(%s NULL::text[])', cases);
END
$$;
COMMENT ON FUNCTION capture.set_actor_sources(text[]) IS
  'Says where the actor trigger finds names that others set, in transactions in which capture.actor is not set. The first '
  'that has a name counts. A source is a setting, a member of a setting''s JSON, or a tag of sqlcommenter: jwt.claims.user_id, '
  'request.jwt.claims ->> email, comment actor. NULL is the default, an empty array means none.';

DO $$
BEGIN
  PERFORM capture.set_actor_sources((
    SELECT CASE WHEN count(*) > 0 THEN coalesce(array_agg(source ORDER BY place) FILTER (WHERE place > 0), '{}') END
    FROM capture.actor_sources));
END
$$;
COMMENT ON FUNCTION capture.said_elsewhere() IS
  'The name that somebody else has set and where it stood, or null. capture.set_actor_sources makes it.';

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
  said_elsewhere text[];
  acting_role text;
BEGIN
  IF current_setting('capture.context_transaction', true) = pg_current_xact_id()::text THEN
    RETURN NULL;
  END IF;
  -- Each expression is prepared again in each transaction, so there are few. The first part of this one is always true: it
  -- sets the marker.
  IF set_config('capture.context_transaction', pg_current_xact_id()::text, true) <> ''
    AND current_setting('capture.actor', true) <> '' AND coalesce(current_setting('capture.context', true), '') = ''
    AND current_setting('role') = 'none'
  THEN
    actor := left(current_setting('capture.actor', true), 600);
  ELSE
    said_elsewhere := CASE WHEN coalesce(current_setting('capture.actor', true), '') = '' THEN capture.said_elsewhere() END;
    actor := left(coalesce(nullif(current_setting('capture.actor', true), ''), said_elsewhere[1], session_user), 600);
    -- This function runs as its owner. The setting is what the session said in SET ROLE.
    acting_role := nullif(nullif(current_setting('role'), 'none'), session_user);
    IF said_elsewhere IS NOT NULL OR coalesce(current_setting('capture.context', true), '') <> '' THEN
      PERFORM capture.write_signal('context', NULL, NULL, (jsonb_strip_nulls(
        jsonb_build_object('actor', actor, 'request_id', left(nullif(current_setting('capture.request_id', true), ''), 1000),
          'origin', 'session')
      ) || jsonb_build_object('context',
        capture.session_context() || jsonb_strip_nulls(jsonb_build_object(
          'session_user', session_user, 'application_name', nullif(current_setting('application_name'), ''),
          'client_address', host(inet_client_addr()), 'current_user', acting_role, 'actor_source', said_elsewhere[2])))
      )::text);
      RETURN NULL;
    END IF;
  END IF;
  INSERT INTO capture.signal (kind, body_1, body_2, body_3, body_4, body_5, body_6) VALUES (
    'session', actor, left(nullif(current_setting('capture.request_id', true), ''), 1000), session_user,
    nullif(current_setting('application_name'), ''), host(inet_client_addr()), acting_role);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION capture.identify_actor() IS
  'Signals who acts when the application did not: the setting capture.actor, else a name that others set, with its place as '
  'actor_source (see capture.set_actor_sources), else the session user. It adds the settings capture.request_id and '
  'capture.context, the application name, the client address, and the role of SET ROLE as current_user if it is not the '
  'session user.';

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
