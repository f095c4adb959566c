#include "reconcile/observe/netns_owner.h"

#include "engine/engine.h"
#include "kernel/netns.h"
#include "lib/hashmap.h"
#include "reconcile/observe/engine_trust.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct finding {
	struct arena *arena;
	struct index *origins; /* struct origin, by inode */
	struct stat own;
};

static struct origin *origin_of(const struct finding *finding, ino_t inode)
{
	return index_get(finding->origins, &inode, sizeof(inode));
}

/* Names come before paths, and both before processes (netns_scan). */
static void place_visit(const struct netns_place *place, void *data)
{
	const struct finding *finding = data;
	struct origin *origin = origin_of(finding, place->inode);
	if (!origin)
		return;
	if (place->process && !origin->pid)
		origin->pid = arena_strndup(finding->arena, place->path, strcspn(place->path, "/"));
	if (place->process || origin->netns)
		return;
	origin->netns = arena_strdup(finding->arena, place->netns);
}

static void container_visit(const struct finding *finding, struct engines *engines,
			    enum source_kind kind, const struct engine_member *member)
{
	struct engine_container container;
	struct error ignored;
	struct stat stat;
	if (engine_inspect(engines, kind, member->id, finding->arena, &container, &ignored) < 0 ||
	    !container.pid)
		return;
	int fd = netns_open(arena_printf(finding->arena, "/proc/%d/ns/net", container.pid),
			    &finding->own, &stat, &ignored);
	if (fd < 0)
		return;
	const bool believed = engine_believed(&container, fd);
	close(fd);
	struct origin *origin = believed ? origin_of(finding, stat.st_ino) : NULL;
	if (!origin || origin->engine)
		return;
	origin->engine_kind = kind;
	origin->engine = member->name;
}

/* An engine that is not there has no containers. */
static void engines_visit(const struct finding *finding)
{
	static const enum source_kind kinds[] = {SOURCE_DOCKER, SOURCE_PODMAN};
	struct engines *engines = engines_new(NULL);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct engine_member *members = NULL;
		struct error ignored;
		size_t count = 0;
		if (engine_list(engines, kinds[k], finding->arena, &members, &count, &ignored) < 0)
			continue;
		for (size_t i = 0; i < count; i++)
			container_visit(finding, engines, kinds[k], &members[i]);
	}
	engines_free(engines);
}

struct origin *origins_find(const struct live *live, struct arena *arena)
{
	struct origin *origins = arena_alloc(arena, live->n_namespaces * sizeof(*origins));
	struct finding finding = {.arena = arena,
				  .origins = index_new(live->n_namespaces),
				  .own = {.st_dev = live->namespaces[0]->device,
					  .st_ino = live->namespaces[0]->inode}};
	for (size_t i = 0; i < live->n_namespaces; i++)
		index_put(finding.origins, &live->namespaces[i]->inode, sizeof(ino_t), &origins[i]);
	(void)netns_scan(place_visit, &finding);
	if (live->n_namespaces > 1)
		engines_visit(&finding);
	index_free(finding.origins);
	return origins;
}

bool origin_source(const struct origin *origin, const char *name, enum source_kind *ret_kind,
		   const char **ret_source)
{
	bool own = origin->netns && strcmp(origin->netns, name) == 0;
	*ret_kind = origin->engine && !own ? origin->engine_kind : SOURCE_NETNS;
	*ret_source = origin->engine && !own ? origin->engine : origin->netns;
	if (*ret_source || !origin->pid)
		return *ret_source != NULL;
	*ret_kind = SOURCE_PID;
	*ret_source = origin->pid;
	return true;
}
