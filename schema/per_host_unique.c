/* The hosts that the input names, and the values that must be unique on each of them. */
#include "schema/hosts.h"
#include "schema/internal.h"

#include <string.h>

/* Values of one name: linked if they have no host in common. */
struct host_unique {
	struct host_unique *next;
	const struct hosts *hosts;
	void *value;
};

struct host_assignments {
	struct host_unique *all, *globs;
};

/* The limit of host comparisons, which take about a second. */
#define EFFORT_MAX ((size_t)256 << 20)
/* The cost of a glob, in comparisons of names. */
#define GLOB_EFFORT 8

void host_note(struct build *build, const char *host)
{
	if (index_get_text(build->host_index, host))
		return;
	*array_push(build->context.scratch, build->hosts, build->n_hosts) = host;
	index_put_text(build->host_index, host, build->hosts);
}

bool hosts_affordable(struct build *build, const struct hosts *hosts, size_t count)
{
	if (build->effort > EFFORT_MAX)
		return false;
	build->effort += (hosts->count * (hosts_open(hosts) ? GLOB_EFFORT : 1) + 1) * (count + 1);
	if (build->effort > EFFORT_MAX)
		report_place(&build->context, CODE_TOO_MUCH, 0, 0,
			     "list fewer hosts, or use fewer globs",
			     "the files have too many hosts and globs to compare");
	return build->effort <= EFFORT_MAX;
}

static void check_twice(struct build *build, const struct scope *scope, const struct node *item,
			const struct hosts *hosts, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(hosts->items[i], hosts->items[index]) != 0)
			continue;
		struct scope here = {.up = scope, .index = index};
		report(&build->context, CODE_DECLARED_TWICE, &here, item, "remove one of the two",
		       "%s is listed twice", printable_text(&build->context, item->text));
		build->multi_host_unsure = true;
		return;
	}
}

void hosts_take(struct build *build, const struct scope *scope, const struct node *body,
		struct hosts *hosts)
{
	/* Replaces an invalid entry, since an empty list would mean every host. */
	static const char *nobody[] = {""};
	const struct node *list = node_get(body, "hosts"), *item = list ? list->first : NULL;
	struct scope here = {.up = scope, .name = "hosts"};
	if (!list)
		return;
	build->multi_host = true;
	build->multi_host_unsure |= list->bad;
	if (!hosts->count)
		*hosts = (struct hosts){nobody, 1};
	for (size_t i = 0; item && i < hosts->count; i++, item = item->next) {
		build->multi_host_unsure |= item->bad;
		if (!hosts->items[i])
			hosts->items[i] = "";
		else if (!host_is_glob(hosts->items[i]))
			host_note(build, hosts->items[i]);
		check_twice(build, &here, item, hosts, i);
	}
}

struct host_uniques host_uniques_new(size_t expected)
{
	return (struct host_uniques){index_new(expected), index_new(0), index_new(0)};
}

void host_uniques_free(struct host_uniques *uniques)
{
	index_free(uniques->everywhere);
	index_free(uniques->somewhere);
	index_free(uniques->named);
}

static struct host_unique *host_unique_find(struct build *build, struct host_unique *first,
					    const struct hosts *hosts)
{
	for (struct host_unique *other = first; other; other = other->next)
		if (hosts_affordable(build, hosts, other->hosts->count) &&
		    hosts_meet(hosts, other->hosts))
			return other;
	return NULL;
}

static void host_unique_add(struct build *build, struct host_unique **first,
			    const struct hosts *hosts, void *value)
{
	struct host_unique *unique = arena_alloc(build->context.scratch, sizeof(*unique));
	*unique = (struct host_unique){.next = *first, .hosts = hosts, .value = value};
	*first = unique;
}

/* Adds the value for each named host of it, or returns the value that has such a host. */
static void *host_uniques_enter_named(struct build *build, struct host_uniques *uniques,
				      const char *name, const struct hosts *hosts, void *value)
{
	for (size_t i = 0; i < hosts->count; i++) {
		const char *key = hint_text(&build->context, "%s\n%s", name, hosts->items[i]);
		void *other = host_is_glob(hosts->items[i])
				      ? NULL
				      : index_put_text(uniques->named, key, value);
		if (other && other != value)
			return other;
	}
	return NULL;
}

/* Names are looked up in an index; globs are compared with each entry. */
static void *host_uniques_enter_somewhere(struct build *build, struct host_uniques *uniques,
					  struct host_assignments *assignments, const char *name,
					  const struct hosts *hosts, void *value)
{
	bool open = hosts_open(hosts);
	void *other = host_uniques_enter_named(build, uniques, name, hosts, value);
	if (other)
		return other;
	const struct host_unique *unique =
		host_unique_find(build, open ? assignments->all : assignments->globs, hosts);
	if (unique)
		return unique->value;
	host_unique_add(build, &assignments->all, hosts, value);
	if (open)
		host_unique_add(build, &assignments->globs, hosts, value);
	return NULL;
}

void *host_uniques_enter(struct build *build, struct host_uniques *uniques, const char *name,
			 const struct hosts *hosts, void *value)
{
	struct host_assignments *assignments = index_get_text(uniques->somewhere, name);
	if (!hosts->count)
		return assignments ? assignments->all->value
				   : index_put_text(uniques->everywhere, name, value);
	void *other = index_get_text(uniques->everywhere, name);
	if (other)
		return other;
	if (!assignments) {
		assignments = arena_alloc(build->context.scratch, sizeof(*assignments));
		index_put_text(uniques->somewhere, name, assignments);
	}
	return host_uniques_enter_somewhere(build, uniques, assignments, name, hosts, value);
}
