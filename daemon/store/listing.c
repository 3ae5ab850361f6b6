#include "daemon/store/listing.h"

int baod_listing_json(const struct baod_listing *listing, const struct baod_pg_result *res,
                      struct bao_buf *out)
{
    int r = bao_buf_append_c(out, "[");

    for (size_t row = 0; row < baod_pg_rows(res) && r == 0; row++) {
        r = bao_buf_append_c(out, row == 0 ? "\n{" : ",\n{");
        for (size_t i = 0; i < listing->n && r == 0; i++) {
            r = bao_buf_printf(out, "%s\"%s\":", i == 0 ? "" : ",", listing->names[i]);
            if (r == 0)
                r = listing->put(res, row, i, listing->offset, out);
        }
        if (r == 0)
            r = bao_buf_append_c(out, "}");
    }
    return r < 0 ? r : bao_buf_append_c(out, "\n]\n");
}
