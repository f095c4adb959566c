/* Capped exponential back-off with jitter, one for each key (for example a link in a namespace).
 * Times are milliseconds of the caller's clock. */
#ifndef CMD_WATCH_BACKOFF_H
#define CMD_WATCH_BACKOFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct retry;

struct retry *retry_new(void);
void retry_free(struct retry *retry);

/* Whether the key, which is to be done, is still to be left alone at that time. */
bool retry_deferred(struct retry *retry, const char *key, int64_t now);
/* Whether it failed, and may be tried again by now. */
bool retry_due(const struct retry *retry, const char *key, int64_t now);
/* It failed once more. */
void retry_failed(struct retry *retry, const char *key, int64_t now);
/* It failed for what passes by itself, most often at once: the pauses begin with 10 ms. False: it
 * has been so too often in a row, nothing is noted, and it is a failure like others. */
bool retry_busy(struct retry *retry, const char *key, int64_t now);
/* It worked: its failures are forgotten. */
void retry_forget(struct retry *retry, const char *key);
/* It worked, as what was right before had been undone. RETRY_REPAIRS of them are free. After that
 * each one makes for a pause, longer than the last one; success does not shorten it. Each
 * RETRY_QUIET_MS in which it was left as it was made take one repair off the count. Returns the
 * pause, 0: none. */
int64_t retry_repaired(struct retry *retry, const char *key, int64_t now);
/* The same where it is seen already that somebody undoes it: no repair is free any more. */
int64_t retry_contested(struct retry *retry, const char *key, int64_t now);
/* Rate limiting of work that others can trigger, such as reading a namespace that changes without
 * end. Each execution has a price in milliseconds. RETRY_CREDIT_MS are free; then the work is
 * deferred until time has paid, at a price up to four times as high while it goes on. It is never
 * deferred for more than a minute. */
void retry_spend(struct retry *retry, const char *key, int64_t price, int64_t now);
/* How long it is left alone still, whether it is to be done or not; 0: not at all. */
int64_t retry_left(const struct retry *retry, const char *key, int64_t now);
/* Asks which of the keys that were to be done still are. The others are forgotten, unless their
 * repairs count, or what they spent. */
typedef bool retry_wanted(const void *data, const char *key);
void retry_keep(struct retry *retry, retry_wanted *wanted, const void *data, int64_t now);
/* Something changed that may have been the cause: everything may be tried at once. */
void retry_clear(struct retry *retry);

/* The earliest time, of those still to be done that were to be left alone at that time; -1: there
 * are none. */
int64_t retry_next(const struct retry *retry, int64_t now);
/* How many are still to be done. */
size_t retry_count(const struct retry *retry);

/* Milliseconds to wait after so many failures (1 is the first), before jitter: 100 ms, doubled up
 * to a minute. */
int64_t retry_delay(unsigned failures);

#define RETRY_REPAIRS   16
#define RETRY_QUIET_MS  5000
#define RETRY_CREDIT_MS 32000

#endif
