#include "convert/compose_merge.h"

#include "convert/compose_yaml.h"
#include "convert/json_read.h"

#include <string.h>

/* Pools of one network that are compared with one another. */
#define POOLS_MAX 64

/* Where a value is. */
struct path {
	const struct path *parent;
	const char *key;
};

/* Each takes both values over. */
typedef json_t *merge(json_t *base, json_t *over, const struct path *path);

static json_t *merge_at(json_t *base, json_t *over, const struct path *path);

/* The value under a tag, or NULL. */
static json_t *tagged(const json_t *json, const char *tag)
{
	return json_object_get(json, tag);
}

/* Removes tags: a value with !reset is null, and removed from maps. Takes over the reference. */
static json_t *stripped(json_t *json)
{
	json_t *value = tagged(json, COMPOSE_OVERRIDE);
	json_t *result = value                         ? json_incref(value)
			 : tagged(json, COMPOSE_RESET) ? json_null()
						       : json_incref(json);
	json_decref(json);
	for (size_t i = 0; i < json_array_size(result); i++)
		json_array_set_new(result, i, stripped(json_incref(json_array_get(result, i))));
	void *next;
	for (void *member = json_object_iter(result); member; member = next) {
		json_t *child = json_object_iter_value(member);
		next = json_object_iter_next(result, member);
		if (tagged(child, COMPOSE_RESET))
			json_object_del(result, json_object_iter_key(member));
		else
			json_object_iter_set_new(result, member, stripped(json_incref(child)));
	}
	return result;
}

static json_t *merge_maps(json_t *base, json_t *over, const struct path *path)
{
	json_each (over, member) {
		const char *key = json_object_iter_key(member);
		const struct path next = {path, key};
		json_t *value = json_object_iter_value(member),
		       *before = json_object_get(base, key);
		if (tagged(value, COMPOSE_RESET))
			json_object_del(base, key);
		else
			json_object_set_new(base, key,
					    merge_at(before ? json_incref(before) : NULL,
						     json_incref(value), &next));
	}
	json_decref(over);
	return base;
}

static json_t *merge_lists(json_t *base, json_t *over)
{
	over = stripped(over);
	json_array_extend(base, over);
	json_decref(over);
	return base;
}

/* A list of names as a map of them. */
static json_t *as_map(json_t *json)
{
	json_t *map = json_object();
	for (size_t i = 0; i < json_array_size(json); i++)
		if (json_is_string(json_array_get(json, i)))
			json_object_set_new(map, json_string_value(json_array_get(json, i)),
					    json_null());
	if (json_is_object(json))
		json_object_update(map, json);
	json_decref(json);
	return map;
}

static json_t *merge_names(json_t *base, json_t *over, const struct path *path)
{
	return merge_maps(as_map(base), as_map(over), path);
}

static bool same_subnet(const json_t *pool, const json_t *other)
{
	const char *one = json_text_at(pool, "subnet"), *two = json_text_at(other, "subnet");
	return one == two || (one && two && strcmp(one, two) == 0);
}

/* Among the first `count` pools. */
static size_t pool_find(const json_t *pools, size_t count, const json_t *pool)
{
	size_t i = 0;
	while (i < count && !same_subnet(json_array_get(pools, i), pool))
		i++;
	return i;
}

/* compose-go's mergeIPAMConfig: pools of the same subnet are merged; where the files have none in
 * common, the later file's take the place of those before. */
static json_t *merge_pools(json_t *base, json_t *over, const struct path *path)
{
	const struct path item = {path, ""};
	const size_t before = json_array_size(base);
	bool common = false;
	over = stripped(over);
	for (size_t i = 0; before <= POOLS_MAX && i < json_array_size(over); i++) {
		json_t *pool = json_array_get(over, i);
		const size_t found = pool_find(base, before, pool);
		common |= found < before;
		if (found < before)
			json_array_set_new(base, found,
					   merge_at(json_incref(json_array_get(base, found)),
						    json_incref(pool), &item));
		else
			json_array_append(base, pool);
	}
	if (!common) {
		json_decref(base);
		return over;
	}
	json_decref(over);
	return base;
}

/* Rules for some places, from the inside out; "*" is any key. */
static const struct rule {
	const char *pattern[5];
	merge *merge;
} rules[] = {
	{{"networks", "*", "services"}, merge_names},
	{{"config", "ipam", "*", "networks"}, merge_pools},
};

static merge *rule_at(const struct path *path)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct path *at = path;
		const char *const *part = rules[i].pattern;
		while (at && *part && (strcmp(*part, "*") == 0 || strcmp(*part, at->key) == 0)) {
			at = at->parent;
			part++;
		}
		if (!at && !*part)
			return rules[i].merge;
	}
	return NULL;
}

static json_t *merge_at(json_t *base, json_t *over, const struct path *path)
{
	merge *special = rule_at(path);
	if (!base || tagged(over, COMPOSE_OVERRIDE) || tagged(over, COMPOSE_RESET)) {
		json_decref(base);
		return stripped(over);
	}
	if (special)
		return special(base, over, path);
	if (json_is_object(base) && json_is_object(over))
		return merge_maps(base, over, path);
	if (json_is_array(base) && json_is_array(over))
		return merge_lists(base, over);
	json_t *result = json_is_null(over) ? json_incref(base) : stripped(json_incref(over));
	json_decref(base);
	json_decref(over);
	return result;
}

json_t *compose_merge(json_t *base, json_t *over, enum compose_level level)
{
	static const struct path services = {NULL, "services"}, networks = {NULL, "networks"};
	static const struct path service = {&services, "*"}, network = {&networks, "*"};
	return merge_at(base, over,
			level == COMPOSE_SERVICE   ? &service
			: level == COMPOSE_NETWORK ? &network
						   : NULL);
}
