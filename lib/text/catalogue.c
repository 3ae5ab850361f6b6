#include "lib/text/catalogue.h"

#include "lib/base/error.h"
#include "lib/base/utf8.h"

enum {
    ARGUMENT_MAX =
        400, /* characters of one argument: a list of allowed values fits, a pasted file does not */
    SENTENCE_MAX = 2000, /* characters of a form's own sentence */
};

#define BAO_MESSAGE(number, name_, vi_, en_, mend_vi_, mend_en_)                                             \
    {.code = (number), .name = #name_, .sentence = {vi_, en_}, .mend = {mend_vi_, mend_en_}},
static const struct bao_message messages[] = {
#include "lib/text/messages_doc.inc"
#include "lib/text/messages_schema.inc"
#include "lib/text/messages_expr.inc"
#include "lib/text/messages_form.inc"
#include "lib/text/messages_province.inc"
#include "lib/text/messages_wire.inc"
#include "lib/text/messages_config.inc"
    {.code = 0},
};
#undef BAO_MESSAGE

#define BAO_MEND_JSON(name_, vi_, en_) {BAO_BC_##name_, {vi_, en_}},
static const struct {
    uint16_t code;
    const char *mend[BAO_LANGS];
} json_mends[] = {
#include "lib/text/messages_json.inc"
};
#undef BAO_MEND_JSON

const struct bao_message *bao_message_at(size_t i)
{
    return i + 1 >= BAO_COUNT(messages) ? NULL : &messages[i];
}

const struct bao_message *bao_message_get(unsigned code)
{
    const struct bao_message *m;

    for (size_t i = 0; (m = bao_message_at(i)) != NULL; i++)
        if (m->code == code)
            return m;
    return NULL;
}

static struct bao_str argument(const struct bao_finding *f, unsigned i, enum bao_lang lang)
{
    if (i >= f->n_args)
        return BAO_STR_NULL;
    return lang == BAO_EN && f->args[i].en.p != NULL ? f->args[i].en : f->args[i].vi;
}

/* Fills {0}..{5}; any other brace stands for itself. */
static int fill(struct bao_buf *out, const char *template, const struct bao_finding *f, enum bao_lang lang)
{
    const char *plain = template, *p = template;
    int r;

    for (; *p != '\0'; p++) {
        if (p[0] != '{' || p[1] < '0' || p[1] >= '0' + BAO_FINDING_ARGS || p[2] != '}')
            continue;
        r = bao_buf_append(out, plain, (size_t)(p - plain));
        if (r == 0)
            r = bao_utf8_escape(out, argument(f, (unsigned)(p[1] - '0'), lang), ARGUMENT_MAX);
        if (r != 0)
            return r;
        p += 2;
        plain = p + 1;
    }
    return bao_buf_append(out, plain, (size_t)(p - plain));
}

/* A form's own sentence: it may come from a block scalar, whose line ends are only layout. */
static int own_sentence(struct bao_buf *out, struct bao_str s)
{
    size_t at = 0;

    while (s.n != 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == ' '))
        s.n--;
    while (at < s.n) {
        const char *end = memchr(s.p + at, '\n', s.n - at);
        size_t n = end == NULL ? s.n - at : (size_t)(end - (s.p + at));
        int r = bao_utf8_escape(out, (struct bao_str){s.p + at, n}, SENTENCE_MAX);

        if (r == 0 && end != NULL)
            r = bao_buf_append_c(out, " ");
        if (r != 0)
            return r;
        at += n + (end != NULL);
    }
    return 0;
}

int bao_text_sentence(struct bao_buf *out, const struct bao_finding *f, enum bao_lang lang)
{
    const struct bao_message *m = bao_message_get(f->code);
    struct bao_str own = f->message[lang].n != 0 ? f->message[lang] : f->message[BAO_VI];

    if (own.n != 0)
        return own_sentence(out, own);
    if (m == NULL)
        return bao_buf_printf(out, lang == BAO_VI ? "Lỗi BC%u." : "Error BC%u.", (unsigned)f->code);
    return fill(out, m->sentence[lang], f, lang);
}

int bao_text_mend(struct bao_buf *out, const struct bao_finding *f, enum bao_lang lang)
{
    const struct bao_message *m = bao_message_get(f->code);

    for (size_t i = 0; f->in_json && i < BAO_COUNT(json_mends); i++)
        if (json_mends[i].code == f->code)
            return fill(out, json_mends[i].mend[lang], f, lang);
    return m == NULL ? 0 : fill(out, m->mend[lang], f, lang);
}
