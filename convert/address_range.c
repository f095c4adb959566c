#include "convert/address_range.h"

#include "convert/import_edit.h"
#include "convert/json_read.h"
#include "convert/yaml_tree_internal.h"

#include <string.h>

/* "10.0.0.5", "10.0.0.0/28" or "10.0.0.20-10.0.0.40". */
static bool excluded_parse(const char *text, struct ip_range *ret)
{
	struct prefix prefix;
	if (ip_range_parse(text, ret))
		return ip_range_valid(ret);
	if (ip_parse(text, &ret->first)) {
		ret->last = ret->first;
		return true;
	}
	if (!prefix_parse(text, &prefix))
		return false;
	*ret = ip_range_of(&prefix);
	return true;
}

/* The addresses of the subnet that are in the range, if there are any. */
static bool clip(const struct prefix *subnet, struct ip_range *range)
{
	const struct ip_range all = ip_range_of(subnet);
	if (ip_compare(&range->last, &all.first) < 0 || ip_compare(&all.last, &range->first) < 0)
		return false;
	if (ip_compare(&range->first, &all.first) < 0)
		range->first = all.first;
	if (ip_compare(&all.last, &range->last) < 0)
		range->last = all.last;
	return true;
}

static void excluded_take(struct tree *map, struct subnet *subnet, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		struct ip_range range;
		if (!text || !excluded_parse(text, &range))
			json_unconverted("exclude", json_array_get(list, i), map);
		else if (clip(&subnet->prefix, &range))
			*array_push(map->arena, subnet->exclude.items, subnet->exclude.count) =
				range;
	}
}

/* The ends of a subnet are not host addresses: 10.0.0.1 to 10.0.0.254 is all of 10.0.0.0/24. */
static bool is_whole(const struct prefix *subnet, const struct ip_range *range)
{
	const struct ip_range all = ip_range_of(subnet);
	struct ip_range usable;
	range_usable(subnet, &usable.first, &usable.last);
	return ip_compare(&range->first, &usable.first) <= 0 &&
	       ip_compare(&usable.last, &range->last) <= 0 &&
	       ip_range_contains(&all, &range->first);
}

void subnet_range_add(struct tree *map, struct subnet *subnet, struct ip first, struct ip last,
		      const json_t *exclude)
{
	const struct ip_range range = {first, last};
	char from[IP_TEXT_SIZE], to[IP_TEXT_SIZE], text[PREFIX_TEXT_SIZE];
	if (ip_compare(&first, &last) > 0 || !prefix_contains(&subnet->prefix, &first) ||
	    !prefix_contains(&subnet->prefix, &last)) {
		import_edit(map, "ip_range", "%s to %s is not a range of addresses in %s",
			    ip_format(&first, from), ip_format(&last, to),
			    prefix_format(&subnet->prefix, text));
		return;
	}
	if (is_whole(&subnet->prefix, &range))
		subnet->ip_range.count = 0;
	else
		*array_push(map->arena, subnet->ip_range.items, subnet->ip_range.count) = range;
	excluded_take(map, subnet, exclude);
	if (subnet_pool(subnet, &subnet->ip_range, map->arena).count)
		return;
	subnet->exclude.count = 0;
	import_edit(map, "exclude", "every address of %s is excluded",
		    prefix_format(&subnet->prefix, text));
}

void range_usable(const struct prefix *subnet, struct ip *first, struct ip *last)
{
	*first = prefix_first(subnet);
	*last = prefix_last(subnet);
	if (subnet->len + 1U >= ip_bits(first))
		return;
	*first = ip_next(*first);
	if (first->family == AF_INET)
		*last = ip_previous(*last);
}

static bool has_aux(const struct subnet *subnet, const struct ip *ip)
{
	for (size_t i = 0; i < subnet->n_aux; i++)
		if (ip_equal(&subnet->aux[i].ip, ip))
			return true;
	return false;
}

static void aux_remove(struct subnet *subnet, const struct ip *ip)
{
	size_t kept = 0;
	for (size_t i = 0; i < subnet->n_aux; i++)
		if (!ip_equal(&subnet->aux[i].ip, ip))
			subnet->aux[kept++] = subnet->aux[i];
	subnet->n_aux = kept;
}

void subnet_reserve_router(struct tree *map, struct subnet *subnet, const struct ip *router)
{
	const struct ip_ranges pool = subnet_pool(subnet, &subnet->ip_range, map->arena);
	aux_remove(subnet, &subnet->gateway);
	if (!router->family || ip_equal(router, &subnet->gateway) ||
	    !ip_ranges_contain(&pool, router) || !prefix_usable(&subnet->prefix, router) ||
	    has_aux(subnet, router))
		return;
	*array_push(map->arena, subnet->aux, subnet->n_aux) =
		(struct aux_address){.name = "gateway", .ip = *router};
}
