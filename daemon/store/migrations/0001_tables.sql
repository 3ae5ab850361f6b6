-- The daemon's own tables, final in their keys from this first migration on.
--
-- Names of units, scopes and forms are turned into small integers that the daemon hands out under the
-- province's lock (highest + 1, no sequences), so that every key of a fact is a few octets long. Every key of
-- a fact begins with the unit, every key of a sum with the scope. A period is an integer led by its year
-- (year * 10000 + type * 1000 + n). Batches are numbered by audit.seq, the logical time of the whole store:
-- a row with seq_from/seq_to was valid for batches seq_from <= s < seq_to, and an open end is the highest int8.
CREATE SCHEMA baocao;

CREATE TABLE baocao.migration (
    version int4 PRIMARY KEY,
    name    text NOT NULL,
    sha256  bytea NOT NULL,
    at      timestamptz NOT NULL
);

-- ---------------------------------------------------------------- dictionaries

-- What every batch compares its cache with. Names: registry, forms.
CREATE TABLE baocao.epoch (
    name   text PRIMARY KEY,
    value  int8 NOT NULL,
    sha256 bytea NOT NULL
);

-- One row for each unit, each window in which it exists, and each state of the registry that said so.
-- The number of a code never changes.
CREATE TABLE baocao.unit (
    unit     int4 NOT NULL,
    code     text NOT NULL,
    kind     text NOT NULL,
    name_vi  text NOT NULL,
    name_en  text NOT NULL,
    from_day date NOT NULL,
    to_day   date NOT NULL DEFAULT 'infinity',
    groups   text[] NOT NULL DEFAULT '{}',
    seq_from int8 NOT NULL,
    seq_to   int8 NOT NULL DEFAULT 9223372036854775807,
    PRIMARY KEY (unit, from_day, seq_from)
);
CREATE INDEX unit_code ON baocao.unit (code);

-- unit took over from predecessor on that day; share null = the whole.
CREATE TABLE baocao.unit_succession (
    unit        int4 NOT NULL,
    predecessor int4 NOT NULL,
    from_day    date NOT NULL,
    share       numeric,
    seq_from    int8 NOT NULL,
    seq_to      int8 NOT NULL DEFAULT 9223372036854775807,
    PRIMARY KEY (unit, predecessor, from_day, seq_from)
);

CREATE TABLE baocao.scope (
    scope   int4 PRIMARY KEY,
    id      text NOT NULL UNIQUE,
    type    int2 NOT NULL, -- 0 province, 1 kind, 2 group, 3 node of a tree
    name_vi text NOT NULL,
    name_en text NOT NULL
);

-- The closure: every unit below a scope, however deep.
CREATE TABLE baocao.scope_unit (
    scope    int4 NOT NULL,
    unit     int4 NOT NULL,
    from_day date NOT NULL,
    to_day   date NOT NULL DEFAULT 'infinity',
    seq_from int8 NOT NULL,
    seq_to   int8 NOT NULL DEFAULT 9223372036854775807,
    PRIMARY KEY (scope, unit, from_day, seq_from)
);

-- Every version of every form ever in force, with its source text.
CREATE TABLE baocao.form (
    form           int4 NOT NULL,
    version        int4 NOT NULL,
    id             text NOT NULL,
    title_vi       text NOT NULL,
    title_en       text NOT NULL,
    programme      text,
    period_type    int2 NOT NULL, -- 1 year .. 7 day, 0 once
    effective_from date NOT NULL,
    effective_to   date NOT NULL DEFAULT 'infinity',
    sha256         bytea NOT NULL,
    source         bytea NOT NULL,
    seq_from       int8 NOT NULL,
    seq_to         int8 NOT NULL DEFAULT 9223372036854775807,
    PRIMARY KEY (form, version, seq_from)
);
CREATE INDEX form_id ON baocao.form (id);

