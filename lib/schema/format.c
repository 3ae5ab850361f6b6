#include "lib/schema/format.h"

#include "lib/schema/hostname.h"
#include "lib/schema/regex.h"

/* What is left to read. */
struct text {
    const char *p, *end;
};

/* What an ASCII character may be, as bits; nothing above ASCII is any of it. */
enum {
    DIGIT = 1,
    HEX = 2,
    LETTER = 4,
    ATEXT = 8 /* RFC 5321, with the dot */,
    PLAIN = 16, /* RFC 3986: unreserved, sub-delims */
    COLON = 32,
    PATH_MARK = 64, /* @ / */
    QUESTION = 128
};

static const uint8_t classes[256] = {
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,   0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
    0,  0,  0,  0,  0,  0,  0,  24, 0,  8,  24, 8,   24, 24, 16, 16, 24, 24, 16, 24, 24, 72, 27, 27, 27, 27,
    27, 27, 27, 27, 27, 27, 32, 16, 0,  24, 0,  136, 64, 30, 30, 30, 30, 30, 30, 28, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,  28, 0,  0,  0,  8,  24, 8,  30, 30, 30, 30, 30, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,  28, 28, 28, 28, 28, 28, 28, 8,  8,  8,  24, 0,
};

static inline bool is(char c, int class)
{
    return (classes[(uint8_t)c] & class) != 0;
}

static inline bool is_digit(char c)
{
    return is(c, DIGIT);
}

static inline bool is_letter(char c)
{
    return is(c, LETTER);
}

static inline bool is_hex(char c)
{
    return is(c, HEX);
}

static bool eat(struct text *t, char c)
{
    if (t->p == t->end || *t->p != c)
        return false;
    t->p++;
    return true;
}

static bool at_end(const struct text *t)
{
    return t->p == t->end;
}

static struct bao_str left(const struct text *t)
{
    return (struct bao_str){t->p, (size_t)(t->end - t->p)};
}

/* Exactly n digits. */
static bool take_digits(struct text *t, int n, int *ret)
{
    int value = 0;

    if (t->end - t->p < n)
        return false;
    for (int i = 0; i < n; i++) {
        if (!is_digit(t->p[i]))
            return false;
        value = value * 10 + (t->p[i] - '0');
    }
    t->p += n;
    *ret = value;
    return true;
}

static size_t skip_digits(struct text *t)
{
    const char *start = t->p;

    while (t->p < t->end && is_digit(*t->p))
        t->p++;
    return (size_t)(t->p - start);
}

/* ---- dates and times: RFC 3339 ---- */

/* Octets of one word that are no digits: their top bit is set. */
static uint64_t not_digits(uint64_t w)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t low = w & 0x7f * each;

    /* Nothing carries over: below '0' the first sum stays under 128, above '9' the second does not. */
    return (~(low + (0x80 - '0') * each) | (low + (0x7f - '9') * each) | w) & 0x80 * each;
}

/* The same for hexadecimal digits. */
static uint64_t not_hex(uint64_t w)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t low = (w | 0x20 * each) & 0x7f * each;
    uint64_t no_letter = ~(low + (0x80 - 'a') * each) | (low + (0x7f - 'f') * each) | w;

    return not_digits(w) & no_letter & 0x80 * each;
}

static bool take_date(struct text *t)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    char digits[8];
    uint64_t w;

    if (t->end - t->p < 10 || t->p[4] != '-' || t->p[7] != '-')
        return false;
    memcpy(digits, t->p, 4);
    memcpy(digits + 4, t->p + 5, 2);
    memcpy(digits + 6, t->p + 8, 2);
    memcpy(&w, digits, sizeof(w));
    if (not_digits(w) != 0)
        return false;
    year = (digits[0] - '0') * 1000 + (digits[1] - '0') * 100 + (digits[2] - '0') * 10 + digits[3] - '0';
    month = (digits[4] - '0') * 10 + digits[5] - '0';
    day = (digits[6] - '0') * 10 + digits[7] - '0';
    t->p += 10;
    if (month < 1 || month > 12 || day < 1)
        return false;
    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
        return day <= 29;
    return day <= days[month - 1];
}

