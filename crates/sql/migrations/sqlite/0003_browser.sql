-- What a browser's sessions need: step-up, what a session is known by, known devices, and server-side sessions.

-- When a password was proven for the token. NULL: it was issued without one.
ALTER TABLE gatekit_access_tokens ADD COLUMN token_proven INTEGER;

-- On what the token was issued, as far as that is known.
ALTER TABLE gatekit_access_tokens ADD COLUMN token_user_agent TEXT;
ALTER TABLE gatekit_access_tokens ADD COLUMN token_network TEXT;

-- When the token was last used. NULL: not since it was issued.
ALTER TABLE gatekit_access_tokens ADD COLUMN token_last_used INTEGER;

-- From which devices users have logged in.
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

CREATE INDEX gatekit_devices_seen ON gatekit_devices (seen);

-- Sessions of tower-sessions.
CREATE TABLE gatekit_sessions (
    -- SHA-256 of the session's id, which is what the cookie holds: who reads this table can be nobody.
    id      BLOB    NOT NULL PRIMARY KEY,
    -- What the app keeps in it, as JSON.
    data    TEXT    NOT NULL,
    -- When it ends, in milliseconds since the epoch.
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX gatekit_sessions_expires ON gatekit_sessions (expires);
