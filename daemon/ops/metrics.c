#include "daemon/ops/metrics.h"

#include <inttypes.h>

int baod_metrics_print(struct bao_buf *out, const struct baod_metric *metrics, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct baod_metric *m = &metrics[i];

        r = bao_buf_printf(out, "# HELP baocaod_%s %s\n# TYPE baocaod_%s %s\nbaocaod_%s %" PRId64 "\n",
                           m->name, m->help, m->name, m->rises ? "counter" : "gauge", m->name, m->value);
    }
    return r;
}
