-- Accounts that are not active, and what a one-time secret remembers.

-- active, pending or blocked. Whoever changes it adds one to rev in the same statement, which ends all tokens of the user.
ALTER TABLE gatekit_users ADD COLUMN status TEXT NOT NULL DEFAULT 'active';

-- In the words of who made it. No secret.
ALTER TABLE gatekit_one_time ADD COLUMN data TEXT;