-- Places in the arrays of report and rollup, counted from 1, only ever added to. A ratio has two of its own:
-- slot holds what it divides and slot_to what it divides by, both null in a report that did not give both.
CREATE TABLE baocao.indicator (
    form         int4 NOT NULL,
    slot         int2 NOT NULL,
    slot_to      int2,
    code         text NOT NULL,
    decimals     int2 NOT NULL, -- of a ratio: of what it divides
    decimals_to  int2,          -- of a ratio: of what it divides by
    over_units   text NOT NULL CHECK (over_units IN ('sum', 'none')),
    over_time    text NOT NULL CHECK (over_time IN ('sum', 'last', 'none')),
    percent      bool NOT NULL DEFAULT false,
    label_vi     text NOT NULL,
    label_en     text NOT NULL,
    measure_vi   text,
    measure_en   text,
    direction    int2 NOT NULL DEFAULT 0,
    alert_below  numeric,
    alert_above  numeric,
    same_as      text,
    version_from int4 NOT NULL, -- the form version that brought it
    version_to   int4 NOT NULL, -- the latest one that still has it
    PRIMARY KEY (form, slot),
    UNIQUE (form, code)
);

-- Windows and names of the periods that obligations speak of.
CREATE TABLE baocao.period (
    form     int4 NOT NULL,
    period   int4 NOT NULL,
    label    text NOT NULL,
    from_day date NOT NULL,
    to_day   date NOT NULL,
    title_vi text NOT NULL,
    title_en text NOT NULL,
    PRIMARY KEY (form, period)
);

-- Targets by year: of the form (scope and unit 0), of a scope, of a unit.
CREATE TABLE baocao.target (
    form  int4 NOT NULL,
    code  text NOT NULL,
    year  int4 NOT NULL,
    scope int4 NOT NULL,
    unit  int4 NOT NULL,
    value numeric NOT NULL,
    PRIMARY KEY (form, code, year, scope, unit)
);

-- ---------------------------------------------------------------- who owes what

-- One row says: this unit owes this report. Its state is computed when asked.
CREATE TABLE baocao.obligation (
    unit        int4 NOT NULL,
    form        int4 NOT NULL,
    period      int4 NOT NULL,
    cutoff      date NOT NULL,         -- the period's last day
    due_at      timestamptz NOT NULL,  -- by the form's rule
    lock_at     timestamptz,           -- from then on refused; null = never
    extended_to timestamptz,           -- moves due_at
    exempt      bool NOT NULL DEFAULT false,
    provisional bool NOT NULL DEFAULT false, -- computed beyond the known holidays
    revision    int4,                  -- the counted one; null = none
    received_at timestamptz,           -- earliest custody of its accepted revisions not returned
    kept_at     timestamptz,           -- custody kept through a return ...
    kept_until  timestamptz,           -- ... for a revision that comes by then
    last_revision int4 NOT NULL DEFAULT 0, -- the highest ever accepted; 0 = no report of it need be looked for
    PRIMARY KEY (unit, form, period)
) WITH (fillfactor = 50); -- a batch moves whole pages of them at once, and no index of theirs should notice
-- Who owes, who is late, in one form and period.
CREATE INDEX obligation_form_period ON baocao.obligation (form, period, unit);
-- What falls due in a stretch of days (reminders, the lock sweep).
CREATE INDEX obligation_due ON baocao.obligation (due_at);

-- Everything that ever happened to an obligation but reports; each row holds the state after it, so the state
-- at a batch is its last row up to that batch.
CREATE TABLE baocao.obligation_event (
    unit        int4 NOT NULL,
    form        int4 NOT NULL,
    period      int4 NOT NULL,
    seq         int8 NOT NULL,
    leaf        int4 NOT NULL, -- place among the leaves of its batch; < 0: none of its own
    kind        text NOT NULL, -- made moved dropped exempted owed extended returned withdrawn locked unlocked
    at          timestamptz NOT NULL,
    actor       text,
    reason      text,
    revision    int4,          -- the one returned or withdrawn
    due_at      timestamptz NOT NULL,
    lock_at     timestamptz,
    extended_to timestamptz,
    exempt      bool NOT NULL,
    kept_until  timestamptz,
    PRIMARY KEY (unit, form, period, seq, leaf)
);

-- ---------------------------------------------------------------- reports

