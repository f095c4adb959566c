/* The parts of a Compose file that concern networks. */
#include "convert/compose_internal.h"
#include "convert/json_read.h"

#include <string.h>

/* Keys of a service whose values are expanded: they are read here. */
static const char *const expanded[] = {
	"networks", "network_mode", "mac_address", "container_name", "scale",
	"deploy",   "profiles",     "extends",     "sysctls",        NULL};

/* Keys of a service that have nothing to do with networks, or stay in effect where mvapply attaches
 * the container (compose-spec.json). */
static const char *const left_out[] = {
	"develop",
	"annotations",
	"attach",
	"build",
	"blkio_config",
	"cap_add",
	"cap_drop",
	"cgroup",
	"cgroup_parent",
	"command",
	"configs",
	"cpu_count",
	"cpu_percent",
	"cpu_shares",
	"cpu_quota",
	"cpu_period",
	"cpu_rt_period",
	"cpu_rt_runtime",
	"cpus",
	"cpuset",
	"credential_spec",
	"depends_on",
	"device_cgroup_rules",
	"devices",
	"dns",
	"dns_opt",
	"dns_search",
	"domainname",
	"entrypoint",
	"env_file",
	"label_file",
	"environment",
	"expose",
	"extra_hosts",
	"gpus",
	"group_add",
	"healthcheck",
	"hostname",
	"image",
	"init",
	"ipc",
	"isolation",
	"labels",
	"logging",
	"mem_limit",
	"mem_reservation",
	"mem_swappiness",
	"memswap_limit",
	"models",
	"oom_kill_disable",
	"oom_score_adj",
	"pid",
	"pids_limit",
	"platform",
	"pre_start",
	"post_start",
	"pre_stop",
	"privileged",
	"pull_policy",
	"pull_refresh_after",
	"read_only",
	"restart",
	"runtime",
	"security_opt",
	"shm_size",
	"secrets",
	"stdin_open",
	"stop_grace_period",
	"stop_signal",
	"storage_opt",
	"tmpfs",
	"tty",
	"ulimits",
	"use_api_socket",
	"user",
	"uts",
	"userns_mode",
	"volumes",
	"volumes_from",
	"working_dir",
	NULL,
};

/* Keys of a service's `deploy` that are of resources and of updates. */
static const char *const deploy_left_out[] = {"labels",    "rollback_config", "update_config",
					      "resources", "restart_policy",  "placement",
					      NULL};

static const char *const top_left_out[] = {"version", "models",  "volumes",
					   "secrets", "configs", NULL};

/* Takes extensions (x-...) and these keys out. */
static void keys_remove(json_t *map, const char *const *keys)
{
	void *next;
	for (void *member = json_object_iter(map); member; member = next) {
		const char *key = json_object_iter_key(member);
		next = json_object_iter_next(map, member);
		if (strncmp(key, "x-", 2) == 0 || json_key_among(keys, key))
			json_object_del(map, key);
	}
}

/* The value at the key, its variables expanded. */
static void expand(struct loader *loader, json_t *map, const char *place, const char *key)
{
	json_t *value = json_object_get(map, key);
	const char *at = *place ? arena_printf(loader->arena, "%s.%s", place, key) : key;
	if (json_is_string(value))
		json_object_set_new(map, key,
				    json_string(interpolate_text(&loader->interpolation, at,
								 json_string_value(value))));
	else if (value)
		interpolate_json(&loader->interpolation, at, value);
}

static void service_prepare(struct loader *loader, const char *name, json_t *service)
{
	const char *place = arena_printf(loader->arena, "services.%.64s", name);
	keys_remove(service, left_out);
	keys_remove(json_object_get(service, "deploy"), deploy_left_out);
	for (const char *const *key = expanded; *key; key++)
		expand(loader, service, place, *key);
}

static void extensions_remove(json_t *maps)
{
	static const char *const none[] = {NULL};
	json_each (maps, member)
		keys_remove(json_object_iter_value(member), none);
}

void compose_document_prepare(struct loader *loader, json_t *document)
{
	keys_remove(document, top_left_out);
	extensions_remove(json_object_get(document, "networks"));
	expand(loader, document, "", "networks");
	expand(loader, document, "", "include");
	json_each (json_object_get(document, "services"), member)
		service_prepare(loader, json_object_iter_key(member),
				json_object_iter_value(member));
}
