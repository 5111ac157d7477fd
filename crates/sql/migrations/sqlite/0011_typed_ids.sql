-- Ids of users in columns of one type, so that other databases can have the same tables.
--
-- Until now a column of ids was ANY: an INTEGER or a TEXT. From now on it is a TEXT that says which kind the id is: 7 is the
-- number, and :7 the string. What was neither is no id, and is kept with a question mark: it is refused when it is read, as before.
-- The column has another name too, so that an app's statement from before fails and does not compare wrongly.

-- Views of an app on these tables stay as they are: while a table is gone they name one that is not there, which RENAME would
-- refuse. Triggers of an app on these tables go with the tables.
PRAGMA legacy_alter_table = ON;

CREATE TABLE gatekit_new_access_tokens (
    -- SHA-256 of the secret. The secret is stored nowhere.
    token_digest  BLOB    PRIMARY KEY NOT NULL,
    -- The name of the user's type: two may share the table, and an id may occur in both.
    token_user_type TEXT  NOT NULL,
    -- The id of the user, with its kind.
    token_user_key TEXT   NOT NULL,
    token_rev     INTEGER NOT NULL,
    -- Seconds; -1 for a token that never ends.
    token_ttl     INTEGER NOT NULL,
    token_created INTEGER NOT NULL,
    -- token_renewed, or token_created where that is NULL, and token_ttl together. NULL: never.
    token_expires INTEGER,
    -- A JSON array of strings. NULL: no scopes were named, which is not the same as none.
    token_scopes  TEXT,
    -- When the token's lifetime began anew for the last time. NULL: it never did.
    token_renewed INTEGER,
    -- The client that the token was issued to, as far as that is known.
    token_user_agent TEXT,
    token_network TEXT,
    -- When the token was last used. NULL: not since it was issued.
    token_last_used INTEGER,
    -- Which factors were verified for the token, and when each was. NULL: none.
    token_proofs TEXT,
    -- The id in its own type, for a join with a table of users. One of the two is NULL. Digits and minus are less than a colon.
    token_user_int INTEGER GENERATED ALWAYS AS
        (CASE WHEN token_user_key < ':' THEN CAST(token_user_key AS INTEGER) END) VIRTUAL,
    token_user_text TEXT GENERATED ALWAYS AS
        (CASE WHEN substr(token_user_key, 1, 1) = ':' THEN substr(token_user_key, 2) END) VIRTUAL
) STRICT, WITHOUT ROWID;

INSERT INTO gatekit_new_access_tokens
    (token_digest, token_user_type, token_user_key, token_rev, token_ttl, token_created, token_expires, token_scopes,
     token_renewed, token_user_agent, token_network, token_last_used, token_proofs)
SELECT token_digest, token_user_type,
    CASE typeof(token_user_id) WHEN 'integer' THEN CAST(token_user_id AS TEXT) WHEN 'text' THEN ':' || token_user_id
        ELSE '?' || quote(token_user_id) END,
    token_rev, token_ttl, token_created, token_expires, token_scopes,
    token_renewed, token_user_agent, token_network, token_last_used, token_proofs
FROM gatekit_access_tokens;

DROP TABLE gatekit_access_tokens;
ALTER TABLE gatekit_new_access_tokens RENAME TO gatekit_access_tokens;
CREATE INDEX gatekit_access_tokens_user ON gatekit_access_tokens (token_user_key);
CREATE INDEX gatekit_access_tokens_expires ON gatekit_access_tokens (token_expires) WHERE token_expires IS NOT NULL;

CREATE TABLE gatekit_new_one_time (
    -- SHA-256 of the secret.
    digest  BLOB    PRIMARY KEY NOT NULL,
    purpose TEXT    NOT NULL,
    user_type TEXT  NOT NULL,
    -- The id of the user, with its kind. NULL: a decoy, which belongs to nobody.
    user_key TEXT,
    rev     INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- The address the secret was mailed to, where that is what it verifies.
    email   TEXT,
    -- In the words of the flow that made it. No secret.
    data    TEXT
) STRICT, WITHOUT ROWID;

INSERT INTO gatekit_new_one_time (digest, purpose, user_type, user_key, rev, expires, email, data)
SELECT digest, purpose, user_type,
    CASE typeof(user_id) WHEN 'null' THEN NULL WHEN 'integer' THEN CAST(user_id AS TEXT) WHEN 'text' THEN ':' || user_id
        ELSE '?' || quote(user_id) END,
    rev, expires, email, data
FROM gatekit_one_time;

