'use strict';
// The server that tests/bench/peers sets beside the daemon: what a competent user of Node would write for the same job
// with pg, ajv and js-yaml. Reports come in the daemon's own frames; each is inflated, hashed, parsed, judged by the
// form's schema and rules, turned into figures; all that arrived while one transaction ran goes into the next one.
// That reads what is owed and stored of its keys, decides each report as the daemon does (a resend, other content, a
// correction that takes the old figures back, one that comes late or behind), inserts by unnest, upserts the summed
// changes of the rollups and signs the batch. Answers go out after COMMIT.
//
// It does less than the daemon: no checks that look back, no canonical content (JSON.stringify stands for it), numbers
// of JavaScript, warnings dropped, receipts without proofs, nothing while PostgreSQL is away.
//
// Usage: peers.js SETTINGS.json, where {"modules", "database", "port_file", "form", "schema", "remotes", "units",
// "checks", "indicators", "owed"}; checks and indicators are JavaScript expressions over `self`, owed is a file of
// tab-separated lines: unit, period, due_at, lock_at.
const fs = require('fs');
const net = require('net');
const zlib = require('zlib');
const crypto = require('crypto');

const settings = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const load = (name) => require(require.resolve(name, {paths: [settings.modules]}));
const {Client} = load('pg');
const yaml = load('js-yaml');
const Ajv = load('ajv/dist/2020');
const formats = load('ajv-formats');

const BATCH_MAX = 1000;
const ajv = new Ajv({strict: false, allErrors: false, logger: false});
formats(ajv);
for (const [uri, schema] of Object.entries(settings.remotes)) ajv.addSchema(schema, uri);
const isValid = ajv.compile(settings.schema);
const checks = settings.checks.map((c) => ({
  id: c.id,
  isComplete: new Function('self', `return ${c.paths.map((p) => `(${p}) != null`).join(' && ') || 'true'};`),
  holds: new Function('self', `return (${c.rule});`),
}));
const figures = settings.indicators.map((i) => ({code: i.code, of: new Function('self', `return (${i.value});`)}));

function judge(report) {
  const unit = settings.units[report.unit];
  if (report.form !== settings.form || unit === undefined) return null;
  const self = report.data;
  if (!isValid(self)) return null;
  for (const c of checks) if (c.isComplete(self) && !c.holds(self)) return null;
  const figuresOf = {};
  for (const f of figures) {
    const v = f.of(self);
    if (Number.isFinite(v)) figuresOf[f.code] = v;
  }
  const content = crypto.createHash('sha256').update(JSON.stringify(report)).digest();
  return {unit: report.unit, period: String(report.period), revision: report.revision || 1, scopes: unit, content, figures: figuresOf};
}

const SCHEMA = `
CREATE TABLE report (unit text, form text, period text, revision int, sha256 bytea, content bytea, received_at timestamptz,
  receipt uuid, state text, body bytea, figures jsonb, PRIMARY KEY (unit, form, period, revision));
CREATE UNIQUE INDEX ON report (receipt);
CREATE TABLE obligation (unit text, form text, period text, due_at timestamptz, lock_at timestamptz, revision int,
  received_at timestamptz, PRIMARY KEY (unit, form, period));
CREATE TABLE rollup (scope text, form text, period text, indicator text, n bigint NOT NULL, sum numeric NOT NULL,
  PRIMARY KEY (scope, form, period, indicator));
CREATE TABLE audit (seq bigint PRIMARY KEY, at timestamptz, n int, root bytea, prev bytea, signature bytea);`;

const OWED = `SELECT o.unit, o.period, o.due_at, o.lock_at, o.revision AS counted, o.received_at AS first_at,
    r.revision, r.content, r.receipt, r.received_at, r.figures
  FROM unnest($1::text[], $2::text[]) AS k(unit, period)
  JOIN obligation o ON o.unit = k.unit AND o.form = '${settings.form}' AND o.period = k.period
  LEFT JOIN report r ON r.unit = o.unit AND r.form = o.form AND r.period = o.period`;

// What the rollups of one batch change by.
class Deltas {
  constructor() {
    this.rows = new Map();
  }

  add(item, figuresOf, sign) {
    for (const scope of item.scopes) {
      for (const code in figuresOf) {
        const key = `${scope}\t${item.period}\t${code}`;
        const row = this.rows.get(key);
        if (row) {
          row.n += sign;
          row.sum += sign * figuresOf[code];
        } else {
          this.rows.set(key, {scope, period: item.period, code, n: sign, sum: sign * figuresOf[code]});
        }
      }
    }
  }
}

