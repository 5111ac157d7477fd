-- How often something was tried, for all nodes together.

CREATE TABLE gatekit_counters (
    -- SHA-256 of what is counted and whose it is.
    key     BLOB    NOT NULL PRIMARY KEY,
    -- When the newest events were, the newest first: milliseconds since the epoch, 16 digits each.
    times   TEXT    NOT NULL,
    -- When the newest event stops counting, in milliseconds since the epoch.
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX gatekit_counters_expires ON gatekit_counters (expires);

-- Tries of mailed codes were one-time records until now.
DELETE FROM gatekit_one_time WHERE purpose = 'email_code_try';
