#include "kernel/owner_tag.h"

#include "schema/name_rules.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX    "mvapply:"
#define PARTS_MAX 4

/* The numbers of names that an owner tag of each role can have; 0: a list of sets instead. */
static const struct role_row {
	const char *name;
	size_t least, most;
} roles[] = {
	[ROLE_NONE] = {"", 0, 0},         [ROLE_ATTACH] = {"attach", 3, 4},
	[ROLE_GUEST] = {"guest", 4, 4},   [ROLE_HOST] = {"host", 2, 2},
	[ROLE_DUMMY] = {"dummy", 2, 2},   [ROLE_VLAN] = {"vlan", 0, 0},
	[ROLE_PARENT] = {"parent", 0, 0},
};
#define N_ROLES (sizeof(roles) / sizeof(roles[0]))

static const char *role_name(enum role role)
{
	return (size_t)role < N_ROLES ? roles[role].name : "";
}

static enum role role_find(const char *name, size_t length)
{
	for (size_t i = ROLE_NONE + 1; i < N_ROLES && i != ROLE_PARENT; i++)
		if (strlen(roles[i].name) == length && memcmp(roles[i].name, name, length) == 0)
			return (enum role)i;
	return ROLE_NONE;
}

/* Names must be valid in a file: anybody who controls a namespace can set an alias. */
static const char *name_take(struct arena *arena, const char *text, size_t length)
{
	const char *ignored, *name = arena_strndup(arena, text, length);
	return text_problem(KEY_NAME, name, &ignored) ? NULL : name;
}

/* A path of a file of mvapply: the same rules. */
static const char *path_take(struct arena *arena, const char *text)
{
	const char *ignored;
	return !*text || text_problem(KEY_PATH, text, &ignored) ? NULL : arena_strdup(arena, text);
}

