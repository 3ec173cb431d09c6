-- Which tokens of an account are refused: those of an earlier generation. An earlier
-- version that still runs adds accounts without it.
ALTER TABLE accounts ADD COLUMN generation bigint NOT NULL DEFAULT 0;
