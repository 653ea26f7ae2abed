/** A letter, a digit, an underscore, or any character that is not ASCII, whatever the locale of a database. */
const word = "(?:\\w|[^\\x00-\\x7f])+";

/**
 * Where the actor trigger may find a name that others set: a setting, a member of a setting's JSON, or a tag of sqlcommenter.
 * As `capture.set_actor_sources` takes it.
 */
export const actorSourcePattern = new RegExp(`^(?:comment ${word}|${word}(?:\\.${word})+(?: ->> [^\\x00]+)?)$`, "su");

/** What {@link actorSourcePattern} allows, as a phrase. */
export const actorSourceForms =
  "a setting such as jwt.claims.user_id, a member of a setting's JSON such as request.jwt.claims ->> email, or a tag of " +
  "sqlcommenter such as comment actor";
