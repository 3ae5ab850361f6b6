'use strict';
// The server that tests/bench/peers sets beside the daemon: what a competent user of Node would write for the same job
// with pg, ajv and js-yaml. Reports come in the daemon's own frames; each is inflated, hashed, parsed, judged by the
// form's schema and rules, turned into figures; all that arrived while one transaction ran goes into the next one:
// unnest for the reports, deltas of the rollups summed here and upserted, answers after COMMIT.
//
// Usage: peers.js SETTINGS.json, where {"modules", "database", "port_file", "form", "schema", "remotes", "units",
// "checks", "indicators"}; checks and indicators are JavaScript expressions over `self`.
const fs = require('fs');
const net = require('net');
const zlib = require('zlib');
const crypto = require('crypto');
const path = require('path');

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
const codes = figures.map((f) => f.code);

function judge(report) {
  const unit = settings.units[report.unit];
  if (report.form !== settings.form || unit === undefined) return null;
  const self = report.data;
  if (!isValid(self)) return null;
  for (const c of checks) if (c.isComplete(self) && !c.holds(self)) return null;
  const values = figures.map((f) => {
    const v = f.of(self);
    return Number.isFinite(v) ? v : null;
  });
  return {unit: report.unit, period: String(report.period), revision: report.revision || 1, scopes: unit, values};
}

const SCHEMA = `
CREATE TABLE report (unit text, form text, period text, revision int, sha256 bytea, received_at timestamptz, receipt uuid,
  body bytea, figures jsonb, PRIMARY KEY (unit, form, period, revision));
CREATE TABLE obligation (unit text, form text, period text, received_at timestamptz, PRIMARY KEY (unit, form, period));
CREATE TABLE rollup (scope text, form text, period text, indicator text, n bigint NOT NULL, sum numeric NOT NULL,
  PRIMARY KEY (scope, form, period, indicator));`;

class Writer {
  constructor(db) {
    this.db = db;
    this.waiting = [];
    this.isBusy = false;
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
        item.answer(`OK ${item.txn} 0 state=committed receipt=${item.receipt} form=${settings.form} unit=${item.unit} ` +
          `period=${item.period} rev=${item.revision} at=${item.at} dup=${item.isNew ? 0 : 1}\n\n`);
      }
    }
    this.isBusy = false;
  }

  async store(batch) {
    const q = (name, text, values) => this.db.query({name, text, values});
    await this.db.query('BEGIN');
    const inserted = await q('report', `INSERT INTO report
      SELECT u, '${settings.form}', p, r, s, a, i, b, f FROM unnest($1::text[], $2::text[], $3::int[], $4::bytea[],
        $5::timestamptz[], $6::uuid[], $7::bytea[], $8::jsonb[]) AS x(u, p, r, s, a, i, b, f)
      ON CONFLICT DO NOTHING RETURNING receipt`,
    [batch.map((x) => x.unit), batch.map((x) => x.period), batch.map((x) => x.revision), batch.map((x) => x.sha256),
      batch.map((x) => x.at), batch.map((x) => x.receipt), batch.map((x) => x.body),
      batch.map((x) => JSON.stringify(Object.fromEntries(codes.map((c, i) => [c, x.values[i]]))))]);
    const fresh = new Set(inserted.rows.map((row) => row.receipt));
    const deltas = new Map();
    for (const item of batch) {
      item.isNew = fresh.has(item.receipt);
      if (!item.isNew) continue;
      for (const scope of item.scopes) {
        for (let i = 0; i < codes.length; i++) {
          if (item.values[i] === null) continue;
          const key = `${scope}\t${item.period}\t${codes[i]}`;
          const row = deltas.get(key);
          if (row) {
            row.n++;
            row.sum += item.values[i];
          } else {
            deltas.set(key, {scope, period: item.period, code: codes[i], n: 1, sum: item.values[i]});
          }
        }
      }
    }
    await q('obligation', `INSERT INTO obligation SELECT u, '${settings.form}', p, a
      FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS x(u, p, a)
      ON CONFLICT (unit, form, period) DO UPDATE SET received_at = least(obligation.received_at, excluded.received_at)`,
    [batch.map((x) => x.unit), batch.map((x) => x.period), batch.map((x) => x.at)]);
    const rows = [...deltas.values()];
    await q('rollup', `INSERT INTO rollup SELECT s, '${settings.form}', p, c, n, v
      FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::numeric[]) AS x(s, p, c, n, v)
      ON CONFLICT (scope, form, period, indicator)
      DO UPDATE SET n = rollup.n + excluded.n, sum = rollup.sum + excluded.sum`,
    [rows.map((r) => r.scope), rows.map((r) => r.period), rows.map((r) => r.code), rows.map((r) => r.n),
      rows.map((r) => r.sum)]);
    await this.db.query('COMMIT');
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
  const writer = new Writer(db);
  const server = net.createServer((socket) => new Peer(socket, writer));
  server.listen(0, '127.0.0.1', () => fs.writeFileSync(settings.port_file, String(server.address().port)));
}

main();
