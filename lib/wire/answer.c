#include "lib/wire/answer.h"

#include "lib/base/crypto.h"
#include "lib/base/digits.h"
#include "lib/doc/tree.h"

void bao_uuid_print(const uint8_t id[16], char ret[BAO_UUID_LEN + 1])
{
    char hex[33];
    static const uint8_t ends[] = {8, 12, 16, 20, 32}; /* hex digits before each dash, and all of them */
    size_t from = 0, at = 0;

    bao_hex(id, 16, hex);
    for (size_t i = 0; i < BAO_COUNT(ends); i++) {
        if (i != 0)
            ret[at++] = '-';
        memcpy(ret + at, hex + from, ends[i] - from);
        at += ends[i] - from;
        from = ends[i];
    }
    ret[at] = '\0';
}

bool bao_uuid_parse(struct bao_str s, uint8_t ret[16])
{
    char hex[32];
    size_t n = 0;

    if (s.n != BAO_UUID_LEN)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (s.p[i] != '-')
                return false;
        } else {
            hex[n++] = s.p[i];
        }
    }
    return bao_unhex((struct bao_str){hex, n}, ret, 16);
}

/* The receipt as name and value pairs, once for both spellings. */
enum { RECEIPT_FIELDS = 14 };

struct field {
    const char *name;
    struct bao_str value;
    bool number; /* stands bare in JSON */
};

enum { NUMBER = BAO_DIGITS_MAX + 2 };

struct receipt_store {
    char id[BAO_UUID_LEN + 1], at[40], content[65], sha256[65], revision[NUMBER], version[NUMBER],
        chain[NUMBER];
};

static void print_number(int64_t n, char ret[NUMBER])
{
    if (n < 0)
        *ret++ = '-';
    *bao_digits_put(ret, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 1) = '\0';
}

static size_t receipt_fields(const struct bao_receipt_text *r, struct receipt_store *store,
                             struct field ret[RECEIPT_FIELDS])
{
    size_t n = 0;

    bao_uuid_print(r->id, store->id);
    bao_time_print(r->at, r->offset, store->at);
    bao_hex(r->content, sizeof(r->content), store->content);
    bao_hex(r->sha256, sizeof(r->sha256), store->sha256);
    print_number(r->revision, store->revision);
    print_number(r->form_version, store->version);
    print_number(r->chain, store->chain);
    ret[n++] = (struct field){"state", bao_str_c(r->state), false};
    ret[n++] = (struct field){"receipt", bao_str_c(store->id), false};
    ret[n++] = (struct field){"form", r->form, false};
    ret[n++] = (struct field){"unit", r->unit, false};
    ret[n++] = (struct field){"period", r->period, false};
    ret[n++] = (struct field){"rev", bao_str_c(store->revision), true};
    ret[n++] = (struct field){"at", bao_str_c(store->at), false};
    ret[n++] = (struct field){"due", bao_str_c(r->due), false};
    ret[n++] = (struct field){"form_version", bao_str_c(store->version), true};
    ret[n++] = (struct field){"content", bao_str_c(store->content), false};
    ret[n++] = (struct field){"sha256", bao_str_c(store->sha256), false};
    ret[n++] = (struct field){"dup", r->dup ? BAO_STR("1") : BAO_STR("0"), true};
    ret[n++] = (struct field){"dur", bao_str_c(r->dur), false};
    if (r->chain != 0)
        ret[n++] = (struct field){"chain", bao_str_c(store->chain), true};
    return n;
}

int bao_receipt_put(struct bao_buf *out, const struct bao_receipt_text *r)
{
    struct receipt_store store;
    struct field fields[RECEIPT_FIELDS];
    size_t n = receipt_fields(r, &store, fields);

    for (size_t i = 0; i < n; i++) {
        int e = bao_head_put(out, fields[i].name, fields[i].value);

        if (e < 0)
            return e;
    }
    return 0;
}

int bao_receipt_json(struct bao_buf *out, const struct bao_receipt_text *r)
{
    struct receipt_store store;
    struct field fields[RECEIPT_FIELDS];
    size_t n = receipt_fields(r, &store, fields);
    const char *comma = "";

    for (size_t i = 0; i < n; i++) {
        int e;

        if (fields[i].value.n == 0)
            continue;
        e = bao_buf_printf(out, "%s\"%s\":", comma, fields[i].name);
        if (e == 0)
            e = fields[i].number ? bao_buf_append_str(out, fields[i].value)
                                 : bao_json_quote(out, fields[i].value);
        if (e < 0)
            return e;
        comma = ",";
    }
    return 0;
}

int bao_symbol_put(struct bao_buf *out, enum bao_symbol symbol, int after_ms)
{
    const struct bao_symbol_info *info = bao_symbol_info(symbol);
    int r = bao_head_put(out, "code", bao_str_c(info->name));

    if (r == 0 && info->answer == BAO_WAIT)
        r = bao_head_put_number(out, "after", after_ms > 0 ? (uint64_t)after_ms : 1000);
    return r;
}

int bao_symbol_body(struct bao_buf *out, enum bao_symbol symbol, const struct bao_str detail[BAO_LANGS],
                    enum bao_lang lang, bool json)
{
    const struct bao_symbol_info *info = bao_symbol_info(symbol);
    struct bao_str said[BAO_LANGS];
    int r;

    for (int i = 0; i < BAO_LANGS; i++)
        said[i] = detail != NULL && detail[i].n != 0 ? detail[i] : bao_str_c(info->sentence[i]);
    if (!json) {
        r = bao_buf_printf(out, "0:0\t%s\t\t", info->name);
        if (r == 0)
            r = bao_buf_append_str(out, said[lang]);
        return r < 0 ? r : bao_buf_append_c(out, "\n");
    }
    r = bao_buf_printf(
        out, "[{\"code\":\"%s\",\"severity\":\"error\",\"line\":0,\"column\":0,\"message\":", info->name);
    if (r == 0)
        r = bao_json_both(out, said[BAO_VI], said[BAO_EN]);
    return r < 0 ? r : bao_buf_append_c(out, "}]");
}