/* The offset in minutes. */
static bool take_offset(struct text *t, int *ret)
{
    int hour, minute, sign;

    *ret = 0;
    if (eat(t, 'Z') || eat(t, 'z'))
        return true;
    sign = eat(t, '+') ? 1 : eat(t, '-') ? -1 : 0;
    if (sign == 0 || !take_digits(t, 2, &hour) || !eat(t, ':') || !take_digits(t, 2, &minute) || hour > 23 ||
        minute > 59)
        return false;
    *ret = sign * (hour * 60 + minute);
    return true;
}

static bool take_time(struct text *t)
{
    int hour, minute, second, offset;

    if (!take_digits(t, 2, &hour) || !eat(t, ':') || !take_digits(t, 2, &minute) || !eat(t, ':') ||
        !take_digits(t, 2, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (eat(t, '.') && skip_digits(t) == 0)
        return false;
    if (!take_offset(t, &offset))
        return false;
    /* A leap second comes at the end of a UTC day. */
    return second < 60 || (hour * 60 + minute - offset + 2880) % 1440 == 1439;
}

static bool is_date(struct text t)
{
    return take_date(&t) && at_end(&t);
}

static bool is_time(struct text t)
{
    return take_time(&t) && at_end(&t);
}

static bool is_date_time(struct text t)
{
    return take_date(&t) && (eat(&t, 'T') || eat(&t, 't')) && take_time(&t) && at_end(&t);
}

/* Parts with units out of `units`, in order and without a gap: at least one, unless none may be there. */
static bool take_parts(struct text *t, const char *units, bool *ret_any)
{
    const char *last = NULL;

    *ret_any = false;
    while (t->p < t->end && is_digit(*t->p)) {
        const char *unit;

        skip_digits(t);
        if (at_end(t) || *t->p == '\0')
            return false;
        unit = strchr(units, *t->p);
        if (unit == NULL || (last != NULL && unit != last + 1))
            return false;
        last = unit;
        t->p++;
        *ret_any = true;
    }
    return true;
}

/* RFC 3339 appendix A. */
static bool is_duration(struct text t)
{
    struct text week = t;
    bool date, time;

    if (eat(&week, 'P') && skip_digits(&week) != 0 && eat(&week, 'W') && at_end(&week))
        return true;
    if (!eat(&t, 'P') || !take_parts(&t, "YMD", &date))
        return false;
    if (!eat(&t, 'T'))
        return date && at_end(&t);
    return take_parts(&t, "HMS", &time) && time && at_end(&t);
}

/* ---- addresses ---- */

static bool take_ipv4(struct text *t)
{
    for (int i = 0; i < 4; i++) {
        const char *start = t->p;
        size_t n;
        int value = 0;

        if (i != 0 && !eat(t, '.'))
            return false;
        start = t->p;
        n = skip_digits(t);
        if (n == 0 || n > 3 || (n > 1 && *start == '0'))
            return false;
        for (size_t k = 0; k < n; k++)
            value = value * 10 + (start[k] - '0');
        if (value > 255)
            return false;
    }
    return true;
}

static bool is_ipv4(struct text t)
{
    return take_ipv4(&t) && at_end(&t);
}

/* RFC 4291 2.2. */
static bool is_ipv6(struct text t)
{
    int groups = 0;
    bool gap = false;

    if (t.end - t.p >= 2 && t.p[0] == ':' && t.p[1] == ':') {
        gap = true;
        t.p += 2;
    }
    while (!at_end(&t)) {
        struct text four = t;
        int n = 0;

        while (t.p < t.end && is_hex(*t.p) && n <= 4) {
            t.p++;
            n++;
        }
        if (!at_end(&t) && *t.p == '.' && groups <= 6 && is_ipv4(four)) {
            groups += 2;
            break;
        }
        if (n == 0 || n > 4 || ++groups > 8)
            return false;
        if (at_end(&t))
            break;
        if (!eat(&t, ':') || at_end(&t))
            return false;
        if (*t.p == ':') {
            if (gap)
                return false;
            gap = true;
            t.p++;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

static bool is_hostname(struct text t)
{
    return bao_hostname_is(left(&t));
}

/* RFC 5321 4.1.2: Local-part. */
static bool take_local_part(struct text *t)
{
    const char *start = t->p;

    if (eat(t, '"')) {
        while (!at_end(t) && *t->p != '"') {
            if (eat(t, '\\') && at_end(t))
                return false;
            if (*t->p < 32 || *t->p > 126)
                return false;
            t->p++;
        }
        return eat(t, '"') && t->p - start <= 64;
    }
    for (; !at_end(t) && *t->p != '@'; t->p++) {
        char c = *t->p;

        if (c == '.' && (t->p == start || t->p[-1] == '.'))
            return false;
        if (!is(c, ATEXT))
            return false;
    }
    return t->p > start && t->p[-1] != '.' && t->p - start <= 64;
}

static bool is_email(struct text t)
{
    static const char ipv6[] = "IPv6:";

    if (!take_local_part(&t) || !eat(&t, '@'))
        return false;
    if (!eat(&t, '['))
        return is_hostname(t);
    if (at_end(&t) || t.end[-1] != ']')
        return false;
    t.end--;
    if ((size_t)(t.end - t.p) > sizeof(ipv6) - 1 && memcmp(t.p, ipv6, sizeof(ipv6) - 1) == 0) {
        t.p += sizeof(ipv6) - 1;
        return is_ipv6(t);
    }
    return is_ipv4(t);
}

/* ---- URIs: RFC 3986, and RFC 3987 where `wide` ---- */

enum where { IN_USER, IN_HOST, IN_PATH, IN_QUERY, IN_FRAGMENT };

/* RFC 3987 ucschar, and in a query iprivate. */
static bool is_wide(uint32_t c, enum where where)
{
    if (c >= 0xe000 && c <= 0xf8ff)
        return where == IN_QUERY;
    if (c >= 0xf0000)
        return where == IN_QUERY && (c & 0xffff) <= 0xfffd;
    return c >= 0xa0 && (c & 0xffff) <= 0xfffd && !(c >= 0xfdd0 && c <= 0xfdef) &&
           !(c >= 0xfff0 && c <= 0xffff) && !(c >= 0xd800 && c <= 0xdfff) && !(c >= 0xe0000 && c < 0xe1000);
}

static bool take_wide(struct text *t, enum where where)
{
    uint8_t lead = (uint8_t)*t->p;
    int n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    uint32_t c = lead & (0x7fu >> n);

    if (lead < 0xc0 || t->end - t->p < n)
        return false;
    for (int i = 1; i < n; i++)
        c = c << 6 | ((uint8_t)t->p[i] & 63);
    t->p += n;
    return is_wide(c, where);
}

static bool take_percent(struct text *t)
{
    if (t->end - t->p < 3 || !is_hex(t->p[1]) || !is_hex(t->p[2]))
        return false;
    t->p += 3;
    return true;
}

/* Characters of a part up to its end or a stopper; false at one that may not stand there. */
static bool take_part(struct text *t, enum where where, const char *stop, bool wide)
{
    static const uint8_t good[] = {[IN_USER] = PLAIN | COLON,
                                   [IN_HOST] = PLAIN,
                                   [IN_PATH] = PLAIN | COLON | PATH_MARK,
                                   [IN_QUERY] = PLAIN | COLON | PATH_MARK | QUESTION,
                                   [IN_FRAGMENT] = PLAIN | COLON | PATH_MARK | QUESTION};

    for (;;) {
        char c;

        while (!at_end(t) && is(*t->p, good[where]))
            t->p++;
        if (at_end(t))
            return true;
        c = *t->p;
        for (const char *s = stop; *s != '\0'; s++)
            if (*s == c)
                return true;
        if (c == '%') {
            if (!take_percent(t))
                return false;
        } else if ((uint8_t)c >= 0x80) {
            if (!wide || !take_wide(t, where))
                return false;
        } else {
            return false;
        }
    }
}

/* IPvFuture or IPv6 between brackets. */
static bool is_bracketed(struct text t)
{
    if (!eat(&t, 'v') && !eat(&t, 'V'))
        return is_ipv6(t);
    if (at_end(&t) || !is_hex(*t.p))
        return false;
    while (!at_end(&t) && is_hex(*t.p))
        t.p++;
    return eat(&t, '.') && !at_end(&t) && take_part(&t, IN_USER, "", false);
}

static bool take_authority(struct text *t, bool wide)
{
    struct text user = *t;

    if (take_part(&user, IN_USER, "@/?#", wide) && !at_end(&user) && *user.p == '@') {
        *t = user;
        t->p++;
    }
    if (eat(t, '[')) {
        const char *close = memchr(t->p, ']', (size_t)(t->end - t->p));

        if (close == NULL || !is_bracketed((struct text){t->p, close}))
            return false;
        t->p = close + 1;
    } else if (!take_part(t, IN_HOST, ":/?#", wide)) {
        return false;
    }
    if (eat(t, ':'))
        skip_digits(t);
    return at_end(t) || *t->p == '/' || *t->p == '?' || *t->p == '#';
}

/* The scheme with its colon; false (and nothing taken) when there is none. */
static bool take_scheme(struct text *t)
{
    const char *p = t->p;

    if (p == t->end || !is_letter(*p))
        return false;
    while (p < t->end && (is_letter(*p) || is_digit(*p) || *p == '+' || *p == '-' || *p == '.'))
        p++;
    if (p == t->end || *p != ':')
        return false;
    t->p = p + 1;
    return true;
}

static bool is_reference(struct text t, bool absolute, bool wide)
{
    bool scheme = take_scheme(&t);

    if (absolute && !scheme)
        return false;
    if (t.end - t.p >= 2 && t.p[0] == '/' && t.p[1] == '/') {
        t.p += 2;
        if (!take_authority(&t, wide))
            return false;
    } else if (!scheme) {
        /* Without a scheme the first segment may hold no colon. */
        for (const char *p = t.p; p < t.end && *p != '/' && *p != '?' && *p != '#'; p++)
            if (*p == ':')
                return false;
    }
    if (!take_part(&t, IN_PATH, "?#", wide))
        return false;
    if (eat(&t, '?') && !take_part(&t, IN_QUERY, "#", wide))
        return false;
    if (eat(&t, '#') && !take_part(&t, IN_FRAGMENT, "", wide))
        return false;
    return at_end(&t);
}

static bool is_uri(struct text t)
{
    return is_reference(t, true, false);
}

static bool is_uri_reference(struct text t)
{
    return is_reference(t, false, false);
}

static bool is_iri(struct text t)
{
    return is_reference(t, true, true);
}

static bool is_iri_reference(struct text t)
{
    return is_reference(t, false, true);
}

/* ---- URI templates: RFC 6570 2 ---- */

static bool take_variable(struct text *t)
{
    bool any = false;

    for (;; any = true) {
        if (!at_end(t) && *t->p == '%') {
            if (!take_percent(t))
                return false;
        } else if (!at_end(t) && (is_letter(*t->p) || is_digit(*t->p) || *t->p == '_')) {
            t->p++;
        } else if (any && !at_end(t) && *t->p == '.' && t->p[-1] != '.') {
            t->p++;
        } else {
            break;
        }
    }
    if (!any || t->p[-1] == '.')
        return false;
    if (eat(t, ':')) {
        const char *start = t->p;
        size_t n = skip_digits(t);

        return n >= 1 && n <= 4 && *start != '0';
    }
    (void)eat(t, '*'); /* may be there */
    return true;
}

static bool take_expression(struct text *t)
{
    if (!at_end(t) && *t->p != '\0' && strchr("+#./;?&=,!@|", *t->p) != NULL) {
        if (strchr("=,!@|", *t->p) != NULL)
            return false; /* kept for later by the RFC */
        t->p++;
    }
    do {
        if (!take_variable(t))
            return false;
    } while (eat(t, ','));
    return eat(t, '}');
}

static bool is_uri_template(struct text t)
{
    while (!at_end(&t)) {
        char c = *t.p;

        if (c == '{') {
            t.p++;
            if (!take_expression(&t))
                return false;
        } else if (c == '%') {
            if (!take_percent(&t))
                return false;
        } else if ((uint8_t)c >= 0x80) {
            if (!take_wide(&t, IN_QUERY))
                return false;
        } else if (c <= ' ' || c == 0x7f || strchr("\"<>\\^`|}", c) != NULL) {
            return false;
        } else {
            t.p++;
        }
    }
    return true;
}

/* ---- the rest ---- */

static bool is_uuid(struct text t)
{
    char hex[32];
    uint64_t w[4], bad = 0;

    if (t.end - t.p != 36 || t.p[8] != '-' || t.p[13] != '-' || t.p[18] != '-' || t.p[23] != '-')
        return false;
    memcpy(hex, t.p, 8);
    memcpy(hex + 8, t.p + 9, 4);
    memcpy(hex + 12, t.p + 14, 4);
    memcpy(hex + 16, t.p + 19, 4);
    memcpy(hex + 20, t.p + 24, 12);
    memcpy(w, hex, sizeof(w));
    for (int i = 0; i < 4; i++)
        bad |= not_hex(w[i]);
    return bad == 0;
}

/* RFC 6901. */
static bool is_json_pointer(struct text t)
{
    if (at_end(&t))
        return true;
    if (*t.p != '/')
        return false;
    for (; t.p < t.end; t.p++)
        if (*t.p == '~' && (t.p + 1 == t.end || (t.p[1] != '0' && t.p[1] != '1')))
            return false;
    return true;
}

static bool is_relative_json_pointer(struct text t)
{
    const char *start = t.p;
    size_t n = skip_digits(&t);

    if (n == 0 || (n > 1 && *start == '0'))
        return false;
    if (eat(&t, '#'))
        return at_end(&t);
    return is_json_pointer(t);
}

static bool is_regex(struct text t)
{
    size_t at;

    return bao_regex_check(left(&t), &at) == 0;
}

static const struct {
    const char *name;
    bool (*is)(struct text t);
} formats[BAO_FMT_COUNT] = {
    [BAO_FMT_DATE_TIME] = {"date-time", is_date_time},
    [BAO_FMT_DATE] = {"date", is_date},
    [BAO_FMT_TIME] = {"time", is_time},
    [BAO_FMT_DURATION] = {"duration", is_duration},
    [BAO_FMT_EMAIL] = {"email", is_email},
    [BAO_FMT_HOSTNAME] = {"hostname", is_hostname},
    [BAO_FMT_IPV4] = {"ipv4", is_ipv4},
    [BAO_FMT_IPV6] = {"ipv6", is_ipv6},
    [BAO_FMT_URI] = {"uri", is_uri},
    [BAO_FMT_URI_REFERENCE] = {"uri-reference", is_uri_reference},
    [BAO_FMT_URI_TEMPLATE] = {"uri-template", is_uri_template},
    [BAO_FMT_IRI] = {"iri", is_iri},
    [BAO_FMT_IRI_REFERENCE] = {"iri-reference", is_iri_reference},
    [BAO_FMT_UUID] = {"uuid", is_uuid},
    [BAO_FMT_JSON_POINTER] = {"json-pointer", is_json_pointer},
    [BAO_FMT_RELATIVE_JSON_POINTER] = {"relative-json-pointer", is_relative_json_pointer},
    [BAO_FMT_REGEX] = {"regex", is_regex},
};

enum bao_format bao_format_of(struct bao_str name)
{
    for (int i = 1; i < BAO_FMT_COUNT; i++)
        if (bao_str_is(name, formats[i].name))
            return (enum bao_format)i;
    return BAO_FMT_NONE;
}

const char *bao_format_name(enum bao_format format)
{
    return format == BAO_FMT_NONE ? "" : formats[format].name;
}

bool bao_format_is(enum bao_format format, struct bao_str text)
{
    const char *p = text.n == 0 ? "" : text.p;

    return formats[format].is == NULL || formats[format].is((struct text){p, p + text.n});
}
