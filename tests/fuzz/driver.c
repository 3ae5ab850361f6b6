/* Runs a fuzz target over the files of its corpus, without libFuzzer: what was found once stays mended.
 *
 * Usage: <target>_fuzz FOLDER. Also cuts each file at a few places, for the truncations that networks make.
 */
#include "lib/base/attributes.h"

#include <dirent.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_LIMIT = 1 << 20, CUTS = 8 };

static bool run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *all = malloc(FILE_LIMIT);
    size_t n;

    if (f == NULL || all == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        free(all);
        if (f != NULL)
            fclose(f);
        return false;
    }
    n = fread(all, 1, FILE_LIMIT, f);
    fclose(f);
    for (size_t i = 0; i <= CUTS; i++) {
        size_t length = n * i / CUTS;
        uint8_t *exact = malloc(length + 1); /* an allocation of its own lets the sanitizer see overruns */

        if (exact != NULL) {
            memcpy(exact, all, length);
            LLVMFuzzerTestOneInput(exact, length);
        }
        free(exact);
    }
    free(all);
    return true;
}

int main(int argc, char **argv)
{
    DIR *dir = argc > 1 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    char path[4096];
    unsigned files = 0;

    if (dir == NULL) {
        fprintf(stderr, "no corpus: %s\n", argc > 1 ? argv[1] : "(not given)");
        return 1;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        if (!run_file(path))
            return 1;
        files++;
    }
    closedir(dir);
    printf("%u files\n", files);
    return files == 0;
}
