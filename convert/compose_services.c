#include "convert/compose_services.h"

#include "convert/docker_options.h"
#include "convert/import_edit.h"
#include "convert/json_read.h"
#include "convert/model_to_yaml.h"
#include "convert/yaml_tree_internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A network of one service. */
struct link {
	const struct compose_network *network;
	const json_t *body;
	long long priority, gw_priority;
};

/* One service on its way into the document. */
struct service {
	const struct compose_project *project;
	const char *name;
	const json_t *body;
	struct tree *map;
	struct link *links; /* in the order in which Compose connects them */
	size_t n_links;
	size_t converted; /* how many of them mvapply attaches */
};

json_t *compose_service_networks(const json_t *service)
{
	json_t *declared = json_object_get(service, "networks");
	json_t *map = json_object();
	if (json_is_object(declared))
		json_object_update(map, declared);
	for (size_t i = 0; i < json_array_size(declared); i++)
		if (json_is_string(json_array_get(declared, i)))
			json_object_set_new(map, json_string_value(json_array_get(declared, i)),
					    json_null());
	if (!json_object_size(map) && !json_object_get(service, "network_mode"))
		json_object_set_new(map, "default", json_null());
	return map;
}

/* How many containers, or NULL. */
static const char *scale_of(const json_t *service, struct arena *arena)
{
	const char *scale = json_word_at(service, "scale", arena);
	return scale ? scale : json_word_at(json_object_get(service, "deploy"), "replicas", arena);
}

static bool has_active_profile(const struct compose_project *project, const json_t *service)
{
	const json_t *profiles = json_object_get(service, "profiles");
	bool active = !json_array_size(profiles) || json_object_get(project->profiles, "*");
	for (size_t i = 0; !active && i < json_array_size(profiles); i++) {
		const char *profile = json_string_value(json_array_get(profiles, i));
		active = profile && json_object_get(project->profiles, profile);
	}
	return active;
}

const char *compose_service_idle(const struct compose_project *project, const json_t *service,
				 struct arena *arena)
{
	const char *scale = scale_of(service, arena);
	const char *profile =
		json_string_value(json_array_get(json_object_get(service, "profiles"), 0));
	if (!has_active_profile(project, service))
		return arena_printf(
			arena, "its profile is not active: to import it, set COMPOSE_PROFILES=%s",
			profile ? profile : "");
	if (scale && strcmp(scale, "0") == 0)
		return "it runs as 0 containers";
	return json_object_get(service, "provider") ? "a provider runs it, not Docker" : NULL;
}

/* One that the file does not declare is as `default`: a bridge. */
static const struct compose_network *network_find(const struct compose_project *project,
						  const struct compose_networks *networks,
						  const char *name, struct arena *arena)
{
	const json_t *number = json_object_get(networks->numbers, name);
	if (number)
		return &networks->items[json_integer_value(number)];
	struct compose_network *network = arena_alloc(arena, sizeof(*network));
	*network = (struct compose_network){
		.name = arena_strdup(arena, name),
		.engine = arena_printf(arena, "%s_%s", project->name, name),
		.gateways = 1,
		.undeclared = strcmp(name, "default") != 0};
	return network;
}

/* compose-go's NetworksByPriority. */
static int compare_links(const void *a, const void *b)
{
	const struct link *one = a, *two = b;
	if (one->priority != two->priority)
		return one->priority > two->priority ? -1 : 1;
	return strcmp(one->network->name, two->network->name);
}

static void links_find(struct service *service, const struct compose_networks *networks,
		       const json_t *declared, struct arena *arena)
{
	json_each (declared, member) {
		const struct link link = {.network =
						  network_find(service->project, networks,
							       json_object_iter_key(member), arena),
					  .body = json_object_iter_value(member)};
		service->converted += link.network->kind == NETWORK_CONVERTED;
		*array_push(arena, service->links, service->n_links) = link;
	}
}

static void links_sort(struct service *service)
{
	for (size_t i = 0; i < service->n_links; i++) {
		struct link *link = &service->links[i];
		json_number_at(link->body, "priority", service->map, INT_MAX, &link->priority);
		json_number_at(link->body, "gw_priority", service->map, INT_MAX,
			       &link->gw_priority);
	}
	qsort(service->links, service->n_links, sizeof(*service->links), compare_links);
}

