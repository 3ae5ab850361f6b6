/* Figures of this moment in the text format that Prometheus reads. */
#pragma once

#include "lib/base/buf.h"

#include <stdint.h>

struct baod_metric {
    const char *name; /* without the baocaod_ that begins all of them; a counter's ends in _total */
    const char *help; /* one line: what it counts, and when to worry */
    bool rises;       /* a counter, since the start; else a gauge */
    int64_t value;
};

/* 0 or <0. */
int baod_metrics_print(struct bao_buf *out, const struct baod_metric *metrics, size_t n) BAO_MUST_CHECK;
