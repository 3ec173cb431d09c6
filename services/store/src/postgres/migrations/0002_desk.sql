-- The desk's tables, and the bytes of uploaded files.

CREATE TABLE sites (
    id text PRIMARY KEY,
    version bigint NOT NULL,
    key text NOT NULL UNIQUE,
    value text NOT NULL
);

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    site text NOT NULL REFERENCES sites (id),
    email text NOT NULL,
    supervisor boolean NOT NULL,
    name text NOT NULL,
    capacity integer NOT NULL,
    queues text[] NOT NULL,
    disabled boolean NOT NULL,
    password_hash text NOT NULL,
    UNIQUE (site, email)
);

CREATE TABLE attachments (
    id uuid PRIMARY KEY,
    site text NOT NULL REFERENCES sites (id),
    conversation uuid NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE attachment_pieces (
    site text NOT NULL,
    id uuid NOT NULL,
    piece integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (id, site, piece)
);
ALTER TABLE attachment_pieces ALTER COLUMN bytes SET STORAGE EXTERNAL;
