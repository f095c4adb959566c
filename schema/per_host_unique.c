/* The hosts that the input names, and what may be there once on each of them. */
#include "schema/hosts.h"
#include "schema/internal.h"

#include <string.h>

/* One of those that have something, each for itself if they have no host in common. */
struct tenant {
	struct tenant *next;
	const struct hosts *hosts;
	void *value;
};

struct tenancy {
	struct tenant *all, *globs;
};

/* Comparisons of two hosts, which take a second or so. */
#define EFFORT_MAX ((size_t)256 << 20)
/* What a glob costs, in those of names. */
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
			     "name fewer hosts, or use fewer globs",
			     "there are more hosts and globs here than can be compared");
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
		       "%s stands twice", shown(&build->context, item->text));
		build->fleet_unsure = true;
		return;
	}
}

void hosts_take(struct build *build, const struct scope *scope, const struct node *body,
		struct hosts *hosts)
{
	/* Stands for a wrong entry, so that the list does not mean every host. */
	static const char *nobody[] = {""};
	const struct node *list = node_get(body, "hosts"), *item = list ? list->first : NULL;
	struct scope here = {.up = scope, .name = "hosts"};
	if (!list)
		return;
	build->fleet = true;
	build->fleet_unsure |= list->bad;
	if (!hosts->count)
		*hosts = (struct hosts){nobody, 1};
	for (size_t i = 0; item && i < hosts->count; i++, item = item->next) {
		build->fleet_unsure |= item->bad;
		if (!hosts->items[i])
			hosts->items[i] = "";
		else if (!host_is_glob(hosts->items[i]))
			host_note(build, hosts->items[i]);
		check_twice(build, &here, item, hosts, i);
	}
}

struct tenants tenants_new(size_t expected)
{
	return (struct tenants){index_new(expected), index_new(0), index_new(0)};
}

void tenants_free(struct tenants *tenants)
{
	index_free(tenants->everywhere);
	index_free(tenants->somewhere);
	index_free(tenants->named);
}

static struct tenant *tenant_find(struct build *build, struct tenant *first,
				  const struct hosts *hosts)
{
	for (struct tenant *other = first; other; other = other->next)
		if (hosts_affordable(build, hosts, other->hosts->count) &&
		    hosts_meet(hosts, other->hosts))
			return other;
	return NULL;
}

static void tenant_add(struct build *build, struct tenant **first, const struct hosts *hosts,
		       void *value)
{
	struct tenant *tenant = arena_alloc(build->context.scratch, sizeof(*tenant));
	*tenant = (struct tenant){.next = *first, .hosts = hosts, .value = value};
	*first = tenant;
}

/* Enters it for each of its hosts that has a name, or returns the one that has such a host. */
static void *tenants_enter_named(struct build *build, struct tenants *tenants, const char *name,
				 const struct hosts *hosts, void *value)
{
	for (size_t i = 0; i < hosts->count; i++) {
		const char *key = hint_text(&build->context, "%s\n%s", name, hosts->items[i]);
		void *other = host_is_glob(hosts->items[i])
				      ? NULL
				      : index_put_text(tenants->named, key, value);
		if (other && other != value)
			return other;
	}
	return NULL;
}

/* Names are looked up; only where there are globs has each to be compared with each. */
static void *tenants_enter_somewhere(struct build *build, struct tenants *tenants,
				     struct tenancy *tenancy, const char *name,
				     const struct hosts *hosts, void *value)
{
	bool open = hosts_open(hosts);
	void *other = tenants_enter_named(build, tenants, name, hosts, value);
	if (other)
		return other;
	const struct tenant *tenant =
		tenant_find(build, open ? tenancy->all : tenancy->globs, hosts);
	if (tenant)
		return tenant->value;
	tenant_add(build, &tenancy->all, hosts, value);
	if (open)
		tenant_add(build, &tenancy->globs, hosts, value);
	return NULL;
}

void *tenants_enter(struct build *build, struct tenants *tenants, const char *name,
		    const struct hosts *hosts, void *value)
{
	struct tenancy *tenancy = index_get_text(tenants->somewhere, name);
	if (!hosts->count)
		return tenancy ? tenancy->all->value
			       : index_put_text(tenants->everywhere, name, value);
	void *other = index_get_text(tenants->everywhere, name);
	if (other)
		return other;
	if (!tenancy) {
		tenancy = arena_alloc(build->context.scratch, sizeof(*tenancy));
		index_put_text(tenants->somewhere, name, tenancy);
	}
	return tenants_enter_somewhere(build, tenants, tenancy, name, hosts, value);
}
