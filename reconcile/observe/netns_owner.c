#include "reconcile/observe/netns_owner.h"

#include "container_engine/engine.h"
#include "container_engine/http.h"
#include "kernel/netns.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/hashmap.h"
#include "reconcile/observe/engine_trust.h"
#include "reconcile/observe/init_finders.h"
#include "reconcile/observe/init_lookup.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The time budget for each namespace, in milliseconds, in addition to engine_patience. */
#define NAMESPACE_MS 100

struct finding {
	struct arena *arena;
	size_t n_namespaces;
	struct index *origins; /* struct origin, by inode */
	struct stat own;
};

static struct origin *origin_of(const struct finding *finding, ino_t inode)
{
	return index_get(finding->origins, &inode, sizeof(inode));
}

/* Names come before paths, and both before processes (netns_scan). */
static bool place_visit(const struct netns_place *place, void *data)
{
	const struct finding *finding = data;
	struct origin *origin = origin_of(finding, place->inode);
	if (!origin)
		return true;
	if (place->process && !origin->pid)
		origin->pid = arena_strndup(finding->arena, place->path, strcspn(place->path, "/"));
	if (place->process || origin->netns)
		return true;
	origin->netns = arena_strdup(finding->arena, place->netns);
	return true;
}

/* A running container and its namespace, as reported by the engine. */
struct member {
	struct engine_member named;
	struct engine_container container; /* pid 0: no answer, or not running */
};

/* The queries to one engine. */
struct owner_query {
	struct engines *engines;
	struct arena *arena;
	enum source_kind kind;
	struct member *members;
	size_t count;
};

static void member_inspected(void *data, const struct engine_container *container,
			     const struct error *error)
{
	struct member *member = data;
	(void)error;
	if (container)
		member->container = *container;
}

/* An engine that is not running has no containers. */
static void members_listed(void *data, const struct engine_member *members, size_t count,
			   const struct error *error)
{
	struct owner_query *query = data;
	(void)error;
	query->members = arena_alloc(query->arena, count * sizeof(*query->members));
	query->count = count;
	for (size_t i = 0; i < count; i++) {
		query->members[i].named = members[i];
		engine_inspect_begin(query->engines, query->kind, members[i].id, query->arena,
				     member_inspected, &query->members[i]);
	}
}

/* If several containers share a namespace, the first in the engine's list names it. */
static void member_visit(const struct finding *finding, enum source_kind kind,
			 const struct member *member)
{
	struct error ignored;
	struct stat stat;
	if (!member->container.pid)
		return;
	cleanup_close int fd =
		netns_open(arena_printf(finding->arena, "/proc/%d/ns/net", member->container.pid),
			   &finding->own, &stat, &ignored);
	if (fd < 0)
		return;
	struct origin *origin =
		engine_is_trusted(&member->container, fd) ? origin_of(finding, stat.st_ino) : NULL;
	if (!origin || origin->owner)
		return;
	origin->owner_kind = kind;
	origin->owner = member->named.name;
}

/* All are inspected concurrently, within one time budget. */
static void engines_visit(const struct finding *finding)
{
	static const enum source_kind kinds[] = {SOURCE_DOCKER, SOURCE_PODMAN};
	enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };
	struct owner_query queries[N_KINDS];
	struct engines *engines = engines_new(NULL);
	for (size_t k = 0; k < N_KINDS; k++) {
		queries[k] = (struct owner_query){
			.engines = engines, .arena = finding->arena, .kind = kinds[k]};
		engine_list_begin(engines, kinds[k], finding->arena, members_listed, &queries[k]);
	}
	engines_wait(engines, clock_milliseconds() + engine_patience +
				      (int64_t)finding->n_namespaces * NAMESPACE_MS);
	for (size_t k = 0; k < N_KINDS; k++)
		for (size_t i = 0; i < queries[k].count; i++)
			member_visit(finding, kinds[k], &queries[k].members[i]);
	engines_free(engines);
}

/* The containers of one program. */
struct init_listing {
	const struct finding *finding;
	enum source_kind kind;
};

static void init_visited(void *data, const char *source)
{
	const struct init_listing *listing = data;
	struct arena *arena = listing->finding->arena;
	const struct lookup_result found =
		init_locate(arena, listing->kind, source, &listing->finding->own);
	if (found.state != CONTAINER_READY)
		return;
	close(found.fd);
	struct origin *origin = origin_of(listing->finding, found.stat.st_ino);
	if (!origin || origin->owner)
		return;
	origin->owner_kind = listing->kind;
	origin->owner = arena_strdup(arena, source);
}

/* A container can run within a unit, and then names the namespace. */
static void inits_visit(const struct finding *finding)
{
	static const enum source_kind kinds[] = {SOURCE_LXC, SOURCE_INCUS, SOURCE_MACHINE,
						 SOURCE_SYSTEMD};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct init_listing listing = {.finding = finding, .kind = kinds[i]};
		init_finder(kinds[i])->list(finding->arena, init_visited, &listing);
	}
}

struct origin *origins_find(const struct live *live, struct arena *arena)
{
	struct origin *origins = arena_alloc(arena, live->n_namespaces * sizeof(*origins));
	struct finding finding = {.arena = arena,
				  .n_namespaces = live->n_namespaces,
				  .origins = index_new(live->n_namespaces),
				  .own = {.st_dev = live->namespaces[0]->device,
					  .st_ino = live->namespaces[0]->inode}};
	for (size_t i = 0; i < live->n_namespaces; i++)
		index_put(finding.origins, &live->namespaces[i]->inode, sizeof(ino_t), &origins[i]);
	(void)netns_scan(NULL, place_visit, &finding);
	if (live->n_namespaces > 1) {
		engines_visit(&finding);
		inits_visit(&finding);
	}
	index_free(finding.origins);
	return origins;
}

bool origin_source(const struct origin *origin, const char *name, enum source_kind *ret_kind,
		   const char **ret_source)
{
	bool own = origin->netns && strcmp(origin->netns, name) == 0;
	*ret_kind = origin->owner && !own ? origin->owner_kind : SOURCE_NETNS;
	*ret_source = origin->owner && !own ? origin->owner : origin->netns;
	if (*ret_source || !origin->pid)
		return *ret_source != NULL;
	*ret_kind = SOURCE_PID;
	*ret_source = origin->pid;
	return true;
}
