#include "daemon/brp/peers.h"
#include "daemon/config/snapshot.h"
#include "daemon/ops/log.h"
#include "daemon/ops/sd.h"
#include "daemon/server/server_internal.h"
#include "daemon/store/cache.h"
#include "daemon/store/embedded.h"
#include "daemon/store/notices.h"
#include "daemon/store/writer.h"

#include <malloc.h>

enum { FRESH_TICKS = 5, CACHE_TICKS = 15, RUSH = 64, FEW = 8, REMINDED = 16 };

/* A rush of comers and goers leaves holes all over the heap; once it is over their pages go back to the
 * system, and again when those who came have been told what they owe, which takes seconds for a province. */
static void give_memory_back(struct baod_server *s)
{
    struct baod_brp_counts counts = baod_peers_counts(s->peers);
    uint64_t moves = counts.accepted + counts.closed;

    s->quiet_ticks = moves - s->moves < FEW ? s->quiet_ticks + 1 : 0;
    s->moves = moves;
    if (moves - s->trimmed < RUSH)
        return;
    if (s->quiet_ticks == 1 || s->quiet_ticks == REMINDED / 4 || s->quiet_ticks == REMINDED)
        (void)malloc_trim(0); /* 0: there was nothing to give */
    if (s->quiet_ticks == REMINDED)
        s->trimmed = moves;
}

/* Obligations reach 400 days ahead, so each new day makes some. */
void baod_server_on_tick(uv_timer_t *timer)
{
    struct baod_server *s = timer->data;
    bool up = baod_writer_is_up(s->writer);
    int64_t moved = baod_clock_check(&s->clock, BAO_TIME_NONE);
    bao_date today = bao_time_date(baod_clock_now(&s->clock), s->snapshot->registry.offset);

    if (s->state == BAOD_ENDING)
        return;
    if (moved != 0)
        baod_log(BAOD_LOG_WARNING,
                 "clock: the wall clock had moved by %lld us; custody times follow it from now on",
                 (long long)moved);
    baod_server_watch_database(s);
    if (s->keys_day != today)
        baod_server_tell_keys(s, today);
    if (s->embedded != NULL && baod_embedded_watch(s->embedded))
        baod_log(BAOD_LOG_WARNING, "database: the private PostgreSQL was gone and has been started again");
    s->ticks++;
    if (up && s->spool != NULL && s->ticks % CACHE_TICKS == 1)
        baod_cache_refresh(&s->cache, baod_clock_now(&s->clock));
    if (up && (s->sync_day != today || (s->candidate != NULL && s->ticks % BAOD_AGAIN_TICKS == 0) ||
               (s->year_waits != 0 && s->ticks >= s->year_after)))
        baod_server_prepare(s->writer, s);
    if (up && s->heads_day != today && s->ticks >= s->heads_after)
        baod_server_publish_heads(s, today);
    if (s->peers != NULL) {
        baod_peers_recheck(s->peers, baod_server_token_holds, s);
        give_memory_back(s);
    }
    if (s->notices != NULL && s->ticks % FRESH_TICKS == 0)
        baod_notices_fresh(s->notices, baod_server_tell_notice, s);
    if (s->spool == NULL || baod_spool_is_alive(s->spool))
        baod_sd_alive();
}
