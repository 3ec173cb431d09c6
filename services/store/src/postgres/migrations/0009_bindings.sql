-- Whom accounts are bound to: somebody as a provider knows them, one of each provider. An
-- earlier version that still runs finds accounts by their address alone.
CREATE TABLE bindings (
    site text COLLATE "C" NOT NULL,
    issuer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    account uuid NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (site, issuer, subject),
    UNIQUE (account, issuer)
);
