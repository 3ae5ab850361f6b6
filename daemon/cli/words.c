#include "daemon/cli/words.h"

#include "lib/form/yaml_fields.h"

enum { KNOWN_MAX = 32 };

static const struct cli_word *find(const struct cli_word *known, const char *word, size_t n)
{
    for (; known->name != NULL; known++)
        if (strncmp(known->name, word, n) == 0 && known->name[n] == '\0')
            return known;
    return NULL;
}

static void tell_unknown(const struct cli_options *options, const struct cli_word *known, const char *word)
{
    struct bao_arena arena BAO_CLEANUP(bao_arena_deinit) = BAO_ARENA_NULL(0);
    struct bao_str written = {word, strcspn(word, "=")};
    const char *names[KNOWN_MAX], *near;
    size_t n = 0;

    while (n < KNOWN_MAX && known[n].name != NULL) {
        names[n] = known[n].name;
        n++;
    }
    near = bao_nearest(&arena, written, names, n);
    if (near != NULL && bao_str_is(written, near))
        (void)cli_complain(options,
                           options->lang == BAO_VI ? "%s không nhận giá trị; chỉ ghi %s"
                                                   : "%s takes no value; write %s alone",
                           near, near);
    else if (near != NULL)
        (void)cli_complain(options,
                           options->lang == BAO_VI ? "không có tùy chọn %.*s; có phải là %s không?"
                                                   : "there is no option %.*s; is %s meant?",
                           BAO_STR_ARG(written), near);
    else
        (void)cli_complain(options,
                           options->lang == BAO_VI ? "không có tùy chọn %.*s" : "there is no option %.*s",
                           BAO_STR_ARG(written));
}

/* The value of the option at argv[*i], which moves on to it; NULL after telling that it lacks. */
static const char *value_of(const struct cli_options *options, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *equals = strchr(word, '=');

    if (equals != NULL)
        return equals + 1;
    if (*i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0)
        return argv[++*i];
    (void)cli_complain(
        options, options->lang == BAO_VI ? "sau %s còn thiếu giá trị" : "a value is missing after %s", word);
    return NULL;
}

/* Takes the option at argv[*i]: true, or false after telling what is wrong. */
static bool take(const struct cli_options *options, int argc, char **argv, int *i,
                 const struct cli_word *option)
{
    const char *value;

    if (option->value == NULL) {
        *option->given = true;
        return true;
    }
    value = value_of(options, argc, argv, i);
    if (value != NULL)
        option->value[option->n == NULL ? 0 : (*option->n)++] = value;
    return value != NULL;
}

int cli_words_read(const struct cli_options *options, int argc, char **argv, const struct cli_word *known,
                   int most)
{
    const struct cli_word *open = NULL; /* takes the words that follow */
    int n = 0;

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            const struct cli_word *option = find(known, argv[i], strcspn(argv[i], "="));

            if (option == NULL || (option->value == NULL && strchr(argv[i], '=') != NULL)) {
                tell_unknown(options, known, argv[i]);
                return -1;
            }
            if (!take(options, argc, argv, &i, option))
                return -1;
            open = option->n != NULL && n != 0 ? option : NULL;
        } else if (open != NULL) {
            open->value[(*open->n)++] = argv[i];
        } else if (n == most) {
            (void)cli_complain(options, options->lang == BAO_VI ? "thừa “%s”" : "“%s” is one word too many",
                               argv[i]);
            return -1;
        } else {
            argv[++n] = argv[i];
        }
    }
    return n;
}

bool cli_words_second(const struct cli_options *options, int *argc, char ***argv, const char *second)
{
    if (*argc < 2 || strcmp((*argv)[1], second) != 0)
        return cli_complain(options,
                            options->lang == BAO_VI ? "sau %s phải là %s" : "%s must be followed by %s",
                            options->command, second);
    *argc -= 1;
    *argv += 1;
    return true;
}
