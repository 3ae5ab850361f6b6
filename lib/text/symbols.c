#include "lib/text/symbols.h"

#define X(name_, answer_, http_, vi_, en_) {#name_, answer_, http_, {vi_, en_}},
static const struct bao_symbol_info symbols[] = {{"", BAO_OK, 200, {"", ""}}, BAO_SYMBOLS(X)};
#undef X

const struct bao_symbol_info *bao_symbol_info(enum bao_symbol symbol)
{
    bao_require((size_t)symbol < BAO_COUNT(symbols));
    return &symbols[symbol];
}

enum bao_symbol bao_symbol_of(struct bao_str name)
{
    for (size_t i = 1; i < BAO_COUNT(symbols); i++)
        if (bao_str_is(name, symbols[i].name))
            return (enum bao_symbol)i;
    return BAO_SYM_NONE;
}
