-- Renewed tokens, proofs of an address, and roles.

-- When the token's lifetime began anew for the last time. NULL: it never did.
-- token_expires is token_ttl after this, or after token_created where this is NULL.
ALTER TABLE gatekit_access_tokens ADD COLUMN token_renewed INTEGER;

-- The address the secret was mailed to, where that is what it proves.
ALTER TABLE gatekit_one_time ADD COLUMN email TEXT;

-- For removing those of one user. Decoys belong to nobody.
CREATE INDEX gatekit_one_time_user ON gatekit_one_time (user_id) WHERE user_id IS NOT NULL;

-- Who is in which role.
CREATE TABLE gatekit_roles (
    -- The name of the user's type, as in the tables of tokens and one-time secrets.
    user_type TEXT NOT NULL,
    -- ANY: an INTEGER stays one and a TEXT stays one, and they are never equal.
    user_id   ANY  NOT NULL,
    role      TEXT NOT NULL,
    PRIMARY KEY (user_type, user_id, role)
) STRICT, WITHOUT ROWID;

CREATE INDEX gatekit_roles_role ON gatekit_roles (user_type, role, user_id);
