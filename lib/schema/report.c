/* The reporting pass: what is wrong, for people. */
#include "lib/schema/program.h"

int bao_schema_report(const struct bao_schema *schema, struct bao_schema_scratch *scratch,
                      const struct bao_node *value, struct bao_schema_at at, struct bao_findings *findings)
{
    struct bao_finding *f;
    int r;

    bao_run_start(scratch);
    r = bao_run_sub(scratch, schema->root, value);
    if (r == 1)
        return 0;
    f = bao_findings_add(findings, r < 0 ? BAO_BC_TOO_COSTLY : BAO_BC_NO_FIT, BAO_ERROR, bao_node_place(value));
    if (f != NULL)
        f->pointer = at.pointer;
    return 0;
}
