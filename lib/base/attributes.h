/* Compiler attributes and the checks that stay on in release builds.
 *
 * bao_require() states what must hold for the program to go on at all: it prints the
 * condition and aborts, whatever NDEBUG says. Bad input is never a reason for it. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define BAO_MUST_CHECK __attribute__((warn_unused_result))
#define BAO_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#define BAO_CLEANUP(function) __attribute__((cleanup(function)))
#define BAO_UNUSED __attribute__((unused))
#define BAO_LIKELY(x) __builtin_expect(!!(x), 1)
#define BAO_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define BAO_COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Hands a pointer over: gives its value and leaves NULL behind, so that a cleanup local lets go. */
#define BAO_TAKE(pointer)                                                                                    \
    __extension__({                                                                                          \
        __typeof__(pointer) bao_taken_ = (pointer);                                                          \
        (pointer) = NULL;                                                                                    \
        bao_taken_;                                                                                          \
    })

#define bao_require(condition)                                                                               \
    do {                                                                                                     \
        if (BAO_UNLIKELY(!(condition))) {                                                                    \
            fprintf(stderr, "%s:%d: %s: requirement does not hold: %s\n", __FILE__, __LINE__, __func__,      \
                    #condition);                                                                             \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* For BAO_CLEANUP on memory from malloc. */
static inline void bao_freep(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}
