#include "reconcile/observe/netns_lookup.h"

#include "container_engine/socket_path.h"
#include "kernel/netns.h"
#include "lib/cleanup.h"
#include "lib/error.h"
#include "reconcile/observe/engine_lookup.h"
#include "reconcile/observe/init_lookup.h"
#include "schema/words.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct search {
	struct arena *arena;
	struct lookups *lookups;
	enum source_kind kind;
	const char *source;
	const struct stat *host;
	const struct source_opened *opened; /* or NULL */
};

const char *source_name(struct arena *arena, const struct container *container)
{
	if (container->source_kind == SOURCE_NETNS)
		return container->source;
	return arena_printf(arena, "%s %s", source_kind_name(container->source_kind),
			    container->source);
}

/* A slash would lead to another folder. */
static bool is_name(const char *source)
{
	return !strchr(source, '/') && strcmp(source, "..") != 0;
}

struct source_opened source_open(const struct container *container, const struct stat *host)
{
	struct error ignored;
	struct stat stat = {0};
	int fd = -1;
	if (container->source_kind == SOURCE_NETNS && is_name(container->source))
		fd = netns_open_named(container->source, host, &stat, &ignored);
	return (struct source_opened){.fd = fd, .device = stat.st_dev, .inode = stat.st_ino};
}

/* Whether an engine runs here: its socket exists. It is not queried, as it may hang. */
static bool engine_here(enum source_kind kind)
{
	const char *path;
	struct error ignored;
	return engine_socket_path(kind, &path, &ignored) == 0 && access(path, F_OK) == 0;
}

/* A container of an engine has no name in /run/netns. */
static struct lookup_result name_pending(struct arena *arena, const char *name)
{
	struct lookup_result lookup_result =
		lookup_result_pending(arena_printf(arena, "no network namespace \"%s\" yet", name));
	const bool docker = engine_here(SOURCE_DOCKER), podman = engine_here(SOURCE_PODMAN);
	if (docker && podman)
		lookup_result.hint = arena_printf(arena,
						  "a container of Docker or Podman is declared "
						  "with `docker: %s` or `podman: %s`",
						  name, name);
	else if (docker || podman)
		lookup_result.hint = arena_printf(
			arena, "a container of %s is declared with `%s: %s`",
			docker ? "Docker" : "Podman",
			source_kind_name(docker ? SOURCE_DOCKER : SOURCE_PODMAN), name);
	return lookup_result;
}

static struct lookup_result netns_find(const struct search *search)
{
	struct arena *arena = search->arena;
	const char *source = search->source;
	struct lookup_result lookup_result = {.state = CONTAINER_READY, .name = source};
	struct error error;
	const bool path = source[0] == '/';
	if (!path && !is_name(source))
		return (struct lookup_result){
			.state = CONTAINER_REFUSED,
			.fd = -1,
			.code = CODE_NAMESPACE,
			.reason = arena_printf(
				arena, "\"%s\" is not a valid name of a network namespace", source),
			.hint = "use a name in /run/netns or an absolute path",
		};
	if (search->opened && search->opened->fd >= 0) {
		lookup_result.fd = search->opened->fd;
		lookup_result.stat.st_dev = search->opened->device;
		lookup_result.stat.st_ino = search->opened->inode;
		return lookup_result;
	}
	lookup_result.fd =
		path ? netns_open(source, search->host, &lookup_result.stat, &error)
		     : netns_open_named(source, search->host, &lookup_result.stat, &error);
	if (lookup_result.fd == -ENOENT || lookup_result.fd == -ENOTDIR)
		return path ? lookup_result_pending(arena_printf(
				      arena, "no network namespace \"%s\" yet", source))
			    : name_pending(arena, source);
	if (lookup_result.fd < 0 && path) /* it may be that of a process */
		process_denied(&error);
	return lookup_result.fd < 0 ? lookup_result_failed(arena, &error) : lookup_result;
}

static bool process_ended(int pidfd)
{
	struct pollfd poller = {.fd = pidfd, .events = POLLIN};
	return poll(&poller, 1, 0) > 0;
}

/* The process is held before its namespace is opened and checked again after, so that a new one
 * with the same id is detected. */
