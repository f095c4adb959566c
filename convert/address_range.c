#include "convert/address_range.h"

#include "convert/import_edit.h"
#include "convert/json_read.h"
#include "convert/yaml_tree_internal.h"

#include <stdlib.h>
#include <string.h>

/* The range first..last, both included. */
struct span {
	struct ip first, last;
};

static bool within(const struct prefix *block, const struct span *span)
{
	const struct ip end = prefix_last(block);
	return ip_compare(&block->ip, &span->first) >= 0 && ip_compare(&end, &span->last) <= 0;
}

/* The largest block in the span: for each length, the block that contains the last address, or the
 * one before it. */
static struct prefix block_within(const struct span *span)
{
	for (uint8_t len = 1; len < ip_bits(&span->first); len++) {
		struct prefix block = {.ip = span->last, .len = len};
		block.ip = prefix_first(&block);
		if (within(&block, span))
			return block;
		block.ip = ip_previous(block.ip);
		block.ip = prefix_first(&block);
		if (within(&block, span))
			return block;
	}
	return (struct prefix){.ip = span->first, .len = (uint8_t)ip_bits(&span->first)};
}

/* The excluded blocks of a subnet, in the order of the addresses. */
struct excluded {
	struct prefix *blocks;
	size_t count;
};

static int compare_blocks(const void *a, const void *b)
{
	const struct prefix *left = a, *right = b;
	return ip_compare(&left->ip, &right->ip);
}

static bool is_address(const struct prefix *block)
{
	return block->len == ip_bits(&block->ip);
}

static struct excluded excluded_read(struct tree *map, const struct subnet *subnet,
				     const json_t *list)
{
	struct excluded excluded = {0};
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		struct prefix block = {0};
		if (text && ip_parse(text, &block.ip))
			block.len = (uint8_t)ip_bits(&block.ip);
		else if (!text || !prefix_parse(text, &block))
			json_unconverted("exclude", json_array_get(list, i), map);
		block.ip = prefix_first(&block);
		if (block.ip.family && prefix_overlaps(&subnet->prefix, &block))
			*array_push(map->arena, excluded.blocks, excluded.count) = block;
	}
	if (excluded.count)
		qsort(excluded.blocks, excluded.count, sizeof(*excluded.blocks), compare_blocks);
	return excluded;
}

static void aux_add(struct tree *map, struct subnet *subnet, const struct ip *ip)
{
	const char *name = arena_printf(map->arena, "excluded-%zu", subnet->n_aux + 1);
	*array_push(map->arena, subnet->aux, subnet->n_aux) =
		(struct aux_address){.name = name, .ip = *ip};
}

/* Single addresses become aux addresses, each once. */
static void excluded_reserve(struct tree *map, struct subnet *subnet,
			     const struct excluded *excluded)
{
	const struct ip *before = NULL;
	for (size_t i = 0; i < excluded->count; i++) {
		const struct prefix *block = &excluded->blocks[i];
		if (!is_address(block) || (before && ip_equal(before, &block->ip)))
			continue;
		before = &block->ip;
		aux_add(map, subnet, &block->ip);
	}
}

static struct prefix larger(const struct prefix *best, const struct span *span)
{
	if (ip_compare(&span->first, &span->last) > 0)
		return *best;
	const struct prefix block = block_within(span);
	return !best->ip.family || block.len < best->len ? block : *best;
}

/* The largest block of the span that contains no excluded block; family 0: none. */
static struct prefix block_excluding(const struct span *span, const struct excluded *excluded)
{
	struct prefix best = {0};
	struct span rest = *span;
	for (size_t i = 0; i < excluded->count; i++) {
		const struct prefix *block = &excluded->blocks[i];
		const struct ip block_last = prefix_last(block);
		if (is_address(block) || ip_compare(&block_last, &rest.first) < 0)
			continue;
		if (ip_compare(&block->ip, &rest.last) > 0)
			break;
		if (ip_compare(&block->ip, &rest.first) > 0) {
			const struct span gap = {.first = rest.first,
						 .last = ip_previous(block->ip)};
			best = larger(&best, &gap);
		}
		if (ip_compare(&block_last, &rest.last) >= 0)
			return best;
		rest.first = ip_next(block_last);
	}
	return larger(&best, &rest);
}

