-- sluice: compatible since v9
BEGIN;
CREATE TABLE "Order""s" (id bigserial PRIMARY KEY, note text DEFAULT 'it''s; DROP');
ALTER TABLE a ADD COLUMN b numeric(4, 2) NOT NULL DEFAULT 0, DROP CONSTRAINT c;
CREATE FUNCTION f() RETURNS void AS $body$ BEGIN DELETE FROM a; END $body$ LANGUAGE plpgsql;
/* UPDATE */ UPDATE a SET b = 1;
COMMIT