class Writer {
  constructor(db) {
    this.db = db;
    this.waiting = [];
    this.isBusy = false;
    this.key = crypto.generateKeyPairSync('ed25519').privateKey;
    this.seq = 0;
    this.head = Buffer.alloc(32);
  }

  add(item) {
    this.waiting.push(item);
    if (!this.isBusy) this.run();
  }

  async run() {
    this.isBusy = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, BATCH_MAX);
      try {
        await this.store(batch);
      } catch (error) {
        await this.db.query('ROLLBACK');
        console.error(error);
        for (const item of batch) item.answer(`WAIT ${item.txn} 0 code=INTERNAL after=1000\n\n`);
        continue;
      }
      for (const item of batch) {
        item.answer(item.code ? `NO ${item.txn} 0 code=${item.code}\n\n` :
          `OK ${item.txn} 0 state=${item.state} receipt=${item.receipt} form=${settings.form} unit=${item.unit} ` +
          `period=${item.period} rev=${item.revision} at=${item.at} due=${item.due} dup=${item.isNew ? 0 : 1}\n\n`);
      }
    }
    this.isBusy = false;
  }

  async read(q, batch) {
    const owed = new Map();
    const rows = (await q('owed', OWED, [batch.map((x) => x.unit), batch.map((x) => x.period)])).rows;
    for (const row of rows) {
      const key = `${row.unit}\t${row.period}`;
      if (!owed.has(key)) {
        owed.set(key, {due: row.due_at, lock: row.lock_at, counted: row.counted, first: row.first_at, revisions: new Map()});
      }
      if (row.revision !== null) {
        owed.get(key).revisions.set(row.revision, {content: row.content, receipt: row.receipt, at: row.received_at.toISOString(),
          figures: row.figures});
      }
    }
    return owed;
  }

  decide(item, o, deltas) {
    item.isNew = false;
    item.code = null;
    const known = o && o.revisions.get(item.revision);
    if (!o) {
      item.code = 'PERIOD'; // its unit is known
    } else if (known && !known.content.equals(item.content)) {
      item.code = 'KEYREUSED';
    } else if (known) {
      item.state = item.revision === o.counted ? 'committed' : 'superseded';
      item.receipt = known.receipt;
      item.at = known.at;
    } else if (o.lock && new Date(item.at) >= o.lock) {
      item.code = 'LOCKED';
    } else {
      item.isNew = true;
      item.state = o.counted !== null && item.revision < o.counted ? 'superseded' : 'committed';
      o.revisions.set(item.revision, item);
      if (!o.first || new Date(item.at) < o.first) o.first = new Date(item.at);
      if (item.state === 'committed') {
        if (o.counted !== null) deltas.add(item, o.revisions.get(o.counted).figures, -1);
        deltas.add(item, item.figures, 1);
        o.counted = item.revision;
      }
    }
    if (o) item.due = o.first && o.first > o.due ? 'late' : 'on-time';
  }

  sign(stored) {
    let level = stored.map((x) => crypto.createHash('sha256')
      .update(`${x.receipt}\n${x.unit} ${x.period} ${x.revision}\n${x.content.toString('hex')}\n${x.at}\n${x.state}`).digest());
    while (level.length > 1) {
      const next = [];
      for (let i = 0; i < level.length; i += 2) {
        next.push(i + 1 < level.length ? crypto.createHash('sha256').update(level[i]).update(level[i + 1]).digest() : level[i]);
      }
      level = next;
    }
    const row = Buffer.concat([Buffer.from(`${this.seq + 1} ${stored.length}\n`), level[0], this.head]);
    return {root: level[0], head: crypto.createHash('sha256').update(row).digest(), signature: crypto.sign(null, row, this.key)};
  }

  async store(batch) {
    const q = (name, text, values) => this.db.query({name, text, values});
    const deltas = new Deltas();
    let proof = null;
    await this.db.query('BEGIN');
    const owed = await this.read(q, batch);
    for (const item of batch) this.decide(item, owed.get(`${item.unit}\t${item.period}`), deltas);
    const stored = batch.filter((x) => x.isNew);
    if (stored.length > 0) {
      await q('report', `INSERT INTO report
        SELECT u, '${settings.form}', p, r, s, c, a, i, t, b, f FROM unnest($1::text[], $2::text[], $3::int[], $4::bytea[],
          $5::bytea[], $6::timestamptz[], $7::uuid[], $8::text[], $9::bytea[], $10::jsonb[]) AS x(u, p, r, s, c, a, i, t, b, f)`,
      [stored.map((x) => x.unit), stored.map((x) => x.period), stored.map((x) => x.revision), stored.map((x) => x.sha256),
        stored.map((x) => x.content), stored.map((x) => x.at), stored.map((x) => x.receipt), stored.map((x) => x.state),
        stored.map((x) => x.body), stored.map((x) => JSON.stringify(x.figures))]);
      const keys = [...new Set(stored.map((x) => `${x.unit}\t${x.period}`))];
      const touched = keys.map((k) => owed.get(k));
      await q('obligation', `UPDATE obligation o SET revision = k.r, received_at = k.a
        FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[]) AS k(u, p, r, a)
        WHERE o.unit = k.u AND o.form = '${settings.form}' AND o.period = k.p`,
      [keys.map((k) => k.split('\t')[0]), keys.map((k) => k.split('\t')[1]), touched.map((o) => o.counted),
        touched.map((o) => o.first)]);
      const rows = [...deltas.rows.values()];
      await q('rollup', `INSERT INTO rollup SELECT s, '${settings.form}', p, c, n, v
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::numeric[]) AS x(s, p, c, n, v)
        ON CONFLICT (scope, form, period, indicator)
        DO UPDATE SET n = rollup.n + excluded.n, sum = rollup.sum + excluded.sum`,
      [rows.map((r) => r.scope), rows.map((r) => r.period), rows.map((r) => r.code), rows.map((r) => r.n),
        rows.map((r) => r.sum)]);
      proof = this.sign(stored);
      await q('audit', 'INSERT INTO audit VALUES ($1, now(), $2, $3, $4, $5)',
        [this.seq + 1, stored.length, proof.root, this.head, proof.signature]);
    }
    await this.db.query('COMMIT');
    if (proof !== null) {
      this.seq++;
      this.head = proof.head;
    }
  }
}

