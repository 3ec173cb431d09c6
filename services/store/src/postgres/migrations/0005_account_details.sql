-- What accounts have that the first versions did not know, as JSON. An earlier version
-- that still runs adds accounts without it.
ALTER TABLE accounts ADD COLUMN details text NOT NULL DEFAULT '{}';