-- One row for each accepted revision, for ever. Bodies stay as they came (a zlib stream), never compressed again.
-- figures[slot] are scaled integers; a shorter array means null.
CREATE TABLE baocao.report (
    unit         int4 NOT NULL,
    form         int4 NOT NULL,
    period       int4 NOT NULL,
    revision     int4 NOT NULL,
    form_version int4 NOT NULL,
    state        int2 NOT NULL,        -- 1 counted, 2 superseded, 3 returned, 4 withdrawn
    nil          bool NOT NULL DEFAULT false,
    received_at  timestamptz NOT NULL, -- custody: when the last octet arrived
    seq_from     int8 NOT NULL,        -- its batch
    seq_to       int8 NOT NULL DEFAULT 9223372036854775807, -- the batch from which it no longer counted; seq_from when it never did
    leaf         int4 NOT NULL,        -- place among the leaves of its batch
    raw_size     int4 NOT NULL,        -- octets of the document
    receipt      uuid NOT NULL,
    content      bytea NOT NULL,       -- SHA-256 of the canonical tree
    sha256       bytea NOT NULL,       -- SHA-256 of the document
    figures      int8[] NOT NULL,
    warnings     text,                 -- JSON, as accepted
    explanations text,
    collected    text,
    body         bytea NOT NULL,
    PRIMARY KEY (unit, form, period, revision)
) PARTITION BY RANGE (period);
ALTER TABLE baocao.report
    ALTER COLUMN body SET STORAGE EXTERNAL,
    ALTER COLUMN figures SET STORAGE EXTERNAL;
-- Extremes, medians, outliers, tables of one form and period: from the counted reports.
CREATE INDEX report_counted ON baocao.report (form, period) WHERE state = 1;

-- Makes the partition of a year, apart from the table (copying its columns, storage and indexes), and attaches it:
-- the table is then locked for an instant only, and against no reader or writer of other years. True when it was made.
CREATE FUNCTION baocao.make_year(year int4) RETURNS bool LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    part text := format('report_%s', year);
BEGIN
    IF to_regclass('baocao.' || part) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE baocao.%I (LIKE baocao.report INCLUDING ALL,'
                   ' CONSTRAINT of_year CHECK (period >= %s AND period < %s))', part, year * 10000, (year + 1) * 10000);
    EXECUTE format('ALTER TABLE baocao.report ATTACH PARTITION baocao.%I FOR VALUES FROM (%s) TO (%s)',
                   part, year * 10000, (year + 1) * 10000);
    EXECUTE format('ALTER TABLE baocao.%I DROP CONSTRAINT of_year', part);
    RETURN true;
END
$$;

-- The way from a receipt to its report. Not partitioned: the id alone must be unique.
CREATE TABLE baocao.receipt (
    id       uuid PRIMARY KEY,
    unit     int4 NOT NULL,
    form     int4 NOT NULL,
    period   int4 NOT NULL,
    revision int4 NOT NULL
);

-- Counts and sums over the counted reports of a scope. counts[slot] = reports that gave it, sums[slot] = their sum
-- (0 where over_units is none); shorter arrays mean 0.
CREATE TABLE baocao.rollup (
    scope    int4 NOT NULL,
    form     int4 NOT NULL,
    period   int4 NOT NULL,
    reported int4 NOT NULL, -- counted reports
    counts   int8[] NOT NULL,
    sums     int8[] NOT NULL,
    PRIMARY KEY (scope, form, period)
) WITH (fillfactor = 50, toast_tuple_target = 8160);
ALTER TABLE baocao.rollup
    ALTER COLUMN counts SET STORAGE EXTERNAL,
    ALTER COLUMN sums SET STORAGE EXTERNAL;
