-- The journal. Everything of a conversation lies in the partition of its shard.

CREATE TABLE shards (
    shard smallint PRIMARY KEY,
    epoch bigint NOT NULL
);

CREATE TABLE events (
    shard smallint NOT NULL,
    conversation uuid NOT NULL,
    seq bigint NOT NULL,
    prev_public bigint NOT NULL,
    internal boolean NOT NULL,
    sender uuid,
    client_msg_id text,
    payload bytea NOT NULL,
    PRIMARY KEY (conversation, seq, shard)
) PARTITION BY HASH (shard);

CREATE UNIQUE INDEX events_once ON events (conversation, sender, client_msg_id, shard)
    WHERE client_msg_id IS NOT NULL;

-- What the lists show.
CREATE TABLE conversations (
    shard smallint NOT NULL,
    id uuid NOT NULL,
    site text NOT NULL,
    visitor uuid NOT NULL,
    queue text NOT NULL,
    phase smallint NOT NULL,
    agent uuid,
    last_agent uuid,
    waiting_since bigint NOT NULL,
    updated_at bigint NOT NULL,
    summary text NOT NULL,
    PRIMARY KEY (id, shard)
) PARTITION BY HASH (shard);

CREATE INDEX conversations_of_site ON conversations (site, updated_at);
CREATE INDEX conversations_of_visitor ON conversations (site, visitor, updated_at);
CREATE INDEX conversations_of_agent ON conversations (site, agent, updated_at)
    WHERE agent IS NOT NULL;
CREATE INDEX conversations_closed_by ON conversations (site, last_agent, updated_at)
    WHERE phase = 3;
CREATE INDEX conversations_waiting ON conversations (site, queue, waiting_since)
    WHERE phase < 2;
CREATE INDEX conversations_open ON conversations (updated_at) WHERE phase < 3;

CREATE TABLE snapshots (
    shard smallint NOT NULL,
    conversation uuid NOT NULL,
    seq bigint NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (conversation, shard)
) PARTITION BY HASH (shard);

CREATE TABLE read_cursors (
    shard smallint NOT NULL,
    conversation uuid NOT NULL,
    visitor bigint NOT NULL,
    agent bigint NOT NULL,
    PRIMARY KEY (conversation, shard)
) PARTITION BY HASH (shard);