class Peer {
  constructor(socket, writer) {
    this.socket = socket;
    this.writer = writer;
    this.input = Buffer.alloc(0);
    socket.setNoDelay(true);
    socket.on('data', (data) => this.read(data));
    socket.on('error', () => socket.destroy());
  }

  read(data) {
    this.input = this.input.length === 0 ? data : Buffer.concat([this.input, data]);
    let from = 0;
    for (;;) {
      const end = this.input.indexOf(10, from);
      if (end < 0) break;
      const words = this.input.toString('latin1', from, end).split(' ');
      const length = Number(words[2]);
      if (this.input.length < end + 1 + length + 1) break;
      this.take(words, this.input.subarray(end + 1, end + 1 + length));
      from = end + 1 + length + 1;
    }
    this.input = this.input.subarray(from);
  }

  take(words, body) {
    const [verb, txn] = words;
    const keys = Object.fromEntries(words.slice(3).map((w) => w.split('=')));
    if (verb !== 'REPORT') {
      this.socket.write(`OK ${txn} 0 v=1\n\n`);
      return;
    }
    const document = keys.enc === 'deflate' ? zlib.inflateSync(body, {maxOutputLength: Number(keys.raw)}) : body;
    const sha256 = crypto.createHash('sha256').update(document).digest();
    const text = document.toString('utf8');
    let item = null;
    if (sha256.toString('hex') === keys.sha256) item = judge(text.startsWith('{') ? JSON.parse(text) : yaml.load(text, {schema: yaml.CORE_SCHEMA}));
    if (item === null) {
      this.socket.write(`NO ${txn} 0 code=INVALID\n\n`);
      return;
    }
    this.writer.add({...item, txn, sha256, body: Buffer.from(body), receipt: crypto.randomUUID(), at: new Date().toISOString(),
      answer: (line) => this.socket.write(line)});
  }
}

async function main() {
  const db = new Client(settings.database);
  await db.connect();
  await db.query(SCHEMA);
  const owed = fs.readFileSync(settings.owed, 'utf8').trim().split('\n').map((line) => line.split('\t'));
  await db.query(`INSERT INTO obligation SELECT u, '${settings.form}', p, d, l
    FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS x(u, p, d, l)`,
  [owed.map((o) => o[0]), owed.map((o) => o[1]), owed.map((o) => o[2]), owed.map((o) => o[3] || null)]);
  await db.query('VACUUM ANALYZE obligation');
  const writer = new Writer(db);
  const server = net.createServer((socket) => new Peer(socket, writer));
  server.listen(0, '127.0.0.1', () => fs.writeFileSync(settings.port_file, String(server.address().port)));
}

main();
