-- A database of the quick start, as version 0.1 of 2026-11-30 (migrations 1 to 5) left it: two users, a token of the first and a secret
-- that resets the password of the second. Made by SQLite's `.dump`. The tests say the passwords and secrets.
BEGIN TRANSACTION;
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
, token_renewed INTEGER, token_proven INTEGER, token_user_agent TEXT, token_network TEXT, token_last_used INTEGER) STRICT, WITHOUT ROWID;
INSERT INTO "gatekit_access_tokens" VALUES(X'5C66C98D9680FE2797E1102A43361070617760F1AB8231BF7F23064EC38B199E','User',1,0,1209600,1796063554770,1797273154770,NULL,NULL,1796063554770,'curl/7.88.1','127.0.0.0/24',NULL);
CREATE TABLE gatekit_devices (
    -- The name of the user's type, as in the tables of tokens and one-time secrets.
    user_type TEXT    NOT NULL,
    -- ANY: an INTEGER stays one and a TEXT stays one, and they are never equal.
    user_id   ANY     NOT NULL,
    -- SHA-256 of what the device presents.
    device    BLOB    NOT NULL,
    -- When the user was last seen on it, in milliseconds since the epoch.
    seen      INTEGER NOT NULL,
    PRIMARY KEY (user_type, user_id, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE gatekit_digest_nonces (
    -- SHA-256 of the nonce.
    nonce   BLOB    NOT NULL PRIMARY KEY,
    -- The highest count it was used with.
    count   INTEGER NOT NULL,
    -- Until when it is remembered, in milliseconds since the epoch.
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
CREATE TABLE gatekit_migrations (
    number   INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL,
    checksum BLOB    NOT NULL,
    applied  INTEGER NOT NULL
) STRICT;
INSERT INTO "gatekit_migrations" VALUES(1,'accounts',X'174E6DF172D500F8EC69EF4D733C50417E572F8AAEBF8B340A3FE02BFC277A5C',1796063552597);
INSERT INTO "gatekit_migrations" VALUES(2,'rest_api',X'AA48A83044702EC7716E75D6C86BBD6FAE4B5175249B417738D98D078D4CFA90',1796063552600);
INSERT INTO "gatekit_migrations" VALUES(3,'browser',X'27C861C8295D078BA39EC8960806CA572E89B5A378217E9E871D1DE644ADC9F6',1796063552608);
INSERT INTO "gatekit_migrations" VALUES(4,'account_status',X'D7B1C5E8D4E0338CD98E8AE5F3C8429940E810B2340D7C68E347E69114301C2C',1796063552611);
INSERT INTO "gatekit_migrations" VALUES(5,'digest_and_permissions',X'F149AEA8FCA64AAC43FE427C60A77BC42BB704B8BE5D7088F6950C816C5875E7',1796063552615);
CREATE TABLE gatekit_one_time (
    -- SHA-256 of the secret.
    digest  BLOB    PRIMARY KEY NOT NULL,
    purpose TEXT    NOT NULL,
    user_type TEXT  NOT NULL,
    -- NULL: a decoy, which belongs to nobody.
    user_id ANY,
    rev     INTEGER NOT NULL,
    expires INTEGER NOT NULL
, email TEXT, data TEXT) STRICT, WITHOUT ROWID;
INSERT INTO "gatekit_one_time" VALUES(X'AE4234F4178834658A2AC3E96ECB1CC13498CD3F845F064BE0E2E849078C667C','reset_password','User',2,0,1796064454800,NULL,NULL);
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
CREATE TABLE gatekit_roles (
    -- The name of the user's type, as in the tables of tokens and one-time secrets.
    user_type TEXT NOT NULL,
    -- ANY: an INTEGER stays one and a TEXT stays one, and they are never equal.
    user_id   ANY  NOT NULL,
    role      TEXT NOT NULL,
    PRIMARY KEY (user_type, user_id, role)
) STRICT, WITHOUT ROWID;
CREATE TABLE gatekit_sessions (
    -- SHA-256 of the session's id, which is what the cookie holds: who reads this table can be nobody.
    id      BLOB    NOT NULL PRIMARY KEY,
    -- What the app keeps in it, as JSON.
    data    TEXT    NOT NULL,
    -- When it ends, in milliseconds since the epoch.
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
, status TEXT NOT NULL DEFAULT 'active') STRICT;
INSERT INTO "gatekit_users" VALUES(1,'','club','ada','ada@example.com',NULL,'$argon2id$v=19$m=19456,t=2,p=1$cmHUQqzQfN7qJlHFB6cq0Q$li/xdKy6YMLX87o8k1/aomalMba/K1HD3cNLNqJcmfA',0,NULL,1796063554658,'active');
INSERT INTO "gatekit_users" VALUES(2,'',NULL,NULL,'bob@example.com',NULL,'$argon2id$v=19$m=19456,t=2,p=1$bQ/A5QULpkiPBcGDXhA8Hw$M1dzsz+g4y/A6Ox6LeJO4fnhfgwuUpdB18LRJbhrcGY',0,NULL,1796063554710,'active');
CREATE UNIQUE INDEX gatekit_users_email ON gatekit_users (namespace, email);
CREATE UNIQUE INDEX gatekit_users_username ON gatekit_users (namespace, username);
CREATE INDEX gatekit_access_tokens_user ON gatekit_access_tokens (token_user_id);
CREATE INDEX gatekit_access_tokens_expires ON gatekit_access_tokens (token_expires) WHERE token_expires IS NOT NULL;
CREATE INDEX gatekit_one_time_expires ON gatekit_one_time (expires);
CREATE INDEX gatekit_one_time_user ON gatekit_one_time (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX gatekit_roles_role ON gatekit_roles (user_type, role, user_id);
CREATE INDEX gatekit_devices_seen ON gatekit_devices (seen);
CREATE INDEX gatekit_sessions_expires ON gatekit_sessions (expires);
CREATE INDEX gatekit_digests_userhash ON gatekit_digests (userhash);
CREATE INDEX gatekit_digest_nonces_expires ON gatekit_digest_nonces (expires);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('gatekit_users',2);
COMMIT;
