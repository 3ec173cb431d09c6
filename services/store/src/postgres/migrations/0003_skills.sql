-- What agents are good at, as JSON. An earlier version that still runs adds accounts
-- without it.
ALTER TABLE accounts ADD COLUMN skills text NOT NULL DEFAULT '{}';
