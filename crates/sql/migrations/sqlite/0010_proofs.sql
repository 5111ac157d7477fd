-- Which factors were verified for a token, and when each was: password=1764547200000,totp=1764547230000. NULL: none.
ALTER TABLE gatekit_access_tokens ADD COLUMN token_proofs TEXT;

-- Until now only the time of a password was kept.
UPDATE gatekit_access_tokens SET token_proofs = 'password=' || token_proven WHERE token_proven IS NOT NULL;

ALTER TABLE gatekit_access_tokens DROP COLUMN token_proven;
