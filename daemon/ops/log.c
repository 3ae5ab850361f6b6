#include "daemon/ops/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

enum { LINE_LIMIT = 2000, REPEAT_SECONDS = 60 };

/* The process has one log, as it has one stderr. */
static struct {
    pthread_mutex_t lock;
    enum baod_level most;
    bool journal;
    char last[LINE_LIMIT];
    time_t last_at;
    unsigned long repeats;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .most = BAOD_LOG_INFO};

void baod_log_init(enum baod_level most, bool journal)
{
    pthread_mutex_lock(&sink.lock);
    sink.most = most;
    sink.journal = journal;
    pthread_mutex_unlock(&sink.lock);
}

/* Control octets would let a peer forge lines or drive a terminal. */
static void escape(const char *in, char *out, size_t size)
{
    size_t n = 0;

    for (; *in != '\0' && n + 5 < size; in++) {
        unsigned char c = (unsigned char)*in;

        if (c >= 0x20 && c != 0x7f)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
    }
    out[n] = '\0';
}

static void write_line(enum baod_level level, const char *text, time_t now)
{
    static const char *const words[] = {"", "", "", "error", "warning", "notice", "info", "debug"};
    char line[LINE_LIMIT + 64], stamp[40] = "";
    struct tm tm;
    int n;

    if (!sink.journal && localtime_r(&now, &tm) != NULL)
        (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S%z ",
                       &tm); /* left empty when it does not fit */
    if (sink.journal)
        n = snprintf(line, sizeof(line), "<%d>%s\n", level, text);
    else
        n = snprintf(line, sizeof(line), "%s%s: %s\n", stamp, words[level], text);
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        return; /* nowhere is left to complain */
}

static void put(enum baod_level level, const char *text)
{
    time_t now = time(NULL);
    char note[64];

    if (strcmp(text, sink.last) == 0 && now - sink.last_at < REPEAT_SECONDS) {
        sink.repeats++;
        return;
    }
    if (sink.repeats != 0) {
        snprintf(note, sizeof(note), "the line before came %lu more times", sink.repeats);
        write_line(level, note, now);
    }
    write_line(level, text, now);
    snprintf(sink.last, sizeof(sink.last), "%s", text);
    sink.last_at = now;
    sink.repeats = 0;
}

void baod_log(enum baod_level level, const char *format, ...)
{
    char raw[LINE_LIMIT], text[LINE_LIMIT];
    va_list args;

    pthread_mutex_lock(&sink.lock);
    if (level <= sink.most) {
        va_start(args, format);
        (void)vsnprintf(raw, sizeof(raw), format, args); /* cut at the line's limit */
        va_end(args);
        escape(raw, text, sizeof(text));
        put(level, text);
    }
    pthread_mutex_unlock(&sink.lock);
}
