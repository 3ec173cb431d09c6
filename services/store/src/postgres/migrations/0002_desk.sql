-- The desk's tables, and the bytes of uploaded files.

-- Names sort by their bytes, whatever the database's collation is.
CREATE TABLE sites (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    key text NOT NULL UNIQUE,
    settings text NOT NULL
);

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    site text COLLATE "C" NOT NULL REFERENCES sites (id),
    email text COLLATE "C" NOT NULL,
    kind text NOT NULL CHECK (kind IN ('agent', 'supervisor')),
    name text NOT NULL,
    capacity bigint NOT NULL,
    queues text[] NOT NULL,
    disabled boolean NOT NULL,
    password_hash text NOT NULL,
    UNIQUE (site, email)
);

CREATE TABLE attachments (
    id uuid PRIMARY KEY,
    site text COLLATE "C" NOT NULL REFERENCES sites (id),
    conversation uuid NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    size bigint NOT NULL,
    created_at bigint NOT NULL
);

-- Which body a file has. Storing a file again gives it another one, so that a
-- reader of the old never sees a piece of the new.
CREATE TABLE attachment_files (
    id uuid NOT NULL,
    site text COLLATE "C" NOT NULL,
    body uuid NOT NULL,
    size bigint NOT NULL,
    PRIMARY KEY (id, site)
);

-- The pieces come before the file that they belong to, in one transaction: the
-- file's row, for which others may wait, is locked for a moment only.
CREATE TABLE attachment_bytes (
    id uuid NOT NULL,
    site text COLLATE "C" NOT NULL,
    body uuid NOT NULL,
    piece integer NOT NULL,
    bytes bytea NOT NULL CHECK (octet_length(bytes) > 0),
    PRIMARY KEY (id, site, body, piece),
    FOREIGN KEY (id, site) REFERENCES attachment_files (id, site)
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);

-- What people upload is compressed already.
ALTER TABLE attachment_bytes ALTER COLUMN bytes SET STORAGE EXTERNAL;
