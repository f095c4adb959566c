#include "reconcile/observe/init_lookup.h"

#include "kernel/netns.h"
#include "kernel/process.h"
#include "lib/cleanup.h"
#include "reconcile/observe/init_finders.h"
#include "schema/words.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A process that has started less long ago may still enter its namespace. */
#define STARTING_MS 1000

bool source_has_init(enum source_kind kind)
{
	return init_finder(kind) != NULL;
}

static struct lookup_result pending(struct arena *arena, const struct init_finder *finder,
				    const char *source, const char *why)
{
	return lookup_result_pending(
		arena_printf(arena, "%s \"%s\" %s", finder->what, source, why));
}

/* Opens the namespace of the process. A process id can be reused: the descriptor of its folder in
 * /proc, which is opened before, never leads to another process. */
static int process_netns(int process, const struct stat *host, struct stat *ret_stat,
			 struct error *error)
{
	return netns_open_at(process, "ns/net", 0, host, ret_stat, error);
}

static bool is_starting(int process)
{
	const int64_t started = process_started(process);
	return started >= 0 && process_now() - started < STARTING_MS;
}

/* The same process has to be found again after it is held: then its id was not reused between. */
static struct lookup_result netns_locate(struct arena *arena, const struct init_finder *finder,
					 const char *source, pid_t pid, const struct stat *host)
{
	struct error error;
	struct lookup_result result = {.state = CONTAINER_READY};
	cleanup_close int process = process_open(pid, &error);
	if (process < 0 || finder->find(arena, source, &error) != pid)
		return pending(arena, finder, source, "is starting or stopping");
	result.fd = process_netns(process, host, &result.stat, &error);
	if (result.fd == -ENOENT || result.fd == -ESRCH)
		return pending(arena, finder, source, "is not running");
	if (result.fd < 0) {
		process_denied(&error);
		return lookup_result_failed(arena, &error);
	}
	if (netns_same(&result.stat, host) && is_starting(process)) {
		close(result.fd);
		return pending(arena, finder, source, "is starting");
	}
	return result;
}

struct lookup_result init_locate(struct arena *arena, enum source_kind kind, const char *source,
				 const struct stat *host)
{
	struct error error;
	const struct init_finder *finder = init_finder(kind);
	const pid_t pid = finder->find(arena, source, &error);
	struct lookup_result result;
	if (pid == -ENOENT) {
		result = pending(arena, finder, source, "is not running");
		result.absent = true;
		return result;
	}
	if (pid < 0)
		return lookup_result_failed(arena, &error);
	result = netns_locate(arena, finder, source, pid, host);
	result.hint = result.state == CONTAINER_READY ? finder->hint : result.hint;
	if (result.state == CONTAINER_READY)
		result.name = arena_printf(arena, "%s %s", source_kind_name(kind), source);
	return result;
}