static bool is_whole(const struct prefix *block, const struct span *span)
{
	const struct ip last = prefix_last(block);
	return ip_equal(&block->ip, &span->first) && ip_equal(&last, &span->last);
}

/* The ends of a subnet are not host addresses: 10.0.0.1 to 10.0.0.254 is all of 10.0.0.0/24. */
static void widen(const struct prefix *subnet, struct span *span)
{
	const struct ip first = prefix_first(subnet), last = prefix_last(subnet);
	const struct ip second = ip_next(first), before = ip_previous(last);
	if (subnet->len + 1U >= ip_bits(&first))
		return;
	if (ip_equal(&span->first, &second))
		span->first = first;
	if (first.family == AF_INET && ip_equal(&span->last, &before))
		span->last = last;
}

/* Podman writes 10.0.0.129 to 10.0.0.255 for 10.0.0.128/25: a block without its first address is
 * converted to the block, and that address to an aux address. */
static void complete(struct tree *map, struct subnet *subnet, struct span *span)
{
	const struct ip before = ip_previous(span->first);
	const struct span wider = {before, span->last};
	if (!prefix_contains(&subnet->prefix, &before))
		return;
	const struct prefix block = block_within(&wider);
	if (!is_whole(&block, &wider) || block.len + 1U >= ip_bits(&before))
		return;
	aux_add(map, subnet, &before);
	span->first = before;
}

static void range_report(struct tree *map, const struct subnet *subnet, const struct span *span,
			 bool excludes)
{
	char from[IP_TEXT_SIZE], to[IP_TEXT_SIZE], text[PREFIX_TEXT_SIZE];
	if (!is_whole(&subnet->ip_range, span))
		tree_comment(
			map,
			"the range was %s to %s%s; ip_range is a prefix, and %s is the largest "
			"one in it",
			ip_format(&span->first, from), ip_format(&span->last, to),
			excludes ? " without what is excluded" : "",
			prefix_format(&subnet->ip_range, text));
}

void range_to_block(struct tree *map, struct subnet *subnet, struct ip first, struct ip last,
		    const json_t *exclude)
{
	struct span span = {.first = first, .last = last};
	char from[IP_TEXT_SIZE], to[IP_TEXT_SIZE], text[PREFIX_TEXT_SIZE];
	if (ip_compare(&first, &last) > 0 || !prefix_contains(&subnet->prefix, &first) ||
	    !prefix_contains(&subnet->prefix, &last)) {
		import_edit(map, "ip_range", "%s to %s is not a range of addresses in %s",
			    ip_format(&first, from), ip_format(&last, to),
			    prefix_format(&subnet->prefix, text));
		return;
	}
	const struct excluded excluded = excluded_read(map, subnet, exclude);
	const bool excludes = excluded.count > 0;
	excluded_reserve(map, subnet, &excluded);
	widen(&subnet->prefix, &span);
	complete(map, subnet, &span);
	subnet->ip_range = block_excluding(&span, &excluded);
	if (subnet->ip_range.ip.family) {
		range_report(map, subnet, &span, excludes);
		return;
	}
	subnet->ip_range = subnet->prefix;
	import_edit(map, "ip_range", "every address of %s is excluded",
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
	aux_remove(subnet, &subnet->gateway);
	if (!router->family || ip_equal(router, &subnet->gateway) ||
	    !prefix_contains(&subnet->ip_range, router) ||
	    !prefix_usable(&subnet->prefix, router) || has_aux(subnet, router))
		return;
	*array_push(map->arena, subnet->aux, subnet->n_aux) =
		(struct aux_address){.name = "gateway", .ip = *router};
}
