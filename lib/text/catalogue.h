/* The catalogue: for each code a symbol, whole sentences and mendings in Vietnamese and English, and the
 * ways to show a finding: for a person with a caret, as one wire line, as JSON.
 *
 * Sentences are templates: {0}..{5} stand for the finding's arguments, already escaped on output. Each
 * module's sentences stand in its own messages_<module>.inc:
 *     BAO_MESSAGE(number, NAME, "câu tiếng Việt", "English sentence", "cách sửa", "how to mend") */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/diag.h"

/* Codes of every module after doc: BAO_BC_<NAME> = number. 2xxx schema, 3xxx checks, 4xxx form files and
 * envelope, 5xxx province files, 6xxx the wire's symbols. */
#define BAO_MESSAGE(number, name, vi, en, mend_vi, mend_en) BAO_BC_##name = (number),
enum bao_code {
#include "lib/text/messages_schema.inc"
#include "lib/text/messages_expr.inc"
#include "lib/text/messages_form.inc"
#include "lib/text/messages_province.inc"
#include "lib/text/messages_wire.inc"
#include "lib/text/messages_config.inc"
    BAO_CODE_MAX_
};
#undef BAO_MESSAGE

/* The mendings that show what to type, for documents in JSON; the other codes' hold for both:
 *     BAO_MEND_JSON(NAME, "cách sửa", "how to mend") in messages_json.inc */
struct bao_message {
    uint16_t code;
    const char *name; /* upper case, stable */
    const char *sentence[BAO_LANGS];
    const char *mend[BAO_LANGS]; /* "" when the sentence says it all */
};

/* What a caller may leave out: how many findings to show to a person at once. */
enum { BAO_TEXT_SHOW = 20 };

/* The i-th entry, or NULL after the last: for the list of all codes. */
const struct bao_message *bao_message_at(size_t i);
/* The catalogue's entry of a code, or NULL. */
const struct bao_message *bao_message_get(unsigned code);

/* Append the sentence of a finding (the form's own when it has one; a language it lacks falls back to
 * Vietnamese), or its mending, which may be empty. One line, control and bidi characters escaped, no newline.
 */
int bao_text_sentence(struct bao_buf *out, const struct bao_finding *f, enum bao_lang lang) BAO_MUST_CHECK;
int bao_text_mend(struct bao_buf *out, const struct bao_finding *f, enum bao_lang lang) BAO_MUST_CHECK;
/* The human rendering of forms.md section 6: head line, source line with caret, mending, each with a newline.
 * `file` and `source` may be empty; without a source or a place the sentence stands on a line of its own. */
int bao_text_render(struct bao_buf *out, const struct bao_finding *f, struct bao_str file,
                    struct bao_str source, enum bao_lang lang) BAO_MUST_CHECK;
/* All of them in their order with an empty line between, at most `show`, the rest counted in a last line. */
int bao_text_render_all(struct bao_buf *out, const struct bao_findings *f, struct bao_str file,
                        struct bao_str source, enum bao_lang lang, size_t show) BAO_MUST_CHECK;
/* One line of the wire with its newline: line:column TAB BC<code> TAB path TAB sentence and, where there is
 * one, its mending. No tab or newline stands inside a field. */
int bao_text_wire_line(struct bao_buf *out, const struct bao_finding *f, enum bao_lang lang) BAO_MUST_CHECK;
/* One JSON object: code, severity, line, column, pointer, path, check, message{vi,en}, mend{vi,en}. */
int bao_text_json(struct bao_buf *out, const struct bao_finding *f) BAO_MUST_CHECK;
/* A JSON array of all of them. */
int bao_text_json_all(struct bao_buf *out, const struct bao_findings *f) BAO_MUST_CHECK;
/* The "basic" output of JSON Schema 2020-12: {"valid":…,"errors":[{keywordLocation, instanceLocation,
 * error}]}. Only findings of severity error count. */
int bao_text_json_basic(struct bao_buf *out, const struct bao_findings *f, enum bao_lang lang) BAO_MUST_CHECK;
