#include "cmd/docker_plugin/stale.h"

#include "cmd/docker_plugin/await.h"
#include "cmd/docker_plugin/link.h"
#include "container_engine/engine.h"
#include "container_engine/json.h"
#include "reconcile/apply/apply.h"
#include "reconcile/observe/observe.h"

#include <errno.h>
#include <string.h>

/* Names of links, in the arena. */
struct names {
	struct arena *arena;
	const char **items;
	size_t count;
};

static bool names_have(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

static void names_add(struct names *names, const char *name)
{
	*array_push(names->arena, names->items, names->count) = arena_strdup(names->arena, name);
}

/* The links of endpoints in the host's namespace: Docker takes them into containers. */
static void candidates_find(struct names *names)
{
	struct error ignored;
	struct live *live = observe_owner_tags(NULL, &ignored);
	for (size_t i = 0; live && i < live->namespaces[0]->n_links; i++) {
		const struct live_link *link = &live->namespaces[0]->links[i];
		if (role_in_container(link->tag.role) && endpoint_link_named(link->name))
			names_add(names, link->name);
	}
	live_free(live);
}

static void endpoints_add(struct names *names, const json_t *network)
{
	json_t *members = json_object_get(network, "Containers"), *member;
	const char *key;
	json_object_foreach(members, key, member)
	{
		const char *id = engine_json_text(member, "EndpointID");
		if (id)
			names_add(names, endpoint_link_name(id, names->arena));
	}
}

static int network_add(struct engines *engines, struct names *names, const json_t *item)
{
	json_t *network = NULL;
	struct error ignored;
	const char *id = engine_json_text(item, "Id"), *driver = engine_json_text(item, "Driver");
	if (!id || !driver || strcmp(driver, "mvapply") != 0)
		return 0;
	const int status =
		engine_get(engines, SOURCE_DOCKER, arena_printf(names->arena, "/networks/%s", id),
			   &network, &ignored);
	endpoints_add(names, network);
	json_decref(network);
	return status;
}

/* Returns 0 if all endpoints are known. */
static int endpoints_query(struct names *names)
{
	json_t *networks = NULL, *item;
	struct error ignored;
	size_t i;
	struct engines *engines = engines_new(NULL);
	int status = engine_get(engines, SOURCE_DOCKER, "/networks", &networks, &ignored);
	if (status == 0 && !json_is_array(networks))
		status = -EBADMSG;
	json_array_foreach(networks, i, item) if (status == 0) status =
		network_add(engines, names, item);
	json_decref(networks);
	engines_free(engines);
	return status;
}

static void candidates_delete(const struct names *candidates, const struct names *endpoints)
{
	struct apply_lock lock;
	struct error ignored;
	if (apply_lock(&lock, NULL, &ignored) < 0)
		return;
	for (size_t i = 0; i < candidates->count; i++) {
		struct live_link link;
		const char *name = candidates->items[i];
		if (!names_have(endpoints, name) &&
		    endpoint_link_find(name, candidates->arena, &link, &ignored) == 0 &&
		    role_in_container(link.tag.role))
			(void)endpoint_link_delete(&link, &ignored);
	}
	apply_unlock(&lock);
}

static int stale_try(void *data)
{
	const struct names *candidates = data;
	struct names endpoints = {.arena = candidates->arena};
	const int status = endpoints_query(&endpoints);
	if (status == 0)
		candidates_delete(candidates, &endpoints);
	return status;
}

/* Docker lists a new endpoint after it has got the answer to its creation. */
void docker_stale_delete(void)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct names candidates = {.arena = arena};
	candidates_find(&candidates);
	if (!candidates.count)
		return;
	docker_pause();
	docker_await(stale_try, &candidates);
}
