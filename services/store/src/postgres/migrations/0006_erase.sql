CREATE INDEX attachments_of_conversation ON attachments (conversation);

-- Puts other payloads in the place of a conversation's events and appends more, all or
-- nothing. Gives what stood in the way, as append_group does: 1 an owner with a higher
-- epoch, 2 another head.
CREATE FUNCTION erase_conversation(
    c_shard smallint, c_epoch bigint, c_id uuid, c_head bigint, c_payload bytea[],
    r_seq bigint[], r_prev bigint[], r_internal boolean[], r_payload bytea[],
    s_phase smallint, s_agent uuid, s_last_agent uuid, s_waiting bigint, s_updated bigint,
    s_summary text, n_seq bigint, n_payload bytea
) RETURNS TABLE (kind smallint, detail bigint) LANGUAGE plpgsql AS $$
DECLARE
    stands bigint;
BEGIN
    -- Waits for appends under way; those that come later see what is done here.
    PERFORM pg_advisory_xact_lock(17491, c_shard::integer);

    RETURN QUERY
        SELECT 1::smallint, o.epoch FROM shards o WHERE o.shard = c_shard AND o.epoch > c_epoch;
    IF FOUND THEN
        RETURN;
    END IF;

    SELECT coalesce(max(e.seq), 0) INTO stands
    FROM events e WHERE e.shard = c_shard AND e.conversation = c_id;
    IF stands <> c_head THEN
        RETURN QUERY SELECT 2::smallint, stands;
        RETURN;
    END IF;

    UPDATE events e SET payload = p.payload
    FROM unnest(c_payload) WITH ORDINALITY AS p (payload, seq)
    WHERE e.shard = c_shard AND e.conversation = c_id AND e.seq = p.seq;

    INSERT INTO events (shard, conversation, seq, prev_public, internal, payload)
    SELECT c_shard, c_id, r.seq, r.prev, r.internal, r.payload
    FROM unnest(r_seq, r_prev, r_internal, r_payload) AS r (seq, prev, internal, payload);

    UPDATE conversations c SET phase = s_phase, agent = s_agent, last_agent = s_last_agent,
        waiting_since = s_waiting, updated_at = s_updated, summary = s_summary
    WHERE c.shard = c_shard AND c.id = c_id;

    INSERT INTO snapshots AS s (shard, conversation, seq, payload)
    VALUES (c_shard, c_id, n_seq, n_payload)
    ON CONFLICT (conversation, shard) DO UPDATE
        SET seq = excluded.seq, payload = excluded.payload;
END $$;
