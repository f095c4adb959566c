#include "lib/ip_range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ip_range_parse(const char *text, struct ip_range *ret)
{
	const char *dash = strchr(text, '-');
	char first[IP_TEXT_SIZE] = {0};
	struct ip_range range;
	if (!dash || dash - text >= IP_TEXT_SIZE)
		return false;
	memcpy(first, text, (size_t)(dash - text));
	if (!ip_parse(first, &range.first) || !ip_parse(dash + 1, &range.last))
		return false;
	*ret = range;
	return true;
}

bool ip_range_valid(const struct ip_range *range)
{
	return range->first.family == range->last.family &&
	       ip_compare(&range->first, &range->last) <= 0;
}

const char *ip_range_format(const struct ip_range *range, char text[IP_RANGE_TEXT_SIZE])
{
	char first[IP_TEXT_SIZE], last[IP_TEXT_SIZE];
	for (unsigned len = 0; len <= ip_bits(&range->first); len++) {
		const struct prefix prefix = {range->first, (uint8_t)len};
		const struct ip_range all = ip_range_of(&prefix);
		if (ip_range_compare(&all, range) == 0)
			return prefix_format(&prefix, text);
	}
	snprintf(text, IP_RANGE_TEXT_SIZE, "%s-%s", ip_format(&range->first, first),
		 ip_format(&range->last, last));
	return text;
}

struct ip_range ip_range_of(const struct prefix *prefix)
{
	return (struct ip_range){prefix_first(prefix), prefix_last(prefix)};
}

struct ip_ranges ip_ranges_of(const struct prefix *prefix, struct arena *arena)
{
	struct ip_ranges ranges = {0};
	*array_push(arena, ranges.items, ranges.count) = ip_range_of(prefix);
	return ranges;
}

bool ip_range_is_address(const struct ip_range *range)
{
	return ip_equal(&range->first, &range->last);
}

bool ip_range_contains(const struct ip_range *range, const struct ip *ip)
{
	return ip_compare(&range->first, ip) <= 0 && ip_compare(ip, &range->last) <= 0;
}

bool ip_ranges_contain(const struct ip_ranges *ranges, const struct ip *ip)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (ip_range_contains(&ranges->items[i], ip))
			return true;
	return false;
}

bool ip_ranges_overlap(const struct ip_ranges *ranges, const struct prefix *prefix)
{
	const struct ip_range other = ip_range_of(prefix);
	for (size_t i = 0; i < ranges->count; i++)
		if (ip_range_contains(&ranges->items[i], &other.first) ||
		    ip_range_contains(&other, &ranges->items[i].first))
			return true;
	return false;
}

int ip_range_compare(const void *a, const void *b)
{
	const struct ip_range *left = a, *right = b;
	const int order = ip_compare(&left->first, &right->first);
	return order ? order : ip_compare(&left->last, &right->last);
}

static bool is_highest(const struct ip *ip)
{
	const struct ip next = ip_next(*ip);
	return ip_compare(&next, ip) < 0;
}

/* Whether no address is between the end of `range` and `next`, which does not begin before it. */
static bool touches(const struct ip_range *range, const struct ip_range *next)
{
	const struct ip after = ip_next(range->last);
	return range->last.family == next->first.family &&
	       (is_highest(&range->last) || ip_compare(&next->first, &after) <= 0);
}

/* A sorted copy whose ranges neither overlap nor touch. */
static struct ip_ranges merged(const struct ip_ranges *ranges, struct arena *arena)
{
	struct ip_ranges copy = {0};
	if (!ranges->count)
		return copy;
	copy.items = arena_alloc(arena, ranges->count * sizeof(*copy.items));
	memcpy(copy.items, ranges->items, ranges->count * sizeof(*copy.items));
	qsort(copy.items, ranges->count, sizeof(*copy.items), ip_range_compare);
	for (size_t i = 0; i < ranges->count; i++) {
		struct ip_range *last = copy.count ? &copy.items[copy.count - 1] : NULL;
		if (!last || !touches(last, &copy.items[i]))
			copy.items[copy.count++] = copy.items[i];
		else if (ip_compare(&last->last, &copy.items[i].last) < 0)
			last->last = copy.items[i].last;
	}
	return copy;
}

/* Adds the parts of the range that no range from *holes on excludes; *holes moves past those that
 * end before the range does. */
static void add_without(struct arena *arena, struct ip_ranges *ret, struct ip_range range,
			const struct ip_range **holes, const struct ip_range *end)
{
	for (; *holes < end && ip_compare(&(*holes)->first, &range.last) <= 0; ++*holes) {
		const struct ip_range *hole = *holes;
		if (ip_compare(&hole->last, &range.first) < 0)
			continue;
		if (ip_compare(&range.first, &hole->first) < 0)
			*array_push(arena, ret->items, ret->count) =
				(struct ip_range){range.first, ip_previous(hole->first)};
		if (ip_compare(&range.last, &hole->last) <= 0)
			return;
		range.first = ip_next(hole->last);
	}
	*array_push(arena, ret->items, ret->count) = range;
}

struct ip_ranges ip_ranges_without(const struct ip_ranges *all, const struct ip_ranges *excluded,
				   struct arena *arena)
{
	const struct ip_ranges ranges = merged(all, arena), holes = merged(excluded, arena);
	const struct ip_range *hole = holes.items;
	struct ip_ranges left = {0};
	for (size_t i = 0; i < ranges.count; i++)
		add_without(arena, &left, ranges.items[i], &hole, holes.items + holes.count);
	return left;
}

/* The number of ranges that begin at or below the address. */
static size_t begun(const struct ip_ranges *ranges, const struct ip *ip)
{
	size_t low = 0, high = ranges->count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (ip_compare(&ranges->items[middle].first, ip) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ip_ranges_next(const struct ip_ranges *ranges, struct ip *ip)
{
	const size_t after = begun(ranges, ip);
	if (after && ip_compare(ip, &ranges->items[after - 1].last) < 0)
		*ip = ip_next(*ip);
	else if (after < ranges->count)
		*ip = ranges->items[after].first;
	else
		return false;
	return true;
}

bool ip_ranges_previous(const struct ip_ranges *ranges, struct ip *ip)
{
	const size_t after = begun(ranges, ip);
	if (!ranges->items || !after)
		return false;
	const struct ip_range *range = &ranges->items[after - 1];
	if (ip_compare(&range->last, ip) < 0)
		*ip = range->last;
	else if (!ip_equal(ip, &range->first))
		*ip = ip_previous(*ip);
	else if (after > 1)
		*ip = ranges->items[after - 2].last;
	else
		return false;
	return true;
}
