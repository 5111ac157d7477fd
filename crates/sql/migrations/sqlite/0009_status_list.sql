-- Accounts with a status other than active are listed: those that wait for approval, for instance. Most are active, and are not in the index.
CREATE INDEX gatekit_users_status ON gatekit_users (user_type, status, id) WHERE status <> 'active';
