#include "daemon/ops/failures.h"

enum { FIRST_MS = 250, DOUBLINGS = 4, FORGIVE_MS = 60000 };

static uint32_t hash_of(uint64_t seed, struct bao_str text)
{
    uint64_t h = seed ^ UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(h >> 32) ^ (uint32_t)h;
}

static uint32_t count(struct baod_failures *f, uint64_t kind, struct bao_str text, uint64_t now_ms)
{
    uint32_t key = hash_of(f->seed + kind, text);
    size_t i = key % BAOD_FAILURE_SLOTS;

    if (f->slots[i].key != key || now_ms - f->slots[i].last_ms > FORGIVE_MS) {
        f->slots[i].key = key;
        f->slots[i].count = 0;
    }
    f->slots[i].last_ms = now_ms;
    return ++f->slots[i].count;
}

struct baod_failure baod_failures_add(struct baod_failures *f, struct bao_str address, struct bao_str account,
                                      uint64_t now_ms)
{
    uint32_t n = count(f, 1, address, now_ms);
    uint32_t by_account = account.n != 0 ? count(f, 2, account, now_ms) : 0;

    n = by_account > n ? by_account : n;
    f->total++;
    return (struct baod_failure){
        .after_ms = (unsigned)FIRST_MS << (n - 1 < DOUBLINGS ? n - 1 : DOUBLINGS),
        .count = n,
    };
}