DO $$
BEGIN
    FOR n IN 0..7 LOOP
        EXECUTE format('CREATE TABLE events_%s PARTITION OF events
            FOR VALUES WITH (MODULUS 8, REMAINDER %s)', n, n);
        EXECUTE format('CREATE TABLE conversations_%s PARTITION OF conversations
            FOR VALUES WITH (MODULUS 8, REMAINDER %s)', n, n);
        EXECUTE format('CREATE TABLE snapshots_%s PARTITION OF snapshots
            FOR VALUES WITH (MODULUS 8, REMAINDER %s)', n, n);
        EXECUTE format('CREATE TABLE read_cursors_%s PARTITION OF read_cursors
            FOR VALUES WITH (MODULUS 8, REMAINDER %s)', n, n);
    END LOOP;
END $$;

-- Raises epochs, all or none: gives the first shard that is owned under a higher
-- one. Waits for appends under way; those that come later see the new epochs.
CREATE FUNCTION claim_shards(c_shard smallint[], c_epoch bigint[])
RETURNS TABLE (lost smallint, owner bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(17491, s)
    FROM (SELECT DISTINCT unnest(c_shard)::integer AS s ORDER BY 1) claimed;
    RETURN QUERY
        SELECT o.shard, o.epoch
        FROM unnest(c_shard, c_epoch) AS c (shard, epoch)
        JOIN shards o ON o.shard = c.shard
        WHERE o.epoch > c.epoch
        ORDER BY o.shard LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO shards AS o (shard, epoch)
        SELECT c.shard, max(c.epoch) FROM unnest(c_shard, c_epoch) AS c (shard, epoch)
        GROUP BY c.shard
    ON CONFLICT (shard) DO UPDATE SET epoch = excluded.epoch WHERE o.epoch < excluded.epoch;
END $$;

-- Appends a group: for each unit one conversation, with records r_… and perhaps a
-- summary s_…, which name their unit (from 1). Either all is appended and nothing
-- is returned, or nothing is and the units that stood in the way are: kind 1 for
-- an owner with a higher epoch (detail), 2 for another head (detail), 3 for a
-- message that stands at a seq (detail).
CREATE FUNCTION append_group(
    u_shard smallint[], u_epoch bigint[], u_conversation uuid[], u_head bigint[],
    r_unit integer[], r_seq bigint[], r_prev bigint[], r_internal boolean[],
    r_sender uuid[], r_key text[], r_payload bytea[],
    s_unit integer[], s_site text[], s_visitor uuid[], s_queue text[], s_phase smallint[],
    s_agent uuid[], s_last_agent uuid[], s_waiting bigint[], s_updated bigint[], s_summary text[]
) RETURNS TABLE (unit integer, kind smallint, detail bigint) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(17491, s)
    FROM (SELECT DISTINCT unnest(u_shard)::integer AS s ORDER BY 1) held;

    RETURN QUERY
        SELECT u.n::integer, 1::smallint, o.epoch
        FROM unnest(u_shard, u_epoch) WITH ORDINALITY AS u (shard, epoch, n)
        JOIN shards o ON o.shard = u.shard
        WHERE o.epoch > u.epoch;
    IF FOUND THEN
        RETURN;
    END IF;

    RETURN QUERY
        SELECT u.n::integer, 2::smallint, coalesce(h.seq, 0)
        FROM unnest(u_shard, u_conversation, u_head) WITH ORDINALITY AS u (shard, id, head, n)
        LEFT JOIN LATERAL (
            SELECT e.seq FROM events e
            WHERE e.shard = u.shard AND e.conversation = u.id
            ORDER BY e.seq DESC LIMIT 1
        ) h ON true
        WHERE coalesce(h.seq, 0) <> u.head;
    IF FOUND THEN
        RETURN;
    END IF;

    RETURN QUERY
        SELECT DISTINCT ON (r.unit) r.unit, 3::smallint, d.seq
        FROM unnest(r_unit, r_seq, r_sender, r_key) AS r (unit, seq, sender, key)
        CROSS JOIN LATERAL (
            SELECT e.seq FROM events e
            WHERE e.shard = u_shard[r.unit] AND e.conversation = u_conversation[r.unit]
                AND e.sender = r.sender AND e.client_msg_id = r.key
            LIMIT 1
        ) d
        WHERE r.key IS NOT NULL
        ORDER BY r.unit, r.seq;
    IF FOUND THEN
        RETURN;
    END IF;

    INSERT INTO events
        (shard, conversation, seq, prev_public, internal, sender, client_msg_id, payload)
    SELECT u_shard[r.unit], u_conversation[r.unit],
        r.seq, r.prev, r.internal, r.sender, r.key, r.payload
    FROM unnest(r_unit, r_seq, r_prev, r_internal, r_sender, r_key, r_payload)
        AS r (unit, seq, prev, internal, sender, key, payload);

    IF cardinality(s_unit) > 0 THEN
        INSERT INTO conversations (shard, id, site, visitor, queue, phase, agent, last_agent,
            waiting_since, updated_at, summary)
        SELECT u_shard[s.unit], u_conversation[s.unit], s.site, s.visitor, s.queue, s.phase,
            s.agent, s.last_agent, s.waiting, s.updated, s.summary
        FROM unnest(s_unit, s_site, s_visitor, s_queue, s_phase, s_agent, s_last_agent,
            s_waiting, s_updated, s_summary)
            AS s (unit, site, visitor, queue, phase, agent, last_agent, waiting, updated, summary)
        ON CONFLICT (id, shard) DO UPDATE SET
            site = excluded.site, visitor = excluded.visitor, queue = excluded.queue,
            phase = excluded.phase, agent = excluded.agent, last_agent = excluded.last_agent,
            waiting_since = excluded.waiting_since, updated_at = excluded.updated_at,
            summary = excluded.summary;
    END IF;
END $$;
