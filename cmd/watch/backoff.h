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

/* Whether the key, which is pending, is still delayed at that time. */
bool retry_deferred(struct retry *retry, const char *key, int64_t now);
/* Whether it failed, and may be retried now. */
bool retry_due(const struct retry *retry, const char *key, int64_t now);
/* Records a failure. */
void retry_failed(struct retry *retry, const char *key, int64_t now);
/* Records a failure that is usually temporary: the delays begin with 10 ms. False: there were too
 * many in a row, nothing is recorded, and it counts as an ordinary failure. */
bool retry_busy(struct retry *retry, const char *key, int64_t now);
/* Records the reason of a failure, any number but 0. Returns whether it differs from that of the
 * last failure, or there was none since the last success. */
bool retry_reason_new(struct retry *retry, const char *key, uint64_t reason);
/* Records a success: its failures are forgotten. */
void retry_forget(struct retry *retry, const char *key);
/* Records a success that repaired an earlier change of another process. RETRY_REPAIRS of them are
 * free. After that each one causes a delay, longer than the last one; success does not shorten it.
 * Each RETRY_QUIET_MS without a repair reduces the count by one. Returns the delay, 0: none. */
int64_t retry_repaired(struct retry *retry, const char *key, int64_t now);
/* The same for a change that is known to be repeated: no repair is free any more. */
int64_t retry_contested(struct retry *retry, const char *key, int64_t now);
/* Rate limiting of work that others can trigger, such as reading a namespace that changes without
 * end. Each execution has a price in milliseconds. RETRY_CREDIT_MS are free; then the work is
 * deferred until enough time has passed, at a price up to four times as high while it continues. It
 * is never deferred for more than a minute. */
void retry_spend(struct retry *retry, const char *key, int64_t price, int64_t now);
/* The remaining delay of the key, pending or not; 0: none. */
int64_t retry_left(const struct retry *retry, const char *key, int64_t now);
/* Asks the callback which pending keys are still pending. The others are removed, unless they have
 * repairs or spent credit. */
typedef bool retry_is_pending(const void *data, const char *key);
void retry_keep(struct retry *retry, retry_is_pending *pending, const void *data, int64_t now);
/* A possible cause of failures has changed: all keys may be retried immediately. */
void retry_clear(struct retry *retry);

/* The earliest retry time of the pending keys that were delayed at that time; -1: none. */
int64_t retry_next(const struct retry *retry, int64_t now);
/* The number of pending keys. */
size_t retry_count(const struct retry *retry);

/* The delay in milliseconds after that number of failures (1 is the first), before jitter: 100 ms,
 * doubled up to a minute. */
int64_t retry_delay(unsigned failures);

#define RETRY_REPAIRS   16
#define RETRY_QUIET_MS  5000
#define RETRY_CREDIT_MS 32000

#endif
