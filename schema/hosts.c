#include "schema/hosts.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define GLOB_SIGNS "*?[\\"

bool host_is_glob(const char *pattern)
{
	return strpbrk(pattern, GLOB_SIGNS) != NULL;
}

static bool pattern_has(const char *pattern, const char *host)
{
	size_t head = strcspn(pattern, GLOB_SIGNS);
	return strcmp(pattern, host) == 0 || (pattern[head] && strncmp(pattern, host, head) == 0 &&
					      fnmatch(pattern, host, 0) == 0);
}

bool hosts_have(const struct hosts *hosts, const char *host)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (pattern_has(hosts->items[i], host))
			return true;
	return hosts->count == 0;
}

/* The parts before the first and after the last special character of two globs must be
 * compatible. */
static bool globs_meet(const char *a, const char *b)
{
	size_t head_a = strcspn(a, GLOB_SIGNS), head_b = strcspn(b, GLOB_SIGNS);
	if (strncmp(a, b, head_a < head_b ? head_a : head_b) != 0)
		return false;
	const char *end_a = a + strlen(a), *end_b = b + strlen(b);
	while (!strchr(GLOB_SIGNS "]", end_a[-1]) && !strchr(GLOB_SIGNS "]", end_b[-1]))
		if (*--end_a != *--end_b)
			return false;
	return true;
}

static bool patterns_meet(const char *a, const char *b)
{
	if (host_is_glob(a) && host_is_glob(b))
		return globs_meet(a, b);
	return host_is_glob(b) ? pattern_has(b, a) : pattern_has(a, b);
}

bool hosts_meet(const struct hosts *a, const struct hosts *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (patterns_meet(a->items[i], b->items[k]))
				return true;
	return a->count == 0 || b->count == 0;
}

bool hosts_open(const struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (host_is_glob(hosts->items[i]))
			return true;
	return false;
}

const char *hosts_only(const struct hosts *hosts)
{
	return hosts->count == 1 && !hosts_open(hosts) ? hosts->items[0] : NULL;
}

static int compare_host(const void *host, const void *range)
{
	return strcmp(host, ((const struct host_range *)range)->host);
}

const struct host_range *subnet_host_range(const struct subnet *subnet, const char *host)
{
	if (!subnet->n_host_ranges)
		return NULL;
	return bsearch(host, subnet->host_ranges, subnet->n_host_ranges,
		       sizeof(*subnet->host_ranges), compare_host);
}
