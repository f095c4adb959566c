#include "cmd/docker_plugin/networks.h"

#include "cmd/attach/files.h"
#include "cmd/docker_plugin/await.h"
#include "cmd/docker_plugin/gateway.h"
#include "cmd/docker_plugin/network_changes.h"
#include "cmd/output_text.h"
#include "container_engine/engine.h"
#include "container_engine/json.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* A comparison in progress. */
struct comparison {
	const struct desired *desired;
	struct engines *engines;
	struct arena *arena;
};

static json_t *subnet_json(const struct subnet *subnet)
{
	char prefix[PREFIX_TEXT_SIZE], gateway[IP_TEXT_SIZE];
	json_t *json = json_pack("{s:s}", "Subnet", prefix_format(&subnet->prefix, prefix));
	if (docker_has_gateway(subnet))
		json_object_set_new(json, "Gateway",
				    json_string(ip_format(&subnet->gateway, gateway)));
	return json;
}

/* Docker's NetworkCreate: one subnet of a family, as the plugin's pools are. */
static json_t *network_json(const struct set *set, const struct network *network)
{
	json_t *subnets = json_array();
	json_t *options =
		json_pack("{s:o}", "network", json_sprintf("%s/%s", set->name, network->name));
	for (size_t i = 0; i < network->n_subnets; i++)
		json_array_append_new(subnets, subnet_json(&network->subnets[i]));
	return json_pack("{s:s, s:s, s:b, s:b, s:O, s:{s:O}, s:{s:s, s:o, s:o}}", "Name",
			 network->docker, "Driver", "mvapply", "CheckDuplicate", 1, "EnableIPv6",
			 network_has_family(network, AF_INET6), "Options", options, "Labels",
			 DOCKER_NETWORK_LABEL, json_object_get(options, "network"), "IPAM",
			 "Driver", "mvapply", "Options", options, "Config", subnets);
}

static void failure_report(struct error *error, const char *verb, const char *name)
{
	error_prepend(error, "cannot %s Docker's network %s", verb, name);
	text_error(error);
}

static void network_create(const struct comparison *comparison, const struct network_change *change)
{
	struct error error;
	json_t *body = network_json(change->set, change->network), *answer = NULL;
	if (engine_post(comparison->engines, SOURCE_DOCKER, "/networks/create", body, &answer,
			&error) < 0)
		failure_report(&error, "create", change->name);
	json_decref(body);
	json_decref(answer);
}

/* "/my-db" */
static const char *name_of(const json_t *container)
{
	const json_t *name = json_array_get(json_object_get(container, "Names"), 0);
	const char *text = json_is_string(name) ? json_string_value(name) : "?";
	return *text == '/' ? text + 1 : text;
}

/* Before its first start, a container has the name of the network alone. */
static bool uses(const json_t *container, const struct network_change *change)
{
	json_t *networks =
		       json_object_get(json_object_get(container, "NetworkSettings"), "Networks"),
	       *endpoint;
	const char *name;
	json_object_foreach(networks, name, endpoint)
	{
		const char *id = engine_json_text(endpoint, "NetworkID");
		if (strcmp(name, change->name) == 0 || (id && strcmp(id, change->id) == 0))
			return true;
	}
	return false;
}

/* The containers of the network, also those that do not run: "db, web"; NULL: none. */
static int users_find(const struct comparison *comparison, const struct network_change *change,
		      const char **ret, struct error *error)
{
	json_t *containers = NULL;
	const json_t *container;
	size_t i;
	const int status = engine_get(comparison->engines, SOURCE_DOCKER,
				      "/containers/json?all=true", &containers, error);
	*ret = NULL;
	json_array_foreach(containers, i, container)
	{
		if (uses(container, change))
			*ret = arena_printf(comparison->arena, "%s%s%s", *ret ? *ret : "",
					    *ret ? ", " : "", name_of(container));
	}
	json_decref(containers);
	return status;
}

static int used_error(const char *users, struct error *error)
{
	error_set(error, EBUSY, "containers use it: %s", users);
	error_hint(error, "remove these containers, and run `systemctl restart "
			  "mvapply-docker.service`");
	return error_code(error, CODE_DOCKER_USED);
}

