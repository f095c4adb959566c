#include "cmd/reference/reference.h"

#include <string.h>

/* `where` is the object's path. Objects of several parents, such as routes[], know only its end. */
static void collect(struct arena *arena, const struct object *object, const char *where,
		    struct references *all)
{
	for (size_t i = 0; i < object->n_keys; i++) {
		const struct key *key = &object->keys[i];
		const struct object *child = key->object;
		*array_push(arena, all->items, all->count) = (struct reference){
			.path = object == &document_object
					? key->name
					: arena_printf(arena, "%s.%s", where, key->name),
			.object = object,
			.key = key,
		};
		if (child && !child->plain)
			collect(arena, child,
				strchr(child->where, '.')
					? child->where
					: arena_printf(arena, "%s.%s", where, child->where),
				all);
	}
}

struct references references_all(struct arena *arena)
{
	struct references all = {0};
	collect(arena, &document_object, document_object.where, &all);
	return all;
}

/* The length of the first part of a path: up to a dot or an index. */
static size_t part_length(const char *path)
{
	return strcspn(path, ".[");
}

static const char *part_next(const char *path)
{
	path += part_length(path);
	if (*path == '[')
		path += strcspn(path, ".");
	return *path ? path + 1 : path;
}

static bool part_is(const char *path, const char *text)
{
	return part_length(path) == strlen(text) && strncmp(path, text, strlen(text)) == 0;
}

/* Whether the part is a placeholder for a name. */
static bool part_open(const char *path)
{
	return part_is(path, "NAME") || part_is(path, "NET");
}

static bool path_fits(const char *path, const char *word)
{
	if (!*path || !*word)
		return !*path && !*word;
	size_t length = part_length(path);
	bool equal = part_length(word) == length && strncmp(path, word, length) == 0;
	if ((equal || part_open(path)) && path_fits(part_next(path), part_next(word)))
		return true;
	return part_open(path) && path_fits(part_next(path), word);
}

/* The ways in which a word can match a key, the most specific first. */
static bool is_path(struct arena *arena, const struct key *key, const char *path, const char *word)
{
	(void)arena, (void)key;
	return path_fits(path, word);
}

static bool is_end(struct arena *arena, const struct key *key, const char *path, const char *word)
{
	(void)arena, (void)key;
	for (; *path; path = part_next(path))
		if (!part_open(path) && path_fits(path, word))
			return true;
	return false;
}

static bool is_entry(struct arena *arena, const struct key *key, const char *path, const char *word)
{
	bool named = key->type == KEY_MAP || key->type == KEY_NAMES;
	return named && path_fits(arena_printf(arena, "%s.NAME", path), word);
}

struct references references_find(struct arena *arena, const struct references *all,
				  const char *word)
{
	static bool (*const ways[])(struct arena *, const struct key *, const char *,
				    const char *) = {is_path, is_end, is_entry};
	struct references found = {0};
	for (size_t way = 0; way < sizeof(ways) / sizeof(*ways) && !found.count; way++)
		for (size_t i = 0; i < all->count; i++)
			if (ways[way](arena, all->items[i].key, all->items[i].path, word))
				*array_push(arena, found.items, found.count) = all->items[i];
	return found;
}

const char *reference_type(struct arena *arena, const struct key *key)
{
	static const char *const texts[] = {
		[KEY_NAME] = "a name",
		[KEY_PARENT] = "a link of the host",
		[KEY_INTERFACE] = "a link's name",
		[KEY_ALTNAME] = "a link's name",
		[KEY_NETNS] = "a network namespace's name or absolute path",
		[KEY_PID] = "a process id",
		[KEY_ENGINE] = "a container's name or id, or Compose's project/service",
		[KEY_POD] = "a pod's NAMESPACE/NAME, or a container's name",
		[KEY_PATH] = "the absolute path of a file",
		[KEY_LXC] = "a name, or the absolute path of a container's folder",
		[KEY_INCUS] = "a name, or PROJECT/NAME",
		[KEY_UNIT] = "the name of a service's unit",
		[KEY_MACHINE] = "a machine's name",
		[KEY_SYSCTL] = "a sysctl with IFNAME in it",
		[KEY_VALUE] = "a line of text",
		[KEY_HOST] = "a host's name, or a glob of names",
		[KEY_HOST_NAME] = "a host's name",
		[KEY_BOOL] = "true or false",
		[KEY_WORD] = "one of the words below",
		[KEY_IP] = "an IP address",
		[KEY_IPV4] = "an IPv4 address",
		[KEY_IPV6] = "an IPv6 address",
		[KEY_PREFIX] = "a prefix",
		[KEY_DESTINATION] = "a prefix or an IP address",
		[KEY_MAC] = "a MAC address",
		[KEY_RANGE] = "a prefix, FIRST-LAST, a list of these, or a map of hosts to them",
		[KEY_EXCLUDE] = "an address, FIRST-LAST, a prefix, or a list of these",
		[KEY_OBJECT] = "a map",
		[KEY_LIST] = "a list",
		[KEY_MAP] = "a map",
		[KEY_NAMES] = "a list of names, or a map of names to maps",
	};
	if (key->type == KEY_NUMBER)
		return arena_printf(arena, "a number from %lld to %lld", key->min, key->max);
	return key->or_bool ? arena_printf(arena, "%s, or true or false", texts[key->type])
			    : texts[key->type];
}
