#include "cmd/watch/backoff.h"

#include "lib/keyed_hash.h"
#include "lib/memory.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS   60000

/* 2.5 s in total. */
#define BUSY_FIRST_MS 10
#define BUSY_MAX      8

/* The limit of doublings of the price. */
#define DEAR_MAX 2

struct entry {
	struct entry *next; /* next entry in its bucket */
	char *key;
	unsigned failures, busy, repairs; /* failures in a row */
	bool pending;                     /* still pending */
	int64_t until;                    /* delayed until */
	int64_t repaired;                 /* time of the last execution */
	int64_t paid;                     /* when the spent credit is paid back */
	unsigned dear;                    /* consecutive executions beyond the credit */
	uint64_t reason;                  /* of the last failure; 0: none was recorded */
};

struct retry {
	struct entry **buckets;
	size_t n_buckets; /* a power of two */
	size_t count;
};

struct retry *retry_new(void)
{
	struct retry *retry = memory_new(1, sizeof(*retry));
	retry->n_buckets = 16;
	retry->buckets = memory_new(retry->n_buckets, sizeof(struct entry *));
	return retry;
}

void retry_free(struct retry *retry)
{
	if (!retry)
		return;
	retry_clear(retry);
	free(retry->buckets);
	free(retry);
}

/* The pointer to the key's entry, or to its future place. */
static struct entry **entry_at(const struct retry *retry, const char *key)
{
	const uint64_t hash = keyed_hash_text((uint64_t)(uintptr_t)retry, key);
	struct entry **at = &retry->buckets[hash & (retry->n_buckets - 1)];
	while (*at && strcmp((*at)->key, key) != 0)
		at = &(*at)->next;
	return at;
}

static void buckets_grow(struct retry *retry)
{
	struct entry **old = retry->buckets;
	const size_t n_old = retry->n_buckets;
	retry->n_buckets *= 2;
	retry->buckets = memory_new(retry->n_buckets, sizeof(struct entry *));
	for (size_t i = 0; i < n_old; i++)
		for (struct entry *entry = old[i], *next; entry; entry = next) {
			next = entry->next;
			entry->next = NULL;
			*entry_at(retry, entry->key) = entry;
		}
	free(old);
}

/* The key's entry; creates it if necessary. */
static struct entry *entry_of(struct retry *retry, const char *key)
{
	struct entry *entry = *entry_at(retry, key);
	if (entry)
		return entry;
	if (retry->count++ == retry->n_buckets)
		buckets_grow(retry);
	entry = memory_new(1, sizeof(*entry));
	entry->key = memory_or_die(strdup(key));
	*entry_at(retry, key) = entry;
	return entry;
}

static void entry_drop(struct retry *retry, struct entry **at)
{
	struct entry *entry = *at;
	*at = entry->next;
	free(entry->key);
	free(entry);
	retry->count--;
}

bool retry_deferred(struct retry *retry, const char *key, int64_t now)
{
	struct entry *entry = *entry_at(retry, key);
	const bool delayed = entry && entry->until > now;
	if (delayed)
		entry->pending = true;
	return delayed;
}

static int64_t delay_doubled(int64_t delay, unsigned times)
{
	for (; times > 1 && delay < DELAY_MAX_MS; times--)
		delay *= 2;
	return delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS;
}

bool retry_reason_new(struct retry *retry, const char *key, uint64_t reason)
{
	struct entry *entry = entry_of(retry, key);
	const bool is_new = entry->reason != reason;
	entry->reason = reason;
	return is_new;
}

bool retry_due(const struct retry *retry, const char *key, int64_t now)
{
	const struct entry *entry = *entry_at(retry, key);
	return entry && entry->pending && entry->until <= now;
}

int64_t retry_delay(unsigned failures)
{
	return delay_doubled(DELAY_FIRST_MS, failures);
}

/* Up to a quarter more, so that keys that failed together are not retried together. */
static int64_t jitter(int64_t delay)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		return 0;
	return (int64_t)(random % (uint32_t)(delay / 4 + 1));
}

static void entry_delay(struct entry *entry, int64_t delay, int64_t now)
{
	entry->pending = true;
	entry->until = now + delay + jitter(delay);
}

