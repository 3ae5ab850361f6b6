/* The formats of draft 2020-12 (all but idn-email and idn-hostname, which only annotate). Judged by
 * hand-written readers after the RFC each names. */
#pragma once

#include "lib/base/str.h"

/* X(identifier, name) */
#define BAO_FORMATS(X)                                                                                       \
    X(DATE_TIME, "date-time")                                                                                \
    X(DATE, "date")                                                                                          \
    X(TIME, "time")                                                                                          \
    X(DURATION, "duration")                                                                                  \
    X(EMAIL, "email")                                                                                        \
    X(HOSTNAME, "hostname")                                                                                  \
    X(IPV4, "ipv4")                                                                                          \
    X(IPV6, "ipv6")                                                                                          \
    X(URI, "uri")                                                                                            \
    X(URI_REFERENCE, "uri-reference")                                                                        \
    X(URI_TEMPLATE, "uri-template")                                                                          \
    X(IRI, "iri")                                                                                            \
    X(IRI_REFERENCE, "iri-reference")                                                                        \
    X(UUID, "uuid")                                                                                          \
    X(JSON_POINTER, "json-pointer")                                                                          \
    X(RELATIVE_JSON_POINTER, "relative-json-pointer")                                                        \
    X(REGEX, "regex")

enum bao_format {
    BAO_FMT_NONE,
#define X(id, name) BAO_FMT_##id,
    BAO_FORMATS(X)
#undef X
        BAO_FMT_COUNT
};

/* The format of a name, or BAO_FMT_NONE. */
enum bao_format bao_format_of(struct bao_str name);
/* "date" etc.; "" for BAO_FMT_NONE. */
const char *bao_format_name(enum bao_format format);
/* Does the text (valid UTF-8) have that form? */
bool bao_format_is(enum bao_format format, struct bao_str text);
