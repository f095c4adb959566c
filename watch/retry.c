#include "watch/retry.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS   60000

struct entry {
	char *key;
	unsigned failures;
	int64_t until;
};

struct retry {
	struct entry *entries;
	size_t count, room;
};

struct retry *retry_new(void)
{
	struct retry *retry = memory_new(1, sizeof(*retry));
	return retry;
}

void retry_free(struct retry *retry)
{
	if (!retry)
		return;
	retry_clear(retry);
	free(retry->entries);
	free(retry);
}

static struct entry *entry_find(const struct retry *retry, const char *key)
{
	for (size_t i = 0; i < retry->count; i++)
		if (strcmp(retry->entries[i].key, key) == 0)
			return &retry->entries[i];
	return NULL;
}

static struct entry *entry_new(struct retry *retry, const char *key)
{
	if (retry->count == retry->room) {
		retry->room = retry->room ? retry->room * 2 : 8;
		retry->entries = memory_or_die(
			reallocarray(retry->entries, retry->room, sizeof(*retry->entries)));
	}
	char *copy = memory_or_die(strdup(key));
	struct entry *entry = &retry->entries[retry->count++];
	*entry = (struct entry){.key = copy};
	return entry;
}

bool retry_held(const struct retry *retry, const char *key, int64_t now)
{
	const struct entry *entry = entry_find(retry, key);
	return entry && entry->until > now;
}

bool retry_due(const struct retry *retry, const char *key, int64_t now)
{
	const struct entry *entry = entry_find(retry, key);
	return entry && entry->until <= now;
}

int64_t retry_delay(unsigned failures)
{
	int64_t delay = DELAY_FIRST_MS;
	for (unsigned i = 1; i < failures && delay < DELAY_MAX_MS; i++)
		delay *= 2;
	return delay < DELAY_MAX_MS ? delay : DELAY_MAX_MS;
}

/* Up to a quarter more, so that many that failed together do not come again together. */
static int64_t jitter(int64_t delay)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		return 0;
	return (int64_t)(random % (uint32_t)(delay / 4 + 1));
}

void retry_failed(struct retry *retry, const char *key, int64_t now)
{
	struct entry *entry = entry_find(retry, key);
	if (!entry)
		entry = entry_new(retry, key);
	int64_t delay = retry_delay(++entry->failures);
	entry->until = now + delay + jitter(delay);
}

static void entry_drop(struct retry *retry, struct entry *entry)
{
	free(entry->key);
	*entry = retry->entries[--retry->count];
}

void retry_forget(struct retry *retry, const char *key)
{
	struct entry *entry = entry_find(retry, key);
	if (entry)
		entry_drop(retry, entry);
}

void retry_keep(struct retry *retry, retry_wanted *wanted, const void *data)
{
	for (size_t i = retry->count; i-- > 0;)
		if (!wanted(data, retry->entries[i].key))
			entry_drop(retry, &retry->entries[i]);
}

void retry_clear(struct retry *retry)
{
	while (retry->count)
		free(retry->entries[--retry->count].key);
}

int64_t retry_next(const struct retry *retry, int64_t now)
{
	int64_t next = -1;
	for (size_t i = 0; i < retry->count; i++)
		if (retry->entries[i].until > now && (next < 0 || retry->entries[i].until < next))
			next = retry->entries[i].until;
	return next;
}

size_t retry_count(const struct retry *retry)
{
	return retry->count;
}
