-- What supervisors and administrators have done. Only ever added to.
CREATE TABLE audit (
    id uuid PRIMARY KEY,
    site text COLLATE "C" NOT NULL REFERENCES sites (id),
    at bigint NOT NULL,
    actor uuid NOT NULL,
    actor_name text NOT NULL,
    actor_role text NOT NULL CHECK (actor_role IN ('agent', 'supervisor')),
    act text NOT NULL,
    subject text NOT NULL,
    details text NOT NULL,
    origin text NOT NULL
);

CREATE INDEX audit_of_site ON audit (site, at, id);

CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to';
END $$;

CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();

-- Also for sessions that apply what another server has replicated.
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_only_added_to;