void retry_failed(struct retry *retry, const char *key, int64_t now)
{
	struct entry *entry = entry_of(retry, key);
	entry_delay(entry, retry_delay(++entry->failures), now);
}

bool retry_busy(struct retry *retry, const char *key, int64_t now)
{
	struct entry *entry = entry_of(retry, key);
	if (entry->busy == BUSY_MAX)
		return false;
	entry_delay(entry, delay_doubled(BUSY_FIRST_MS, ++entry->busy), now);
	return true;
}

static void entry_worked(struct entry *entry)
{
	entry->reason = 0;
	entry->failures = entry->busy = 0;
	entry->pending = false;
}

void retry_forget(struct retry *retry, const char *key)
{
	struct entry **at = entry_at(retry, key);
	if (!*at)
		return;
	entry_worked(*at);
	if (!(*at)->repairs)
		entry_drop(retry, at);
}

/* The time of the delay does not count as quiet, since the repair was not made yet. */
static unsigned repairs_left(const struct entry *entry, int64_t now)
{
	const int64_t from = entry->until > entry->repaired ? entry->until : entry->repaired;
	const int64_t quiet = now > from ? (now - from) / RETRY_QUIET_MS : 0;
	return quiet < entry->repairs ? entry->repairs - (unsigned)quiet : 0;
}

static int64_t entry_repaired(struct entry *entry, unsigned least, int64_t now)
{
	const unsigned repairs = repairs_left(entry, now);
	entry_worked(entry);
	entry->repairs = (repairs > least ? repairs : least) + 1;
	entry->repaired = now;
	entry->until = now;
	if (entry->repairs <= RETRY_REPAIRS)
		return 0;
	const int64_t delay = retry_delay(entry->repairs - RETRY_REPAIRS);
	entry->until += delay + jitter(delay);
	return delay;
}

int64_t retry_repaired(struct retry *retry, const char *key, int64_t now)
{
	return entry_repaired(entry_of(retry, key), 0, now);
}

int64_t retry_contested(struct retry *retry, const char *key, int64_t now)
{
	struct entry *entry = entry_of(retry, key);
	const int64_t delay = entry_repaired(entry, RETRY_REPAIRS, now);
	entry->pending = true;
	return delay;
}

void retry_spend(struct retry *retry, const char *key, int64_t price, int64_t now)
{
	struct entry *entry = entry_of(retry, key);
	const int64_t longest = now + RETRY_CREDIT_MS + DELAY_MAX_MS;
	if (entry->paid <= now) {
		entry->paid = now;
		entry->dear = 0;
	}
	entry->paid += price << entry->dear;
	entry->paid = entry->paid < longest ? entry->paid : longest;
	entry->until = entry->paid - RETRY_CREDIT_MS;
	entry->dear += entry->until > now && entry->dear < DEAR_MAX;
}

int64_t retry_left(const struct retry *retry, const char *key, int64_t now)
{
	const struct entry *entry = *entry_at(retry, key);
	return entry && entry->until > now ? entry->until - now : 0;
}

void retry_keep(struct retry *retry, retry_is_pending *pending, const void *data, int64_t now)
{
	for (size_t i = 0; i < retry->n_buckets; i++)
		for (struct entry **at = &retry->buckets[i]; *at;) {
			(*at)->pending = (*at)->pending && pending(data, (*at)->key);
			if ((*at)->pending || repairs_left(*at, now) || (*at)->paid > now)
				at = &(*at)->next;
			else
				entry_drop(retry, at);
		}
}

void retry_clear(struct retry *retry)
{
	for (size_t i = 0; i < retry->n_buckets; i++)
		while (retry->buckets[i])
			entry_drop(retry, &retry->buckets[i]);
}

int64_t retry_next(const struct retry *retry, int64_t now)
{
	int64_t next = -1;
	for (size_t i = 0; i < retry->n_buckets; i++)
		for (const struct entry *entry = retry->buckets[i]; entry; entry = entry->next)
			if (entry->pending && entry->until > now &&
			    (next < 0 || entry->until < next))
				next = entry->until;
	return next;
}

size_t retry_count(const struct retry *retry)
{
	size_t count = 0;
	for (size_t i = 0; i < retry->n_buckets; i++)
		for (const struct entry *entry = retry->buckets[i]; entry; entry = entry->next)
			count += entry->pending;
	return count;
}