static int network_remove(const struct comparison *comparison, const struct network_change *change,
			  struct error *error)
{
	const char *users;
	const int status = users_find(comparison, change, &users, error);
	if (status < 0)
		return status;
	return users ? used_error(users, error)
		     : engine_delete(comparison->engines, SOURCE_DOCKER,
				     arena_printf(comparison->arena, "/networks/%s", change->id),
				     error);
}

static void change_apply(const struct comparison *comparison, const struct network_change *change)
{
	struct error error;
	if (change->id && network_remove(comparison, change, &error) < 0)
		failure_report(&error, change->network ? "replace" : "remove", change->name);
	else if (change->network)
		network_create(comparison, change);
}

/* Returns 0 if Docker has answered. */
static int changes_query(const struct comparison *comparison, struct network_changes *ret)
{
	json_t *networks = NULL;
	struct error ignored;
	const int status =
		engine_get(comparison->engines, SOURCE_DOCKER, "/networks", &networks, &ignored);
	if (status == 0)
		*ret = network_changes_find(comparison->desired, networks, comparison->arena);
	json_decref(networks);
	return status;
}

static int networks_try(void *data)
{
	struct comparison comparison = *(const struct comparison *)data;
	struct network_changes changes = {0};
	comparison.engines = engines_new(NULL);
	const int status = changes_query(&comparison, &changes);
	for (size_t i = 0; i < changes.count; i++)
		change_apply(&comparison, &changes.items[i]);
	engines_free(comparison.engines);
	return status;
}

/* Mistakes in the files are errors of Docker's calls, which show them. */
void docker_networks_apply(const struct options *options)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct error ignored;
	struct desired *desired = attach_files_load(options, &ignored);
	struct comparison comparison = {.desired = desired, .arena = arena};
	if (desired)
		docker_await(networks_try, &comparison);
	desired_free(desired);
}

static const struct {
	const char *problem, *effect;
} kinds[] = {{"does not exist", "creates"},
	     {"differs from the files", "replaces"},
	     {"is not in the files", "removes"}};

static const char *change_text(const struct comparison *comparison,
			       const struct network_change *change)
{
	const char *users = NULL;
	struct error ignored;
	const size_t kind = !change->id ? 0 : change->network ? 1 : 2;
	const char *first = "";
	if (change->id && users_find(comparison, change, &users, &ignored) == 0 && users)
		first = arena_printf(comparison->arena, "remove its containers (%s), then ", users);
	return arena_printf(comparison->arena,
			    "Docker's network %s %s: %s`systemctl restart "
			    "mvapply-docker.service` %s it",
			    change->name, kinds[kind].problem, first, kinds[kind].effect);
}

static bool is_docker_network(const struct network *network)
{
	return network->docker;
}

bool docker_networks_declared(const struct desired *desired)
{
	return desired_any_network(desired, is_docker_network);
}

size_t docker_networks_differing(const struct desired *desired, struct arena *arena,
				 const char ***ret)
{
	struct comparison comparison = {
		.desired = desired, .arena = arena, .engines = engines_new(NULL)};
	struct network_changes changes = {0};
	size_t count = 0;
	*ret = NULL;
	(void)changes_query(&comparison, &changes);
	for (size_t i = 0; i < changes.count; i++)
		*array_push(arena, *ret, count) = change_text(&comparison, &changes.items[i]);
	engines_free(comparison.engines);
	return count;
}

void docker_networks_report(const struct desired *desired, struct options *options)
{
	const char **texts;
	if (!docker_networks_declared(desired))
		return;
	const size_t count = docker_networks_differing(desired, options->arena, &texts);
	for (size_t i = 0; i < count; i++) {
		const char *warning = coded(options->arena, texts[i], CODE_DOCKER_DIFFERS);
		if (options->output == OUTPUT_JSON)
			*array_push(options->arena, options->warnings, options->n_warnings) =
				warning;
		else
			text_warning(warning);
	}
}
