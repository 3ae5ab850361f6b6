#include "daemon/ops/turns.h"

void baod_turns_init(struct baod_turns *t, uint64_t seed)
{
    *t = (struct baod_turns){.seed = seed | 1};
}

static struct baod_turns_lane *lane_of(struct baod_turns *t, uint64_t sender)
{
    uint64_t h = (sender ^ t->seed) * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ (h >> 32)) * t->seed; /* the seed again: senders that differ little spread by it alone */
    return &t->lanes[(h >> 32) % BAOD_TURNS_LANES];
}

static void append_lane(struct baod_turns *t, struct baod_turns_lane *lane)
{
    lane->next = NULL;
    if (t->turn == NULL)
        t->turn = lane;
    else
        t->last->next = lane;
    t->last = lane;
}

void baod_turns_push(struct baod_turns *t, uint64_t sender, struct baod_turns_item *item)
{
    struct baod_turns_lane *lane = lane_of(t, sender);

    item->next = NULL;
    if (lane->first == NULL) {
        lane->first = item;
        append_lane(t, lane);
    } else {
        lane->last->next = item;
    }
    lane->last = item;
    t->n++;
}

struct baod_turns_item *baod_turns_peek(const struct baod_turns *t)
{
    return t->turn == NULL ? NULL : t->turn->first;
}

struct baod_turns_item *baod_turns_pop(struct baod_turns *t)
{
    struct baod_turns_lane *lane = t->turn;
    struct baod_turns_item *item;

    if (lane == NULL)
        return NULL;
    item = lane->first;
    lane->first = item->next;
    t->turn = lane->next;
    if (lane->first != NULL)
        append_lane(t, lane);
    t->n--;
    return item;
}
