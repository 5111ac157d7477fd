-- Several user types in one table, apart.

-- The name of the user's type, as in the tables of tokens and one-time tokens. Users from before this column are of the type
-- "User", which their tokens and roles name too.
ALTER TABLE gatekit_users ADD COLUMN user_type TEXT NOT NULL DEFAULT 'User';

DROP INDEX gatekit_users_email;
DROP INDEX gatekit_users_username;
CREATE UNIQUE INDEX gatekit_users_email ON gatekit_users (user_type, namespace, email);
CREATE UNIQUE INDEX gatekit_users_username ON gatekit_users (user_type, namespace, username);
