#include "cmd/docker_plugin/networks.h"

#include "cmd/attach/files.h"
#include "cmd/output_text.h"
#include "container_engine/engine.h"
#include "container_engine/json.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Docker answers nothing while it starts. */
#define TRIES         30
#define PAUSE_SECONDS 2

static json_t *subnet_json(const struct subnet *subnet)
{
	char prefix[PREFIX_TEXT_SIZE], gateway[IP_TEXT_SIZE];
	json_t *json = json_pack("{s:s}", "Subnet", prefix_format(&subnet->prefix, prefix));
	if (prefix_contains(&subnet->prefix, &subnet->gateway))
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
	return json_pack("{s:s, s:s, s:b, s:b, s:O, s:{s:s, s:o, s:o}}", "Name", network->docker,
			 "Driver", "mvapply", "CheckDuplicate", 1, "EnableIPv6",
			 network_has_family(network, AF_INET6), "Options", options, "IPAM",
			 "Driver", "mvapply", "Options", options, "Config", subnets);
}

static bool networks_have(const json_t *networks, const char *name)
{
	const json_t *item;
	size_t i;
	json_array_foreach(networks, i, item)
	{
		const char *existing = engine_json_text(item, "Name");
		if (existing && strcmp(existing, name) == 0)
			return true;
	}
	return false;
}

static void network_create(struct engines *engines, const struct set *set,
			   const struct network *network)
{
	struct error error;
	json_t *body = network_json(set, network), *answer = NULL;
	if (engine_post(engines, SOURCE_DOCKER, "/networks/create", body, &answer, &error) < 0) {
		error_prepend(&error, "network %s: cannot create Docker's network %s",
			      network->name, network->docker);
		text_error(&error);
	}
	json_decref(body);
	json_decref(answer);
}

static void missing_create(struct engines *engines, const json_t *networks,
			   const struct desired *desired)
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_networks; i++) {
			const struct network *network = &desired->sets[s].networks[i];
			if (network->docker && !networks_have(networks, network->docker))
				network_create(engines, &desired->sets[s], network);
		}
}

/* Returns 0 if Docker has answered. */
static int docker_try(const struct desired *desired)
{
	json_t *networks = NULL;
	struct error ignored;
	struct engines *engines = engines_new(NULL);
	const int status = engine_get(engines, SOURCE_DOCKER, "/networks", &networks, &ignored);
	if (status == 0)
		missing_create(engines, networks, desired);
	json_decref(networks);
	engines_free(engines);
	return status;
}

static bool any_requested(const struct desired *desired)
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_networks; i++)
			if (desired->sets[s].networks[i].docker)
				return true;
	return false;
}

/* Mistakes in the files are errors of Docker's calls, which show them. */
void docker_networks_create(const struct options *options)
{
	struct error ignored;
	struct desired *desired = attach_files_load(options, &ignored);
	for (int i = 0; desired && any_requested(desired) && i < TRIES; i++) {
		if (docker_try(desired) == 0)
			break;
		nanosleep(&(struct timespec){.tv_sec = PAUSE_SECONDS}, NULL);
	}
	desired_free(desired);
}
