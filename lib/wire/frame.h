/* Frames of BRP/1 (protocol.md): head LF body LF. Sans-I/O: bytes in, frames out. */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/text/symbols.h"

enum { BAO_HEAD_MAX = 1024, BAO_HEAD_KEYS = 32 };

struct bao_head_key {
    struct bao_str name; /* without '!' */
    struct bao_str value; /* percent-decoded */
    bool must;
};

/* A parsed head. Texts point into its own store, valid until the next head is parsed into it. */
struct bao_head {
    struct bao_str verb;
    uint32_t txn;
    uint64_t len;
    struct bao_head_key keys[BAO_HEAD_KEYS];
    size_t n_keys;
    char store[BAO_HEAD_MAX + 1];
};

/* Parses one head line (no LF; one CR at the end is tolerated): BAO_SYM_NONE, or FRAME. */
enum bao_symbol bao_head_parse(struct bao_head *head, struct bao_str line);
/* The value of a key; .p NULL when absent. */
struct bao_str bao_head_get(const struct bao_head *head, const char *name);
/* The key's whole value as a decimal number within max: true. */
bool bao_head_number(const struct bao_head *head, const char *name, uint64_t max, uint64_t *ret);
/* Appends ' key=value', percent-encoding what must be. */
int bao_head_put(struct bao_buf *out, const char *key, struct bao_str value) BAO_MUST_CHECK;
