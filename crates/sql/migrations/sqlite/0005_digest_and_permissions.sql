-- What HTTP Digest needs, and permissions on paths.

-- Who can log in by Digest. It is not in gatekit_users: it is there only for those who asked for it.
CREATE TABLE gatekit_digests (
    -- The name of the user's type, as in the tables of tokens and one-time secrets.
    user_type TEXT    NOT NULL,
    -- ANY: an INTEGER stays one and a TEXT stays one, and they are never equal.
    user_id   ANY     NOT NULL,
    realm     TEXT    NOT NULL,
    algorithm TEXT    NOT NULL,
    -- H(A1), sealed with a key that is not in this database.
    sealed    BLOB    NOT NULL,
    -- The hash of name and realm, in lower case hexadecimal digits.
    userhash  TEXT    NOT NULL,
    -- When it was made, in milliseconds since the epoch.
    updated   INTEGER NOT NULL,
    PRIMARY KEY (user_type, user_id, realm, algorithm)
) STRICT, WITHOUT ROWID;

-- Not unique: a name may go from one user to another.
CREATE INDEX gatekit_digests_userhash ON gatekit_digests (userhash);

-- How often each nonce of a Digest challenge was used.
CREATE TABLE gatekit_digest_nonces (
    -- SHA-256 of the nonce.
    nonce   BLOB    NOT NULL PRIMARY KEY,
    -- The highest count it was used with.
    count   INTEGER NOT NULL,
    -- Until when it is remembered, in milliseconds since the epoch.
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX gatekit_digest_nonces_expires ON gatekit_digest_nonces (expires);

-- Who may do what below which path.
CREATE TABLE gatekit_permissions (
    user_type   TEXT NOT NULL,
    -- user, role or anonymous.
    kind        TEXT NOT NULL,
    -- The user's id, the role's name, or an empty text.
    holder      ANY  NOT NULL,
    -- A JSON object.
    permissions TEXT NOT NULL,
    PRIMARY KEY (user_type, kind, holder)
) STRICT, WITHOUT ROWID;
