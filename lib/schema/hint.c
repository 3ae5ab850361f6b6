#include "lib/schema/hint.h"

#include "lib/base/utf8.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct bao_str trim(struct bao_str s)
{
    while (s.n != 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\n'))
        s = (struct bao_str){s.p + 1, s.n - 1};
    while (s.n != 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\n'))
        s.n--;
    return s;
}

/* ---- signs that word processors, spreadsheets and web pages put in ---- */

static const struct {
    uint32_t from, to;
    char plain; /* '0': the sign's place among the digits counts; NUL: drop it */
} signs[] = {
    {0x00a0, 0x00a0, ' '},  {0x00ab, 0x00ab, '\0'}, {0x00bb, 0x00bb, '\0'}, {0x2000, 0x200a, ' '},
    {0x200b, 0x200f, '\0'}, {0x2010, 0x2015, '-'},  {0x2018, 0x201f, '\0'}, {0x202f, 0x202f, ' '},
    {0x2060, 0x2060, '\0'}, {0x2212, 0x2212, '-'},  {0x3000, 0x3000, ' '},  {0xfeff, 0xfeff, '\0'},
    {0xff05, 0xff05, '%'},  {0xff0c, 0xff0c, ','},  {0xff0d, 0xff0d, '-'},  {0xff0e, 0xff0e, '.'},
    {0xff10, 0xff19, '0'},
};

/* The text with the plain signs; itself when it has none of those. */
static struct bao_str plain(struct bao_arena *a, struct bao_str s)
{
    char *p = NULL;
    size_t n = 0;

    for (size_t i = 0, step; i < s.n; i += step) {
        uint32_t c;
        size_t k = 0;

        step = bao_utf8_get(s.p + i, s.p + s.n, &c);
        while (k < BAO_COUNT(signs) && (c < signs[k].from || c > signs[k].to))
            k++;
        if (k != BAO_COUNT(signs) && p == NULL) {
            p = bao_arena_alloc(a, s.n);
            if (p == NULL)
                return s;
            memcpy(p, s.p, n);
        }
        if (k == BAO_COUNT(signs)) {
            if (p != NULL)
                memcpy(p + n, s.p + i, step);
            n += step;
        } else if (signs[k].plain != '\0') {
            p[n++] = (char)(signs[k].plain == '0' ? '0' + (char)(c - signs[k].from) : signs[k].plain);
        }
    }
    return p == NULL ? s : (struct bao_str){p, n};
}

/* ---- numbers ---- */

/* A number as people write it: sign, runs of digits, the marks between them. */
struct figure {
    struct bao_str sign;
    struct bao_str runs[12];
    char marks[12]; /* before each run but the first */
    size_t n;
    size_t length; /* octets read */
};

static void read_figure(struct bao_str s, struct figure *f)
{
    size_t i = s.n != 0 && (s.p[0] == '-' || s.p[0] == '+');

    *f = (struct figure){.sign = {s.p, i != 0 && s.p[0] == '-'}};
    while (f->n < BAO_COUNT(f->runs)) {
        size_t start = i;

        while (i < s.n && is_digit(s.p[i]))
            i++;
        if (i == start)
            break;
        f->runs[f->n++] = (struct bao_str){s.p + start, i - start};
        f->length = i;
        if (i + 1 >= s.n || (s.p[i] != '.' && s.p[i] != ',' && s.p[i] != ' ') || !is_digit(s.p[i + 1]))
            break;
        if (f->n < BAO_COUNT(f->runs))
            f->marks[f->n] = s.p[i];
        i++;
    }
}

/* Do the runs from 1 to below `to` look like groups of thousands behind one and the same mark? */
static bool are_groups(const struct figure *f, size_t to)
{
    if (f->runs[0].n > 3 || f->runs[0].p[0] == '0')
        return false;
    for (size_t i = 1; i < to; i++)
        if (f->runs[i].n != 3 || f->marks[i] != f->marks[1])
            return false;
    return to > 1;
}

/* The runs from 0 to below `whole` together, then the rest after a point. */
static struct bao_str join(struct bao_arena *a, const struct figure *f, size_t whole)
{
    size_t n = 0;
    char *p = bao_arena_alloc(a, f->length + 3);

    if (p == NULL)
        return BAO_STR_NULL;
    if (f->sign.n != 0)
        p[n++] = '-';
    for (size_t i = 0; i < f->n; i++) {
        if (i == whole)
            p[n++] = '.';
        memcpy(p + n, f->runs[i].p, f->runs[i].n);
        n += f->runs[i].n;
    }
    p[n] = '\0';
    return (struct bao_str){p, n};
}

static enum bao_hint read_number(struct bao_arena *a, const struct figure *f, struct bao_str *ret,
                                 struct bao_str *ret_other)
{
    if (f->n == 1) {
        *ret = join(a, f, 1);
        return BAO_HINT_NUMBER;
    }
    if (f->n == 2 && are_groups(f, 2) && f->marks[1] != ' ') {
        *ret = join(a, f, 2);
        *ret_other = join(a, f, 1);
        return BAO_HINT_AMBIGUOUS;
    }
    if (are_groups(f, f->n)) {
        *ret = join(a, f, f->n);
        return BAO_HINT_GROUPS;
    }
    if (f->n > 2 && are_groups(f, f->n - 1) && f->marks[f->n - 1] != f->marks[1] &&
        f->marks[f->n - 1] != ' ') {
        *ret = join(a, f, f->n - 1);
        return BAO_HINT_GROUPS;
    }
    if (f->n == 2 && f->marks[1] != ' ') {
        *ret = join(a, f, 1);
        return f->marks[1] == ',' ? BAO_HINT_COMMA : BAO_HINT_NUMBER;
    }
    return BAO_HINT_NONE;
}

enum bao_hint bao_hint_number(struct bao_arena *a, struct bao_str text, struct bao_str *ret,
                              struct bao_str *ret_other)
{
    struct bao_str typed = trim(text), s = trim(plain(a, typed)), rest;
    struct figure f;
    enum bao_hint hint;

    read_figure(s, &f);
    if (f.n == 0)
        return BAO_HINT_NONE;
    rest = trim((struct bao_str){s.p + f.length, s.n - f.length});
    hint = read_number(a, &f, ret, ret_other);
    if (hint == BAO_HINT_NONE || ret->p == NULL)
        return BAO_HINT_NONE;
    if (bao_str_is(rest, "%"))
        return BAO_HINT_PERCENT;
    if (rest.n == 0)
        return hint == BAO_HINT_NUMBER && s.p != typed.p ? BAO_HINT_SIGNS : hint;
    /* Words after the number are its unit; anything else is no number at all. */
    return (uint8_t)rest.p[0] >= 0x80 || (rest.p[0] | 32) >= 'a' ? BAO_HINT_UNIT : BAO_HINT_NONE;
}

/* ---- dates ---- */

static int value_of(struct bao_str run)
{
    int value = 0;

    for (size_t i = 0; i < run.n && i < 9; i++)
        value = value * 10 + (run.p[i] - '0');
    return value;
}

static int days_in(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : days[month - 1];
}

/* Three numbers with only marks, or the words for day, month and year, between them. */
static size_t read_runs(struct bao_str s, struct bao_str runs[3])
{
    size_t n = 0;

    for (size_t i = 0; i < s.n;) {
        size_t start = i;

        if (!is_digit(s.p[i])) {
            i++;
            continue;
        }
        while (i < s.n && is_digit(s.p[i]))
            i++;
        if (n == 3)
            return 0;
        runs[n++] = (struct bao_str){s.p + start, i - start};
    }
    return n;
}

static bool is_date_filler(struct bao_str s)
{
    static const char *const words[] = {"ngay", "thang", "nam"};

    for (size_t i = 0; i < s.n;) {
        bool known = is_digit(s.p[i]) || strchr("/-._ ,", s.p[i]) != NULL;
        size_t step = 1;

        for (size_t w = 0; !known && w < BAO_COUNT(words); w++) {
            step = strlen(words[w]);
            known = s.n - i >= step && memcmp(s.p + i, words[w], step) == 0;
        }
        if (!known)
            return false;
        i += step;
    }
    return true;
}

bool bao_hint_date(struct bao_arena *a, struct bao_str text, struct bao_str *ret, bool *ret_impossible)
{
    struct bao_str s = trim(text), runs[3], folded;
    int year, month, day;
    size_t n;

    *ret_impossible = false;
    if (s.n == 0 || s.n > 64)
        return false;
    folded = bao_utf8_fold(a, s);
    if (folded.p == NULL || !is_date_filler(folded))
        return false;
    n = read_runs(folded, runs);
    if (n == 1 && runs[0].n == 8) {
        runs[2] = (struct bao_str){runs[0].p + 6, 2};
        runs[1] = (struct bao_str){runs[0].p + 4, 2};
        runs[0].n = 4;
        n = 3;
    }
    if (n != 3 || runs[1].n > 2)
        return false;
    if (runs[0].n == 4 && runs[2].n <= 2) {
        year = value_of(runs[0]);
        day = value_of(runs[2]);
    } else if (runs[2].n == 4 && runs[0].n <= 2) {
        year = value_of(runs[2]);
        day = value_of(runs[0]);
    } else {
        return false;
    }
    month = value_of(runs[1]);
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month)) {
        *ret_impossible = true;
        return false;
    }
    *ret = bao_arena_printf(a, "%04d-%02d-%02d", year, month, day);
    return ret->p != NULL;
}

/* ---- yes and no ---- */

int bao_hint_bool(struct bao_arena *a, struct bao_str text)
{
    static const struct {
        const char *word;
        int value;
    } words[] = {{"co", 1},  {"yes", 1}, {"y", 1},     {"dung", 1}, {"true", 1},  {"x", 1},
                 {"roi", 1}, {"on", 1},  {"da", 1},    {"1", 1},    {"khong", 0}, {"no", 0},
                 {"n", 0},   {"sai", 0}, {"false", 0}, {"chua", 0}, {"off", 0},   {"0", 0}};
    struct bao_str folded = bao_utf8_fold(a, trim(text));

    for (size_t i = 0; folded.p != NULL && i < BAO_COUNT(words); i++)
        if (bao_str_is(folded, words[i].word))
            return words[i].value;
    return -1;
}
