/* Ranges of IP addresses with a first and a last address, and lists of them. */
#ifndef LIB_IP_RANGE_H
#define LIB_IP_RANGE_H

#include "lib/arena.h"
#include "lib/ip.h"

#include <stddef.h>

#define IP_RANGE_TEXT_SIZE (2 * INET6_ADDRSTRLEN + 1)

/* Both ends are included and have one family; first is not above last. */
struct ip_range {
	struct ip first, last;
};

struct ip_ranges {
	struct ip_range *items;
	unsigned count;
};

/* "FIRST-LAST", without blanks. The ends may have different families or be in the wrong order.
 * False leaves *ret untouched. */
bool ip_range_parse(const char *text, struct ip_range *ret);
/* Whether both ends have one family, and the first is not above the last. */
bool ip_range_valid(const struct ip_range *range);
/* As a prefix if the range is one, otherwise as FIRST-LAST. Returns `text`. */
const char *ip_range_format(const struct ip_range *range, char text[IP_RANGE_TEXT_SIZE]);

/* All addresses of the prefix. */
struct ip_range ip_range_of(const struct prefix *prefix);
struct ip_ranges ip_ranges_of(const struct prefix *prefix, struct arena *arena);
/* Whether the range has one address. */
bool ip_range_is_address(const struct ip_range *range);
/* False for another family. */
bool ip_range_contains(const struct ip_range *range, const struct ip *ip);
bool ip_ranges_contain(const struct ip_ranges *ranges, const struct ip *ip);
bool ip_ranges_overlap(const struct ip_ranges *ranges, const struct prefix *prefix);
/* By first address, then by last address. */
int ip_range_compare(const void *a, const void *b);

/* The addresses of `all` that are not in `excluded`, in ascending order, as ranges that neither
 * overlap nor touch. Both lists may be unsorted, overlap, and have two families. In the arena. */
struct ip_ranges ip_ranges_without(const struct ip_ranges *all, const struct ip_ranges *excluded,
				   struct arena *arena);

/* Each replaces the address by the next one above or below it that a result of ip_ranges_without
 * contains. False: there is none. */
bool ip_ranges_next(const struct ip_ranges *ranges, struct ip *ip);
bool ip_ranges_previous(const struct ip_ranges *ranges, struct ip *ip);

#endif
