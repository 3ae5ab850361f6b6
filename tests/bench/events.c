/* libyaml's events alone: parses a file so many times and builds nothing.
 *
 *     events FILE TIMES
 *
 * Prints the processor time of one pass in microseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yaml.h>

static char text[1 << 20];

static int pass(size_t n)
{
    yaml_parser_t parser;
    yaml_event_t event;
    int ok, ended = 0;

    if (yaml_parser_initialize(&parser) == 0)
        return 0;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    do {
        ok = yaml_parser_parse(&parser, &event);
        if (ok != 0) {
            ended = event.type == YAML_STREAM_END_EVENT;
            yaml_event_delete(&event);
        }
    } while (ok != 0 && ended == 0);
    yaml_parser_delete(&parser);
    return ok;
}

int main(int argc, char **argv)
{
    FILE *f = argc == 3 ? fopen(argv[1], "rbe") : NULL;
    size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text), f);
    long times = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    clock_t start = clock();

    if (n == 0 || times <= 0) {
        fprintf(stderr, "usage: events FILE TIMES\n");
        return 2;
    }
    for (long i = 0; i < times; i++)
        if (pass(n) == 0)
            return 1;
    printf("%.3f\n", (double)(clock() - start) / CLOCKS_PER_SEC / (double)times * 1e6);
    return 0;
}
