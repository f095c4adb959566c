/* The doctor without files: a network on the link of the default route stands for them, and the
 * engines are queried. */
#include "cmd/doctor/doctor.h"

#include "container_engine/socket_path.h"
#include "lib/cleanup.h"
#include "lib/file_text.h"
#include "schema/words.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The link in one line of /proc/net/route (fib_route_seq_show) or /proc/net/ipv6_route
 * (rt6_route_seq_show), if the line is a default route. */
static bool default_route_ipv4(const char *line, char link[IFNAMSIZ])
{
	unsigned destination = 1, mask = 1;
	return sscanf(line, "%15s %8x %*x %*x %*d %*d %*d %8x", link, &destination, &mask) == 3 &&
	       destination == 0 && mask == 0;
}

static bool default_route_ipv6(const char *line, char link[IFNAMSIZ])
{
	unsigned length = 1;
	char destination[33];
	return sscanf(line, "%32s %2x %*s %*x %*s %*x %*x %*x %*x %15s", destination, &length,
		      link) == 3 &&
	       length == 0 && strspn(destination, "0") == 32 && strcmp(link, "lo") != 0;
}

static bool link_read(const char *path, bool (*is_default)(const char *, char[IFNAMSIZ]),
		      char link[IFNAMSIZ])
{
	cleanup_free char *text = file_text(path);
	for (const char *line = text; line && *line;
	     line += strcspn(line, "\n"), line += *line != 0)
		if (is_default(line, link))
			return true;
	return false;
}

/* The host's link to its router, which is most likely the LAN's; or NULL. */
static const char *default_link(struct arena *arena)
{
	char link[IFNAMSIZ];
	return link_read("/proc/net/route", default_route_ipv4, link) ||
			       link_read("/proc/net/ipv6_route", default_route_ipv6, link)
		       ? arena_strdup(arena, link)
		       : NULL;
}

/* The set has no valid name, so nothing that is live belongs to it. */
struct desired *host_alone(const char *host)
{
	struct arena *arena = arena_new();
	struct desired *desired = arena_alloc(arena, sizeof(*desired));
	struct network *network = arena_alloc(arena, sizeof(*network));
	struct set *set = arena_alloc(arena, sizeof(*set));
	*network = (struct network){.name = "default route",
				    .driver = DRIVER_MACVLAN,
				    .mode = MODE_BRIDGE,
				    .parent = default_link(arena)};
	*set = (struct set){.name = "", .networks = network, .n_networks = network->parent != NULL};
	*desired = (struct desired){.arena = arena, .host = host, .sets = set, .n_sets = 1};
	return desired;
}

/* Returns what the engine answered, or NULL; an engine without a socket is not installed. */
static const char *examine_engine(struct examination *examination, struct engines *engines,
				  enum source_kind kind)
{
	const char *path;
	struct error error;
	json_t *json = NULL;
	int status = engine_socket_path(kind, &path, &error);
	if (status == 0 && access(path, F_OK) != 0)
		return NULL;
	if (status == 0)
		status = engine_get(engines, kind, "/containers/json", &json, &error);
	if (status < 0) {
		finding_add(examination, FINDING_PROBLEM, source_kind_name(kind),
			    arena_strdup(examination->arena, error.text),
			    *error.hint ? arena_strdup(examination->arena, error.hint) : NULL)
			->code = error.code;
		return NULL;
	}
	const char *text =
		arena_printf(examination->arena, "%s runs %zu container%s", source_kind_name(kind),
			     json_array_size(json), json_array_size(json) == 1 ? "" : "s");
	json_decref(json);
	return text;
}

const char *examine_engines(struct examination *examination)
{
	struct engines *engines = engines_new(NULL);
	const char *docker = examine_engine(examination, engines, SOURCE_DOCKER);
	const char *podman = examine_engine(examination, engines, SOURCE_PODMAN);
	engines_free(engines);
	if (docker && podman)
		return arena_printf(examination->arena, "%s, %s", docker, podman);
	return docker ? docker : podman ? podman : "no socket of Docker or Podman";
}