static struct lookup_result pid_open(const struct search *search, const char *source, int pidfd)
{
	struct arena *arena = search->arena;
	struct lookup_result lookup_result = {.state = CONTAINER_READY,
					      .name = arena_printf(arena, "pid %s", source)};
	struct error error;
	const char *path = arena_printf(arena, "/proc/%s/ns/net", source);
	lookup_result.fd = netns_open(path, search->host, &lookup_result.stat, &error);
	if (lookup_result.fd >= 0 && pidfd >= 0 && process_ended(pidfd)) {
		close(lookup_result.fd);
		lookup_result.fd = -ESRCH;
	}
	if (lookup_result.fd == -ENOENT || lookup_result.fd == -ESRCH)
		return lookup_result_pending(arena_printf(arena, "no process %s yet", source));
	if (lookup_result.fd < 0)
		process_denied(&error);
	return lookup_result.fd < 0 ? lookup_result_failed(arena, &error) : lookup_result;
}

static struct lookup_result process_find(const struct search *search, pid_t pid, const char *source)
{
	struct error error;
	cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 && errno == ESRCH)
		return lookup_result_pending(
			arena_printf(search->arena, "no process %s yet", source));
	if (pidfd < 0 && errno != ENOSYS) { /* before 5.3 there are no pidfds */
		error_set(&error, errno == EINVAL ? ESRCH : errno, "process %s: %s", source,
			  errno == EINVAL ? "it is a thread of another process" : strerror(errno));
		error_code(&error, CODE_NAMESPACE);
		return lookup_result_failed(search->arena, &error);
	}
	return pid_open(search, source, pidfd);
}

static struct lookup_result pid_find(const struct search *search)
{
	char *end;
	struct error error;
	errno = 0;
	long pid = strtol(search->source, &end, 10);
	if (errno || *end || end == search->source || pid <= 0 || pid > INT32_MAX) {
		error_set(&error, EINVAL, "\"%s\" is not a process id", search->source);
		error_code(&error, CODE_NAMESPACE);
		return lookup_result_failed(search->arena, &error);
	}
	return process_find(search, (pid_t)pid, search->source);
}

static struct lookup_result engine_find(const struct search *search)
{
	return lookups_locate(search->lookups, search->kind, search->source, search->host,
			      search->arena);
}

/* The plugin attaches it; a later observation finds it by its links (containers_find_attached). */
static struct lookup_result cni_find(const struct search *search)
{
	return lookup_result_pending(arena_printf(
		search->arena, "the CNI plugin has not attached %s yet", search->source));
}

static struct lookup_result init_find(const struct search *search)
{
	return init_locate(search->arena, search->kind, search->source, search->host);
}

static struct lookup_result (*const finders[])(const struct search *) = {
	[SOURCE_NETNS] = netns_find,   [SOURCE_PID] = pid_find,      [SOURCE_DOCKER] = engine_find,
	[SOURCE_PODMAN] = engine_find, [SOURCE_CNI] = cni_find,      [SOURCE_LXC] = init_find,
	[SOURCE_INCUS] = init_find,    [SOURCE_SYSTEMD] = init_find, [SOURCE_MACHINE] = init_find,
};

struct lookup_result source_locate(struct arena *arena, struct lookups *lookups,
				   const struct container *container, const struct stat *host,
				   const struct source_opened *opened)
{
	const struct search search = {.arena = arena,
				      .lookups = lookups,
				      .kind = container->source_kind,
				      .source = container->source,
				      .host = host,
				      .opened = opened};
	struct lookup_result lookup_result = finders[search.kind](&search);
	if (lookup_result.state != CONTAINER_READY || !netns_same(&lookup_result.stat, host))
		return lookup_result;
	close(lookup_result.fd);
	return (struct lookup_result){
		.state = CONTAINER_REFUSED,
		.fd = -1,
		.code = CODE_NAMESPACE_HOST,
		.reason = arena_printf(arena, "%s is the host's own network namespace",
				       lookup_result.name),
		.hint = lookup_result.hint
				? lookup_result.hint
				: "run the container with --network none, or specify another one",
	};
}
