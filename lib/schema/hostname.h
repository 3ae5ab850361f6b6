/* Host names: RFC 1123 labels, and the A-labels (xn--…) of RFC 5890 decoded and judged by RFC 5892. */
#pragma once

#include "lib/base/str.h"

/* Is it a host name of at most 253 octets? */
bool bao_hostname_is(struct bao_str name);
