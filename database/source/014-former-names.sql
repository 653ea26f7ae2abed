-- Functions of earlier versions, under names that nothing calls any more. They go last, so that DDL in between finds the
-- functions that it calls.
DROP FUNCTION IF EXISTS
  capture.catalog_body(text, text, jsonb),
  capture.publish(regclass, text, text, boolean),
  capture.publish_changed(oid[], text, boolean),
  capture.publish_changed_shapes(oid[], text, boolean),
  capture.republish_catalog(),
  capture.selected_as(regclass),
  capture.warn_of_losses(regclass),
  -- Each looked at one table.
  capture.key_losses(regclass, regclass, text[], text[]),
  capture.losses(regclass, regclass, text[], text[]),
  capture.unbounded_columns(regclass),
  capture.warn_of_losses(regclass, regclass, text[], text[]);
