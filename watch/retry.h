/* When what failed may be tried again: a capped exponential back-off with jitter, for each link. */
#ifndef WATCH_RETRY_H
#define WATCH_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct retry;

struct retry *retry_new(void);
void retry_free(struct retry *retry);

/* Whether the key (a link's mark) is still to be left alone at that time, in milliseconds. */
bool retry_held(const struct retry *retry, const char *key, int64_t now);
/* Whether it failed, and may be tried again by now. */
bool retry_due(const struct retry *retry, const char *key, int64_t now);
/* It failed once more. */
void retry_failed(struct retry *retry, const char *key, int64_t now);
/* It worked. */
void retry_forget(struct retry *retry, const char *key);
/* Forgets those that nobody wants any more. */
typedef bool retry_wanted(const void *data, const char *key);
void retry_keep(struct retry *retry, retry_wanted *wanted, const void *data);
/* Something changed that may have been the cause: everything may be tried at once. */
void retry_clear(struct retry *retry);

/* The earliest time, of those that were to be left alone at that time; -1: there are none. */
int64_t retry_next(const struct retry *retry, int64_t now);
size_t retry_count(const struct retry *retry);

/* Milliseconds to wait after so many failures (1 is the first), before jitter: 100 ms, doubled up
 * to a minute. */
int64_t retry_delay(unsigned failures);

#endif
