-- Users, access tokens and one-time secrets.
--
-- STRICT: a value of the wrong type is refused when it is written, not met when it is read.
-- Times are milliseconds since the epoch, UTC. Text is compared byte for byte (BINARY, the default).

CREATE TABLE gatekit_users (
    -- AUTOINCREMENT: the id of a removed user is never given to another.
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Within which email and username are unique: the realm where the app has realms, otherwise empty.
    namespace      TEXT    NOT NULL,
    realm          TEXT,
    username       TEXT,
    email          TEXT,
    email_verified INTEGER,
    -- A PHC or bcrypt string. NULL: cannot log in with a password.
    password       TEXT,
    -- Every token remembers it, and is dead once it has changed.
    rev            INTEGER NOT NULL,
    -- The app's own fields, a JSON object. NULL is the empty one.
    profile        TEXT,
    created        INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX gatekit_users_email ON gatekit_users (namespace, email);
CREATE UNIQUE INDEX gatekit_users_username ON gatekit_users (namespace, username);

-- The names begin with token_ so that a join with an app's own table needs no aliases.
CREATE TABLE gatekit_access_tokens (
    -- SHA-256 of the secret. The secret is stored nowhere.
    token_digest  BLOB    PRIMARY KEY NOT NULL,
    -- The name of the user's type: two may share the table, and an id may occur in both.
    token_user_type TEXT  NOT NULL,
    -- ANY: an INTEGER stays one and a TEXT stays one, and they are never equal.
    token_user_id ANY     NOT NULL,
    token_rev     INTEGER NOT NULL,
    -- Seconds; -1 for a token that never ends.
    token_ttl     INTEGER NOT NULL,
    token_created INTEGER NOT NULL,
    -- token_created and token_ttl together. NULL: never.
    token_expires INTEGER,
    -- A JSON array of texts. NULL: no scopes were named, which is not the same as none.
    token_scopes  TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX gatekit_access_tokens_user ON gatekit_access_tokens (token_user_id);
CREATE INDEX gatekit_access_tokens_expires ON gatekit_access_tokens (token_expires) WHERE token_expires IS NOT NULL;

CREATE TABLE gatekit_one_time (
    -- SHA-256 of the secret.
    digest  BLOB    PRIMARY KEY NOT NULL,
    purpose TEXT    NOT NULL,
    user_type TEXT  NOT NULL,
    -- NULL: a decoy, which belongs to nobody.
    user_id ANY,
    rev     INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX gatekit_one_time_expires ON gatekit_one_time (expires);
