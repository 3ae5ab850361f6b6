/* The figures of /metrics: what an operator watches, gathered from the parts. */
#include "daemon/ops/metrics.h"
#include "daemon/brp/peers.h"
#include "daemon/intake.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/custody.h"
#include "daemon/store/writer.h"

#define GAUGE(name, value, help)                                                                             \
    {                                                                                                        \
        name, help, false, (int64_t)(value)                                                                  \
    }
#define COUNTER(name, value, help)                                                                           \
    {                                                                                                        \
        name, help, true, (int64_t)(value)                                                                   \
    }

static int print_writer(const struct baod_server *s, struct bao_buf *out)
{
    const struct baod_writer_counts w = baod_writer_counts(s->writer);
    const struct baod_metric metrics[] = {
        GAUGE("database_up", baod_server_database_takes(s), "1 while PostgreSQL takes reports"),
        GAUGE("database_locked", s->locked,
              "1 while it answers, but other work holds a lock that reports need"),
        GAUGE("writer_waiting", w.waiting, "reports that wait for the next batch"),
        GAUGE("writer_in_batch", w.in_batch, "reports of the batch that PostgreSQL has not yet answered"),
        GAUGE("writer_backlog", w.backlog, "reports of the spool that wait for the next batch"),
        GAUGE("writer_last_seq", w.last_seq, "the last batch that this daemon committed"),
        COUNTER("writer_batches_total", w.batches, "transactions committed"),
        COUNTER("writer_reports_total", w.reports, "reports stored"),
        COUNTER("writer_duplicates_total", w.duplicates, "reports that had been stored before"),
        COUNTER("writer_refused_total", w.refused, "reports refused by what the database holds"),
        COUNTER("writer_retried_total", w.retried, "batches run again"),
        COUNTER("writer_bisected_total", w.bisected, "batches split to find a row that fails"),
        COUNTER("writer_quarantined_total", w.quarantined,
                "reports set aside in baocao.quarantine, each to be looked at by a person"),
        COUNTER("writer_unknown_commits_total", w.unknown, "commits that got no answer"),
        COUNTER("writer_found_total", w.found, "reports of such commits that were found to be stored"),
    };

    return baod_metrics_print(out, metrics, BAO_COUNT(metrics));
}

static int print_spool(struct baod_server *s, struct bao_buf *out)
{
    const struct baod_spool_counts p = baod_spool_counts(s->spool);
    const struct baod_custody_counts c = baod_custody_counts(s->custody);
    bao_time now = baod_clock_now(&s->clock);
    int64_t oldest = p.oldest_at == BAO_TIME_NONE || p.oldest_at > now ? 0 : now - p.oldest_at;
    const struct baod_metric metrics[] = {
        GAUGE("spool_reports", p.rows, "reports answered queued that wait for PostgreSQL"),
        GAUGE("spool_bytes", p.bytes, "octets of them"),
        GAUGE("spool_max_bytes", p.max_bytes, "the cap; beyond it reports are answered SPOOLFULL"),
        GAUGE("spool_oldest_seconds", oldest / BAO_SECOND, "how long the first of them has waited"),
        GAUGE("spool_draining", c.draining, "1 while they are brought to PostgreSQL"),
        COUNTER("spool_queued_total", p.queued, "reports answered queued"),
        COUNTER("spool_full_total", p.full, "reports answered SPOOLFULL"),
        COUNTER("spool_drained_total", c.drained, "queued reports that PostgreSQL has now"),
        COUNTER("spool_refused_total", c.refused, "queued reports refused when they were drained"),
        COUNTER("spool_damaged_total", p.damaged,
                "queued reports found damaged on disk and set aside; named in the log"),
    };

    return baod_metrics_print(out, metrics, BAO_COUNT(metrics));
}

static int print_ports(const struct baod_server *s, struct bao_buf *out)
{
    const struct baod_intake_counts i = baod_intake_counts(s->intake);
    const struct baod_brp_counts b = baod_peers_counts(s->peers);
    const struct baod_metric metrics[] = {
        GAUGE("intake_reports", i.inside, "reports read and not yet answered"),
        GAUGE("intake_bytes", i.bytes, "octets of them"),
        COUNTER("intake_taken_total", i.taken, "reports taken in, by either port"),
        COUNTER("intake_busy_total", i.refused_budget, "reports told to come again: too many at once"),
        COUNTER("intake_quota_total", i.refused_quota, "reports told to come again: a unit's share was used"),
        GAUGE("peers", b.open, "connections at the report port"),
        COUNTER("peers_accepted_total", b.accepted, "connections accepted there"),
        COUNTER("peers_refused_total", b.refused, "connections over a limit"),
        COUNTER("peers_auth_failed_total", b.auth_failed, "identities refused"),
        COUNTER("answers_ok_total", b.ok, "reports answered OK at the report port"),
        COUNTER("answers_wait_total", b.wait, "reports answered WAIT there"),
        COUNTER("answers_no_total", b.no, "reports answered NO there"),
    };

    return baod_metrics_print(out, metrics, BAO_COUNT(metrics));
}

int baod_server_metrics(void *user, struct bao_buf *out)
{
    struct baod_server *s = user;
    int r = print_writer(s, out);

    if (r == 0 && s->spool != NULL)
        r = print_spool(s, out);
    if (r == 0 && s->peers != NULL)
        r = print_ports(s, out);
    return r;
}
