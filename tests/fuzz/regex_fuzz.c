/* A pattern, a line end, a text. Whatever compiles must match or not in bounded time; what the check takes
 * and the compiler refuses is only what is named unsupported. */
#include "lib/base/utf8.h"
#include "lib/schema/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bao_str all = {(const char *)data, size}, pattern = all, text = BAO_STR_NULL;
    const char *gap = size == 0 ? NULL : memchr(data, '\n', size);
    struct bao_regex_scratch *scratch = bao_regex_scratch_new();
    struct bao_regex *regex = NULL;
    size_t at = 0, where = 0;
    int checked, r;

    if (gap != NULL) {
        pattern.n = (size_t)(gap - all.p);
        text = (struct bao_str){gap + 1, size - pattern.n - 1};
    }
    if (scratch != NULL && bao_utf8_valid(all) == all.n) {
        checked = bao_regex_check(pattern, &at);
        r = bao_regex_compile(pattern, &where, &regex);
        bao_require(at <= pattern.n && where <= pattern.n);
        bao_require(r != 0 || checked == 0);
        bao_require(checked != BAO_REGEX_E_SYNTAX || r == BAO_REGEX_E_SYNTAX);
        if (r == 0) {
            r = bao_regex_match(regex, scratch, text);
            bao_require(r <= 1);
        }
    }
    bao_regex_free(regex);
    bao_regex_scratch_free(scratch);
    return 0;
}