DROP TABLE gatekit_one_time;
ALTER TABLE gatekit_new_one_time RENAME TO gatekit_one_time;
CREATE INDEX gatekit_one_time_expires ON gatekit_one_time (expires);
CREATE INDEX gatekit_one_time_user ON gatekit_one_time (user_key) WHERE user_key IS NOT NULL;

CREATE TABLE gatekit_new_roles (
    user_type TEXT NOT NULL,
    user_key  TEXT NOT NULL,
    role      TEXT NOT NULL,
    PRIMARY KEY (user_type, user_key, role)
) STRICT, WITHOUT ROWID;

INSERT INTO gatekit_new_roles (user_type, user_key, role)
SELECT user_type,
    CASE typeof(user_id) WHEN 'integer' THEN CAST(user_id AS TEXT) WHEN 'text' THEN ':' || user_id
        ELSE '?' || quote(user_id) END,
    role
FROM gatekit_roles;

DROP TABLE gatekit_roles;
ALTER TABLE gatekit_new_roles RENAME TO gatekit_roles;
CREATE INDEX gatekit_roles_role ON gatekit_roles (user_type, role, user_key);

CREATE TABLE gatekit_new_devices (
    user_type TEXT    NOT NULL,
    user_key  TEXT    NOT NULL,
    -- SHA-256 of what the device presents.
    device    BLOB    NOT NULL,
    -- When the user was last seen on it, in milliseconds since the epoch.
    seen      INTEGER NOT NULL,
    PRIMARY KEY (user_type, user_key, device)
) STRICT, WITHOUT ROWID;

INSERT INTO gatekit_new_devices (user_type, user_key, device, seen)
SELECT user_type,
    CASE typeof(user_id) WHEN 'integer' THEN CAST(user_id AS TEXT) WHEN 'text' THEN ':' || user_id
        ELSE '?' || quote(user_id) END,
    device, seen
FROM gatekit_devices;

DROP TABLE gatekit_devices;
ALTER TABLE gatekit_new_devices RENAME TO gatekit_devices;
CREATE INDEX gatekit_devices_seen ON gatekit_devices (seen);

CREATE TABLE gatekit_new_digests (
    user_type TEXT    NOT NULL,
    user_key  TEXT    NOT NULL,
    realm     TEXT    NOT NULL,
    algorithm TEXT    NOT NULL,
    -- H(A1), sealed with a key that is not in this database.
    sealed    BLOB    NOT NULL,
    -- The hash of name and realm, in lower case hexadecimal digits.
    userhash  TEXT    NOT NULL,
    -- When it was made, in milliseconds since the epoch.
    updated   INTEGER NOT NULL,
    PRIMARY KEY (user_type, user_key, realm, algorithm)
) STRICT, WITHOUT ROWID;

INSERT INTO gatekit_new_digests (user_type, user_key, realm, algorithm, sealed, userhash, updated)
SELECT user_type,
    CASE typeof(user_id) WHEN 'integer' THEN CAST(user_id AS TEXT) WHEN 'text' THEN ':' || user_id
        ELSE '?' || quote(user_id) END,
    realm, algorithm, sealed, userhash, updated
FROM gatekit_digests;

DROP TABLE gatekit_digests;
ALTER TABLE gatekit_new_digests RENAME TO gatekit_digests;
-- Not unique: a name may go from one user to another.
CREATE INDEX gatekit_digests_userhash ON gatekit_digests (userhash);

CREATE TABLE gatekit_new_permissions (
    user_type   TEXT NOT NULL,
    -- user, role or anonymous.
    kind        TEXT NOT NULL,
    -- The user's id with its kind, the role's name, or an empty string.
    holder      TEXT NOT NULL,
    -- A JSON object.
    permissions TEXT NOT NULL,
    PRIMARY KEY (user_type, kind, holder)
) STRICT, WITHOUT ROWID;

INSERT INTO gatekit_new_permissions (user_type, kind, holder, permissions)
SELECT user_type, kind,
    CASE WHEN kind = 'user' AND typeof(holder) = 'integer' THEN CAST(holder AS TEXT)
        WHEN kind = 'user' AND typeof(holder) = 'text' THEN ':' || holder
        WHEN typeof(holder) = 'text' THEN holder
        ELSE '?' || quote(holder) END,
    permissions
FROM gatekit_permissions;

DROP TABLE gatekit_permissions;
ALTER TABLE gatekit_new_permissions RENAME TO gatekit_permissions;

PRAGMA legacy_alter_table = OFF;

-- "key" is a reserved word elsewhere.
ALTER TABLE gatekit_counters RENAME COLUMN key TO counter;