-- All scopes of one form and period (the province's table).
CREATE INDEX rollup_form_period ON baocao.rollup (form, period);

-- ---------------------------------------------------------------- evidence

-- One row a batch. leaves = the 32-octet hashes of its leaves in order, so that a path can always be made.
CREATE TABLE baocao.audit (
    seq        int8 PRIMARY KEY,
    node       text NOT NULL,
    at         timestamptz NOT NULL, -- taken under the lock; rises
    n          int4 NOT NULL,
    root       bytea NOT NULL,
    prev       bytea NOT NULL,       -- hash of the row before
    public_key bytea NOT NULL,
    signature  bytea NOT NULL,
    leaves     bytea NOT NULL
);
ALTER TABLE baocao.audit ALTER COLUMN leaves SET STORAGE EXTERNAL;
CREATE INDEX audit_at ON baocao.audit (at);

-- What a unit has not yet been told about reports answered `queued`, and of returns.
CREATE TABLE baocao.outcome (
    unit     int4 NOT NULL,
    seq      int8 NOT NULL,
    leaf     int4 NOT NULL,
    kind     text NOT NULL, -- done returned
    receipt  uuid,
    form     int4 NOT NULL,
    period   int4 NOT NULL,
    revision int4 NOT NULL,
    state    text NOT NULL, -- committed superseded refused returned
    symbol   text,
    detail   text,
    until    timestamptz,
    PRIMARY KEY (unit, seq, leaf)
);

-- Refused reports: the symbol and the first findings, never a body; the last 1,000 of a unit.
CREATE TABLE baocao.refusal (
    unit     int4 NOT NULL,
    id       uuid NOT NULL, -- UUIDv7: rises with time
    at       timestamptz NOT NULL,
    form     text NOT NULL,
    period   text NOT NULL,
    revision int4,
    symbol   text NOT NULL,
    findings text,
    seq      int8,
    leaf     int4,
    PRIMARY KEY (unit, id)
);

-- Reports that the store could not take although they were judged good: kept whole, for a person.
CREATE TABLE baocao.quarantine (
    id          uuid PRIMARY KEY,
    at          timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    unit        text NOT NULL,
    form        text NOT NULL,
    period      text NOT NULL,
    revision    int4 NOT NULL,
    sqlstate    text NOT NULL,
    message     text NOT NULL,
    body        bytea NOT NULL,
    raw_size    int4 NOT NULL
);
ALTER TABLE baocao.quarantine ALTER COLUMN body SET STORAGE EXTERNAL;

-- ---------------------------------------------------------------- people

CREATE TABLE baocao.credential (
    id         uuid PRIMARY KEY,
    sha256     bytea NOT NULL UNIQUE, -- of the secret, which is stored nowhere
    role       text NOT NULL CHECK (role IN ('unit', 'office', 'oversight', 'operator')),
    units      text[] NOT NULL DEFAULT '{}', -- codes it may speak for; empty for other roles
    name       text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);

-- A remark of an overseer against a reported figure, and its answer.
CREATE TABLE baocao.observation (
    unit        int4 NOT NULL,
    id          uuid NOT NULL,
    form        int4 NOT NULL,
    period      int4 NOT NULL,
    code        text,
    at          timestamptz NOT NULL,
    author      text NOT NULL,
    body        text NOT NULL,
    state       text NOT NULL CHECK (state IN ('open', 'answered', 'closed')),
    answer      text,
    answered_at timestamptz,
    answered_by text,
    PRIMARY KEY (unit, id)
);

-- Early warnings raised by figures, silence or contradiction.
CREATE TABLE baocao.alert (
    unit     int4 NOT NULL,
    id       uuid NOT NULL,
    form     int4 NOT NULL,
    period   int4 NOT NULL,
    code     text,
    kind     text NOT NULL,
    at       timestamptz NOT NULL,
    value    numeric,
    expected numeric,
    text_vi  text NOT NULL,
    text_en  text NOT NULL,
    state    text NOT NULL CHECK (state IN ('open', 'acknowledged', 'closed')),
    note     text,
    state_at timestamptz,
    state_by text,
    PRIMARY KEY (unit, id)
);
CREATE INDEX alert_form_period ON baocao.alert (form, period);

-- Synthesis reports as issued: the figures of that moment and the text that people finished.
CREATE TABLE baocao.synthesis (
    scope     int4 NOT NULL,
    form      int4 NOT NULL,
    period    int4 NOT NULL,
    issue     int4 NOT NULL,
    seq       int8 NOT NULL, -- the batch its figures stand at
    issued_at timestamptz NOT NULL,
    issued_by text NOT NULL,
    figures   text NOT NULL, -- JSON
    body      text NOT NULL,
    PRIMARY KEY (scope, form, period, issue)
);