static bool is_converted(const struct link *link)
{
	return link->network->kind == NETWORK_CONVERTED;
}

/* Whether Docker prefers the first for the default route: libnetwork's (*Endpoint).Less. */
static bool routes_before(const struct link *one, const struct link *two)
{
	if (one->gw_priority != two->gw_priority)
		return one->gw_priority > two->gw_priority;
	if (one->network->internal != two->network->internal)
		return two->network->internal;
	if (one->network->gateways != two->network->gateways)
		return one->network->gateways > two->network->gateways;
	return strcmp(one->network->engine, two->network->engine) < 0;
}

/* Beside networks that are left to Docker, a gw_priority above 0 has the default route. */
static void default_route_leave(const struct service *service)
{
	long long most = 0;
	for (size_t i = 0; i < service->n_links; i++)
		if (is_converted(&service->links[i]) && service->links[i].gw_priority > most)
			most = service->links[i].gw_priority;
	for (size_t i = 0; most && i < service->n_links; i++)
		service->links[i].gw_priority -= most;
}

/* Gives the network that has Docker's default route the highest gw_priority, where mvapply would
 * choose another: it takes the first of those with the highest. */
static void default_route(const struct service *service)
{
	struct link *theirs = NULL, *ours = NULL;
	for (size_t i = 0; i < service->n_links; i++) {
		struct link *link = &service->links[i];
		if (!theirs || routes_before(link, theirs))
			theirs = link;
		if (is_converted(link) && !link->network->internal &&
		    (!ours || link->gw_priority > ours->gw_priority))
			ours = link;
	}
	if (ours && !is_converted(theirs))
		default_route_leave(service);
	if (!ours || !is_converted(theirs) || theirs->network->internal)
		return;
	if (theirs != ours)
		theirs->gw_priority = ours->gw_priority + 1;
	if (service->converted < service->n_links && theirs->gw_priority <= 0)
		theirs->gw_priority = 1;
}

static void attachment_take(const struct service *service, struct tree *map,
			    const struct link *link)
{
	static const char *const known[] = {"ipv4_address",   "ipv6_address", "mac_address",
					    "interface_name", "gw_priority",  "priority",
					    "driver_opts",    "aliases",      NULL};
	struct attachment attachment = {.gw_priority = (int)link->gw_priority};
	const json_t *body = link->body;
	import_ipv4_at(body, "ipv4_address", map, &attachment.ipv4);
	import_ipv6_at(body, "ipv6_address", map, &attachment.ipv6);
	if (!import_mac_at(body, "mac_address", map, &attachment.mac) && link == service->links)
		import_mac_at(service->body, "mac_address", map, &attachment.mac);
	attachment.interface_name = json_word_at(body, "interface_name", map->arena);
	docker_endpoint(json_object_get(body, "driver_opts"), map, &attachment);
	json_leftovers(body, known, map);
	if (json_object_get(body, "aliases"))
		tree_comment(
			map,
			"aliases are names in Docker's DNS, which is not available on this network");
	serialise_attachment(map, &attachment);
}

/* The service's own mac_address is that of the first network. */
static void mac_left(const struct service *service)
{
	const char *mac = json_text_at(service->body, "mac_address");
	const char *own = json_text_at(service->links->body, "mac_address");
	if (mac && own && strcasecmp(mac, own) != 0)
		tree_comment(service->map,
			     "mac_address %s is not converted: the network %s has one of its own",
			     mac, service->links->network->name);
	else if (mac && !is_converted(service->links))
		tree_comment(service->map, "mac_address %s is that of %s, which is left to Docker",
			     mac, service->links->network->name);
}

