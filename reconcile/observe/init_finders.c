#include "reconcile/observe/init_finders.h"

#include "container_engine/lxc_command.h"
#include "container_engine/machined.h"
#include "kernel/unit_cgroup.h"
#include "schema/name_rules.h"

#include <string.h>

#define LXC_PATH   "/var/lib/lxc"              /* lxc.lxcpath of Debian and most others */
#define INCUS_PATH "/var/lib/incus/containers" /* liblxc's path of Incus */

/* A list of one program's containers. */
struct listing {
	struct arena *arena;
	enum key_type type;
	init_visit *visit;
	void *data;
};

/* Others than root can give a container a name that a file cannot have. */
static void source_listed(void *data, const char *source)
{
	const struct listing *listing = data;
	const char *ignored;
	if (!text_problem(listing->type, source, &ignored))
		listing->visit(listing->data, source);
}

/* The name of a folder in `path`, or NULL. */
static const char *name_in(const char *folder, const char *path)
{
	const size_t length = strlen(path);
	return strncmp(folder, path, length) == 0 && folder[length] == '/' &&
			       !strchr(folder + length + 1, '/')
		       ? folder + length + 1
		       : NULL;
}

static pid_t lxc_find(struct arena *arena, const char *source, struct error *error)
{
	return lxc_init_pid(source[0] == '/' ? source : arena_printf(arena, LXC_PATH "/%s", source),
			    error);
}

static void lxc_listed(void *data, const char *folder)
{
	const char *name = name_in(folder, LXC_PATH);
	if (!name_in(folder, INCUS_PATH))
		source_listed(data, name ? name : folder);
}

static void lxcs_list(struct arena *arena, init_visit *visit, void *data)
{
	struct listing listing = {.arena = arena, .type = KEY_LXC, .visit = visit, .data = data};
	lxc_list(lxc_listed, &listing);
}

static const char *lxc_start(struct arena *arena, const char *source)
{
	const char *slash = source[0] == '/' ? strrchr(source, '/') : NULL;
	if (!slash)
		return arena_printf(arena, "lxc-start -n %s", source);
	return arena_printf(
		arena, "lxc-start -P %s -n %s",
		slash == source ? "/" : arena_strndup(arena, source, (size_t)(slash - source)),
		slash + 1);
}

/* Incus gives an instance of a project other than "default" to liblxc as PROJECT_NAME. */
static pid_t incus_find(struct arena *arena, const char *source, struct error *error)
{
	const char *slash = strchr(source, '/');
	const int length = slash ? (int)(slash - source) : 0;
	const char *name = slash ? slash + 1 : source;
	const bool other = slash && strncmp(source, "default/", sizeof("default/") - 1) != 0;
	return lxc_init_pid(other ? arena_printf(arena, INCUS_PATH "/%.*s_%s", length, source, name)
				  : arena_printf(arena, INCUS_PATH "/%s", name),
			    error);
}

/* Neither a project nor an instance has a '_' in its name. */
static void incus_listed(void *data, const char *folder)
{
	const struct listing *listing = data;
	const char *name = name_in(folder, INCUS_PATH);
	const char *project_end = name ? strchr(name, '_') : NULL;
	if (name)
		source_listed(data, project_end ? arena_printf(listing->arena, "%.*s/%s",
							       (int)(project_end - name), name,
							       project_end + 1)
						: name);
}

static void incus_list(struct arena *arena, init_visit *visit, void *data)
{
	struct listing listing = {.arena = arena, .type = KEY_INCUS, .visit = visit, .data = data};
	lxc_list(incus_listed, &listing);
}

static const char *incus_start(struct arena *arena, const char *source)
{
	const char *slash = strchr(source, '/');
	if (!slash)
		return arena_printf(arena, "incus start %s", source);
	return arena_printf(arena, "incus start --project %.*s %s", (int)(slash - source), source,
			    slash + 1);
}

static pid_t systemd_find(struct arena *arena, const char *source, struct error *error)
{
	(void)arena;
	return unit_main_pid(source, error);
}

static void systemd_list(struct arena *arena, init_visit *visit, void *data)
{
	struct listing listing = {.arena = arena, .type = KEY_UNIT, .visit = visit, .data = data};
	units_list(source_listed, &listing);
}

static const char *systemd_start(struct arena *arena, const char *source)
{
	return arena_printf(arena, "systemctl start %s", source);
}

static pid_t machine_find(struct arena *arena, const char *source, struct error *error)
{
	(void)arena;
	return machine_leader_pid(source, error);
}

static void machine_list(struct arena *arena, init_visit *visit, void *data)
{
	struct listing listing = {
		.arena = arena, .type = KEY_MACHINE, .visit = visit, .data = data};
	machines_list(source_listed, &listing);
}

static const char *machine_start(struct arena *arena, const char *source)
{
	return arena_printf(arena, "machinectl start %s", source);
}

static const struct init_finder finders[N_SOURCE_KINDS] = {
	[SOURCE_LXC] = {"LXC container", "set lxc.net.0.type = empty in its configuration",
			lxc_find, lxcs_list, lxc_start},
	[SOURCE_INCUS] = {"Incus container", "remove raw.lxc's lxc.net.0.type = none", incus_find,
			  incus_list, incus_start},
	[SOURCE_SYSTEMD] = {"unit", "set PrivateNetwork=yes in the unit, and restart it",
			    systemd_find, systemd_list, systemd_start},
	[SOURCE_MACHINE] = {"machine",
			    "start it with --private-network, or set Private=yes in the [Network] "
			    "section of its .nspawn file",
			    machine_find, machine_list, machine_start},
};

const struct init_finder *init_finder(enum source_kind kind)
{
	return finders[kind].find ? &finders[kind] : NULL;
}
