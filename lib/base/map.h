/* A hash map from text to pointers.
 *
 * Ownership: keys and values are borrowed and must outlive the map. The hash is SipHash-1-3
 * keyed by a seed, so that hostile keys cannot be chosen to collide (seed from the system at start). */
#pragma once

#include "lib/base/str.h"

struct bao_map_slot;

struct bao_map {
    struct bao_map_slot *slots;
    size_t n, size; /* used, power of two */
    uint64_t seed[2];
};

#define BAO_MAP_NULL ((struct bao_map){.slots = NULL})

/* An empty map; takes no memory yet. */
void bao_map_init(struct bao_map *m, const uint64_t seed[2]);
/* Frees the slots, not what they point to; may be called twice, and on a zeroed map. */
void bao_map_deinit(struct bao_map *m);

/* The value of a key, or NULL. */
void *bao_map_get(const struct bao_map *m, struct bao_str key);
/* Sets key to value (not NULL), replacing an older one: 0, or -ENOMEM. */
int bao_map_set(struct bao_map *m, struct bao_str key, void *value) BAO_MUST_CHECK;
/* Removes a key; gives its value, or NULL when it was not there. */
void *bao_map_take(struct bao_map *m, struct bao_str key);
/* Walks all values in no order: *at starts at 0; NULL at the end. The map must not change meanwhile. */
void *bao_map_next(const struct bao_map *m, size_t *at);
