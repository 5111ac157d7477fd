-- The key of an address and a name, beside the spelling that is stored: what is equal for all spellings of one.

-- NULL: not computed yet, because the row is from before this column or was written by another program. Gatekit fills it in
-- when it opens the database and every ten minutes.
ALTER TABLE gatekit_users ADD COLUMN email_key TEXT;
ALTER TABLE gatekit_users ADD COLUMN username_key TEXT;

-- Not unique: two rows from before there was a key may have the same.
CREATE INDEX gatekit_users_email_key ON gatekit_users (user_type, namespace, email_key);
CREATE INDEX gatekit_users_username_key ON gatekit_users (user_type, namespace, username_key);

-- Until the key is there, rows are found by what SQLite can compute itself: ASCII capitals and outer spaces do not count.
CREATE INDEX gatekit_users_email_unkeyed ON gatekit_users (user_type, namespace, lower(trim(email)))
    WHERE email_key IS NULL AND email IS NOT NULL;
CREATE INDEX gatekit_users_username_unkeyed ON gatekit_users (user_type, namespace, trim(username))
    WHERE username_key IS NULL AND username IS NOT NULL;

-- Another program has changed an address or a name: the key is no longer its.
CREATE TRIGGER gatekit_users_email_changed AFTER UPDATE OF email ON gatekit_users
WHEN NEW.email IS NOT OLD.email AND NEW.email_key IS OLD.email_key AND NEW.email_key IS NOT NULL
BEGIN
    UPDATE gatekit_users SET email_key = NULL WHERE id = NEW.id;
END;
CREATE TRIGGER gatekit_users_username_changed AFTER UPDATE OF username ON gatekit_users
WHEN NEW.username IS NOT OLD.username AND NEW.username_key IS OLD.username_key AND NEW.username_key IS NOT NULL
BEGIN
    UPDATE gatekit_users SET username_key = NULL WHERE id = NEW.id;
END;
