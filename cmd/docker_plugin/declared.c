#include "cmd/docker_plugin/declared.h"

#include "container_engine/container_name.h"
#include "container_engine/engine.h"
#include "container_engine/http.h"
#include "container_engine/json.h"
#include "reconcile/observe/observe.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Docker answers in a few milliseconds, or not before this call has been answered. */
#define PATIENCE_MS 500

static const struct container *next_declared(const struct network_of_set *where, size_t *at)
{
	while (*at < where->set->n_containers) {
		const struct container *container = &where->set->containers[(*at)++];
		if (container->source_kind == SOURCE_DOCKER &&
		    container_attachment(container, where->network))
			return container;
	}
	return NULL;
}

const struct container *docker_declared(const struct network_of_set *where, const struct ip *ip)
{
	size_t at = 0;
	for (const struct container *container; (container = next_declared(where, &at));) {
		const struct attachment *attachment =
			container_attachment(container, where->network);
		if (ip->family && attachment_has_address(attachment, ip))
			return container;
	}
	return NULL;
}

static bool is_attached(const struct live *live, const struct owner_tag *tag)
{
	for (size_t i = 0; i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			if (owner_tag_equal(&live->namespaces[i]->links[k].tag, tag))
				return true;
	return false;
}

int docker_declared_check(const struct network_of_set *where, const struct container *declared,
			  struct error *error)
{
	const struct owner_tag tag =
		owner_tag_of(where->set, declared, container_attachment(declared, where->network));
	struct live *live = observe_owner_tags(NULL, error);
	if (!live)
		return -error->errnum;
	const bool attached = is_attached(live, &tag);
	live_free(live);
	if (!attached)
		return 0;
	error_set(error, EADDRINUSE, "container %s, which has this address, is attached already",
		  declared->source);
	error_hint(error, "choose another address with --ip");
	return error_code(error, CODE_DOCKER_ADDRESS);
}

static const struct container *declared_named(const struct network_of_set *where, const char *name)
{
	size_t at = 0;
	for (const struct container *container; (container = next_declared(where, &at));)
		if (engine_name_means(container->source, NULL, name))
			return container;
	return NULL;
}

/* While a container starts, Docker lists it under "ep-" and the endpoint's id. */
static const char *name_in(const json_t *network, const char *endpoint, struct arena *arena)
{
	const json_t *members = json_object_get(network, "Containers");
	const json_t *member = json_object_get(members, arena_printf(arena, "ep-%s", endpoint));
	const char *name = engine_json_text(member, "Name");
	return name && *name ? arena_strdup(arena, name) : NULL;
}

static const char *name_query(const struct docker_work *work)
{
	json_t *network = NULL;
	struct error ignored;
	const char *name = NULL;
	struct engines *engines = engines_new(NULL);
	engine_patience = PATIENCE_MS;
	const char *path = arena_printf(work->arena, "/networks/%s", work->call->network_id);
	if (engine_get(engines, SOURCE_DOCKER, path, &network, &ignored) == 0)
		name = name_in(network, work->call->endpoint_id, work->arena);
	json_decref(network);
	engines_free(engines);
	return name;
}

static int name_wrong(const struct network_of_set *where, const struct container *declared,
		      const char *name, struct error *error)
{
	char text[IP_TEXT_SIZE];
	const struct attachment *attachment = container_attachment(declared, where->network);
	const struct ip *ip = attachment_address(attachment, AF_UNSPEC);
	error_set(error, EADDRNOTAVAIL, "the files give container %s the address %s",
		  declared->source, ip_format(ip, text));
	if (engine_name_means(declared->source, NULL, name))
		error_hint(error, "add --ip %s", text);
	else
		error_hint(error, "%s needs another address: choose one with --ip", name);
	return error_code(error, CODE_DOCKER_DECLARED);
}

/* A container whose address the files leave open gets any. */
static bool has_address(const struct network_of_set *where, const struct container *declared)
{
	const struct attachment *attachment = container_attachment(declared, where->network);
	return attachment_address(attachment, AF_UNSPEC)->family;
}

int docker_name_check(const struct docker_work *work, const struct network_of_set *where,
		      const struct ip *ip, struct error *error)
{
	size_t at = 0;
	if (!next_declared(where, &at))
		return 0;
	const char *name = name_query(work);
	const struct container *by_name = name ? declared_named(where, name) : NULL,
			       *by_address = docker_declared(where, ip);
	if (!name || by_name == by_address || (by_name && !has_address(where, by_name)))
		return 0;
	return name_wrong(where, by_name ? by_name : by_address, name, error);
}
