-- When a secret was used last, to the hour: the operator sees which may be revoked.
ALTER TABLE baocao.credential ADD COLUMN used_at timestamptz;