static void source_take(const struct service *service)
{
	struct arena *arena = service->map->arena;
	const char *own = json_text_at(service->body, "container_name");
	struct container container = {
		.name = service->name,
		.source_kind = SOURCE_DOCKER,
		.source =
			own ? own
			    : arena_printf(arena, "%s/%s", service->project->name, service->name)};
	const char *scale = scale_of(service->body, arena);
	if (scale && strcmp(scale, "1") != 0)
		tree_comment(service->map,
			     "the service runs as %s containers, and an attachment belongs to one: "
			     "declare each by its name (`docker: %s-%s-1`)",
			     scale, service->project->name, service->name);
	serialise_source(service->map, &container);
}

/* The keys of the service that concern networks, other than `networks`. */
static void service_left(const struct service *service)
{
	static const char *const known[] = {"networks", "mac_address", "container_name", "scale",
					    "profiles", "provider",    "deploy",         NULL};
	static const char *const bridged[] = {"ports", "links", "external_links", NULL};
	static const char *const deploy_known[] = {"replicas", NULL};
	const bool mixed = service->converted < service->n_links;
	json_each (service->body, member) {
		const char *key = json_object_iter_key(member);
		const json_t *value = json_object_iter_value(member);
		if (json_key_among(known, key) || (mixed && json_key_among(bridged, key)))
			continue;
		if (strcmp(key, "ports") == 0)
			tree_comment(service->map,
				     "its ports are not published: they are reached at its own "
				     "address");
		else if (strcmp(key, "sysctls") == 0)
			docker_sysctls(value, service->map);
		else
			json_unconverted(key, value, service->map);
	}
	json_leftovers(json_object_get(service->body, "deploy"), deploy_known, service->map);
}

static void attachments_take(const struct service *service)
{
	struct tree *attachments = tree_map(service->map, "networks");
	for (size_t i = 0; i < service->n_links; i++) {
		const struct link *link = &service->links[i];
		if (is_converted(link))
			attachment_take(service, tree_map(attachments, link->network->name), link);
		else if (link->network->undeclared)
			tree_comment(attachments,
				     "%s is not declared under `networks`: Compose refuses it",
				     link->network->name);
		else
			tree_comment(
				attachments,
				"%s is left to Docker: in the Compose file, keep the service on "
				"this network only, and do not set network_mode",
				link->network->name);
	}
}

/* Why the service is no container here, or NULL. */
static const char *service_reason(const struct service *service, struct arena *arena)
{
	const char *mode = json_text_at(service->body, "network_mode");
	const char *idle = compose_service_idle(service->project, service->body, arena);
	if (idle)
		return idle;
	if (mode && json_object_get(service->body, "networks"))
		return arena_printf(arena, "Compose refuses network_mode %s beside networks", mode);
	if (mode)
		return arena_printf(arena, "its network_mode %s is left to Docker", mode);
	if (json_object_get(service->body, "extends"))
		return "what it extends was not found";
	return service->converted ? NULL : "it is on none of these networks";
}

static void service_convert(struct service *service, struct tree *to)
{
	if (!service->links)
		return;
	service->map = tree_map(to, service->name);
	links_sort(service);
	source_take(service);
	default_route(service);
	service_left(service);
	mac_left(service);
	attachments_take(service);
}

/* Returns whether Docker attaches the service, too. */
static bool service_take(const struct compose_project *project,
			 const struct compose_networks *networks, struct tree *to, const char *name,
			 const json_t *body)
{
	struct service service = {.project = project, .name = name, .body = body};
	json_t *declared = compose_service_networks(body);
	links_find(&service, networks, declared, to->arena);
	const char *reason = service_reason(&service, to->arena);
	if (reason)
		tree_comment(to, "%s: %s", name, reason);
	else
		service_convert(&service, to);
	json_decref(declared);
	return !reason && service.converted < service.n_links;
}

void compose_services(const struct compose_project *project,
		      const struct compose_networks *networks, struct tree *document)
{
	const json_t *services = json_object_get(project->root, "services");
	bool mixed = false;
	if (!json_object_size(services))
		return;
	struct tree *to = tree_map(document, "containers");
	json_each (services, member)
		mixed |= service_take(project, networks, to, json_object_iter_key(member),
				      json_object_iter_value(member));
	tree_comment_before(to, to->first,
			    "set `network_mode: none` for each of these services in the Compose "
			    "file%s: mvapply creates their links",
			    mixed ? " that has no network left to Docker" : "");
}
