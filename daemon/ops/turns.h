/* A queue in which everybody who waits has a turn of the same length: one item of each sender, round and
 * round, so that whoever brings a thousand waits behind himself and not before the others.
 *
 * Senders are told apart by a number and fall into a fixed count of lanes (stochastic fair queueing): it
 * takes no memory and cannot fail, and two senders share a lane only by chance, as the lane is chosen by a
 * secret seed. Items are linked through themselves; the queue owns none. No loop and no threads in here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BAOD_TURNS_LANES = 256 };

/* To be the first member of what waits. */
struct baod_turns_item {
    struct baod_turns_item *next;
};

struct baod_turns_lane {
    struct baod_turns_item *first, *last;
    struct baod_turns_lane *next; /* whose turn is after this one's */
};

struct baod_turns {
    struct baod_turns_lane lanes[BAOD_TURNS_LANES];
    struct baod_turns_lane *turn, *last; /* lanes that are not empty */
    uint64_t seed;
    size_t n;
};

/* An empty queue; `seed` is to be secret. Nothing needs to be freed. */
void baod_turns_init(struct baod_turns *t, uint64_t seed);
/* Adds an item of this sender, behind his others. */
void baod_turns_push(struct baod_turns *t, uint64_t sender, struct baod_turns_item *item);
/* The item whose turn it is, or NULL; stays in the queue. */
struct baod_turns_item *baod_turns_peek(const struct baod_turns *t);
/* The same, taken out. */
struct baod_turns_item *baod_turns_pop(struct baod_turns *t);
