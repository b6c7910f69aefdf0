// oidc-provider's storage as plain Maps, one for each model: nothing expires, nothing is copied, nothing is written out.
export function adapter(name) {
  const rows = new Map();
  const matching = (field, value) => [...rows.values()].find((row) => row[field] === value);
  return {
    name,
    async upsert(id, payload) { rows.set(id, payload); },
    async find(id) { return rows.get(id); },
    async findByUid(uid) { return matching('uid', uid); },
    async findByUserCode(code) { return matching('userCode', code); },
    async consume(id) { rows.get(id).consumed = Math.floor(Date.now() / 1000); },
    async destroy(id) { rows.delete(id); },
    async revokeByGrantId(grantId) {
      for (const [id, row] of rows) if (row.grantId === grantId) rows.delete(id);
    },
  };
}