/* Returns the number of parts; 0: one of them is no name, or there are more than PARTS_MAX. */
static size_t parts_parse(struct arena *arena, const char *text, const char *parts[])
{
	for (size_t i = 0; i < PARTS_MAX; i++) {
		size_t length = strcspn(text, "/");
		parts[i] = name_take(arena, text, length);
		if (!parts[i] || !text[length])
			return parts[i] ? i + 1 : 0;
		text += length + 1;
	}
	return 0;
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool sets_parse(struct arena *arena, const char *text, struct owner_tag *tag)
{
	for (;; text++) {
		size_t length = strcspn(text, ",");
		const char *name = name_take(arena, text, length);
		if (!name || strchr(name, '/'))
			return false;
		*array_push(arena, tag->sets, tag->n_sets) = name;
		text += length;
		if (!*text)
			break;
	}
	qsort(tag->sets, tag->n_sets, sizeof(*tag->sets), text_compare);
	for (size_t i = 1; i < tag->n_sets; i++)
		if (strcmp(tag->sets[i - 1], tag->sets[i]) == 0)
			return false;
	return true;
}

/* Neither names nor paths contain '=', so the first one starts the path. Returns the text with the
 * names; NULL: what follows is no path. */
static const char *path_split(struct arena *arena, const char *text, const char **ret_path)
{
	const char *sign = strchr(text, '=');
	if (!sign)
		return text;
	*ret_path = path_take(arena, sign + 1);
	return *ret_path ? arena_strndup(arena, text, (size_t)(sign - text)) : NULL;
}

struct owner_tag owner_tag_parse(struct arena *arena, const char *alias)
{
	const struct owner_tag none = {.role = ROLE_NONE};
	if (!alias || strncmp(alias, PREFIX, strlen(PREFIX)) != 0)
		return none;
	alias += strlen(PREFIX);
	size_t length = strcspn(alias, ":");
	if (!alias[length])
		return none;
	struct owner_tag tag = {.role = role_find(alias, length)};
	const char *rest = alias + length + 1;

	if (tag.role == ROLE_NONE)
		return none;
	if (tag.role == ROLE_VLAN)
		return sets_parse(arena, rest, &tag) ? tag : none;
	const char *parts[PARTS_MAX] = {NULL};
	if (tag.role == ROLE_ATTACH)
		rest = path_split(arena, rest, &tag.resolv_conf);
	const size_t count = rest ? parts_parse(arena, rest, parts) : 0;
	if (!count || count < roles[tag.role].least || count > roles[tag.role].most)
		return none;
	tag.set = parts[0];
	tag.network = parts[1];
	tag.container = tag.role == ROLE_GUEST ? arena_printf(arena, "%s/%s", parts[2], parts[3])
					       : parts[2];
	tag.attachment = tag.role == ROLE_ATTACH ? parts[3] : NULL;
	/* Equal owner tags have equal texts. */
	return tag.attachment && strcmp(tag.attachment, tag.network) == 0 ? none : tag;
}

struct owner_tag owner_tag_of(const struct set *set, const struct container *container,
			      const struct attachment *attachment)
{
	return (struct owner_tag){.role = container->guest ? ROLE_GUEST : ROLE_ATTACH,
				  .set = set->name,
				  .network = attachment->network->name,
				  .container = container->name,
				  .attachment = attachment_own_name(attachment),
				  .resolv_conf = attachment->resolv_conf};
}

static const char *sets_format(struct arena *arena, const struct owner_tag *tag)
{
	if (tag->n_sets == 0)
		return NULL;
	const char *text = PREFIX "vlan:";
	for (size_t i = 0; i < tag->n_sets; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? "," : "", tag->sets[i]);
	return text;
}

const char *owner_tag_format(struct arena *arena, const struct owner_tag *tag)
{
	const char *text = NULL;
	switch (tag->role) {
	case ROLE_NONE:
	case ROLE_PARENT:
		return NULL;
	case ROLE_ATTACH:
	case ROLE_GUEST:
		text = arena_printf(
			arena, PREFIX "%s:%s/%s/%s%s%s%s%s", role_name(tag->role), tag->set,
			tag->network, tag->container, tag->attachment ? "/" : "",
			tag->attachment ? tag->attachment : "", tag->resolv_conf ? "=" : "",
			tag->resolv_conf ? tag->resolv_conf : "");
		break;
	case ROLE_HOST:
	case ROLE_DUMMY:
		text = arena_printf(arena, PREFIX "%s:%s/%s", role_name(tag->role), tag->set,
				    tag->network);
		break;
	case ROLE_VLAN:
		text = sets_format(arena, tag);
		break;
	}
	return text && strlen(text) <= ALIAS_LENGTH_MAX ? text : NULL;
}

const char *owner_tag_identity(struct arena *arena, const struct owner_tag *tag)
{
	struct owner_tag identity = *tag;
	identity.resolv_conf = NULL;
	return owner_tag_format(arena, &identity);
}

bool role_in_container(enum role role)
{
	return role == ROLE_ATTACH || role == ROLE_GUEST;
}

const char *owner_tag_attachment(const struct owner_tag *tag)
{
	if (!role_in_container(tag->role))
		return NULL;
	return tag->attachment ? tag->attachment : tag->network;
}

struct guest_label owner_tag_guest(struct arena *arena, const struct owner_tag *tag)
{
	const size_t length = strcspn(tag->container, "/");
	const char *key = tag->container + length + 1;
	return (struct guest_label){.name = arena_strndup(arena, tag->container, length),
				    .source = arena_strndup(arena, key, strcspn(key, "."))};
}

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool owner_tag_equal(const struct owner_tag *a, const struct owner_tag *b)
{
	if (a->role != b->role || !text_equal(a->set, b->set) ||
	    !text_equal(a->network, b->network) || !text_equal(a->container, b->container) ||
	    !text_equal(a->attachment, b->attachment) || a->n_sets != b->n_sets)
		return false;
	for (size_t i = 0; i < a->n_sets; i++)
		if (strcmp(a->sets[i], b->sets[i]) != 0)
			return false;
	return true;
}

bool owner_tag_has_set(const struct owner_tag *tag, const char *set)
{
	if (tag->role != ROLE_VLAN)
		return tag->set && strcmp(tag->set, set) == 0;
	for (size_t i = 0; i < tag->n_sets; i++)
		if (strcmp(tag->sets[i], set) == 0)
			return true;
	return false;
}
