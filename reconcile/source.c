#include "reconcile/source.h"

#include "base/error.h"
#include "reconcile/netns.h"
#include "schema/words.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct search {
	struct arena *arena;
	struct engines *engines;
	enum source_kind kind;
	const char *source;
	const struct stat *host;
	const struct source_opened *opened; /* or NULL */
};

static struct located failed(struct arena *arena, const struct error *error)
{
	const bool denied = error->errnum == EPERM || error->errnum == EACCES;
	return (struct located){
		.state = error->errnum == EINVAL ? TARGET_REFUSED : TARGET_FAILED,
		.fd = -1,
		.code = error->code,
		.reason = arena_strdup(arena, error->text),
		.hint = denied         ? HINT_CAPABILITIES
			: *error->hint ? arena_strdup(arena, error->hint)
				       : NULL,
	};
}

static struct located pending(const char *reason)
{
	return (struct located){.state = TARGET_PENDING, .fd = -1, .reason = reason};
}

/* One with a slash would lead out of the folder of names. */
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

static struct located netns_find(const struct search *search)
{
	struct arena *arena = search->arena;
	const char *source = search->source;
	struct located located = {.state = TARGET_READY, .name = source};
	struct error error;
	const bool path = source[0] == '/';
	if (!path && !is_name(source))
		return (struct located){
			.state = TARGET_REFUSED,
			.fd = -1,
			.code = CODE_NAMESPACE,
			.reason = arena_printf(arena, "\"%s\" is no name of a network namespace",
					       source),
			.hint = "give a name in /run/netns or an absolute path",
		};
	if (search->opened && search->opened->fd >= 0) {
		located.fd = search->opened->fd;
		located.stat.st_dev = search->opened->device;
		located.stat.st_ino = search->opened->inode;
		return located;
	}
	located.fd = path ? netns_open(source, search->host, &located.stat, &error)
			  : netns_open_named(source, search->host, &located.stat, &error);
	if (located.fd == -ENOENT || located.fd == -ENOTDIR)
		return pending(arena_printf(arena, "no network namespace \"%s\" yet", source));
	return located.fd < 0 ? failed(arena, &error) : located;
}

static bool process_gone(int pidfd)
{
	struct pollfd poller = {.fd = pidfd, .events = POLLIN};
	return poll(&poller, 1, 0) > 0;
}

/* The process is held before its namespace is opened and looked at again after, so that a new one
 * with the same number cannot slip in between. */
static struct located pid_open(const struct search *search, const char *source, int pidfd)
{
	struct arena *arena = search->arena;
	struct located located = {.state = TARGET_READY,
				  .name = arena_printf(arena, "pid %s", source)};
	struct error error;
	const char *path = arena_printf(arena, "/proc/%s/ns/net", source);
	located.fd = netns_open(path, search->host, &located.stat, &error);
	if (located.fd >= 0 && pidfd >= 0 && process_gone(pidfd)) {
		close(located.fd);
		located.fd = -ESRCH;
	}
	if (located.fd == -ENOENT || located.fd == -ESRCH)
		return pending(arena_printf(arena, "no process %s yet", source));
	return located.fd < 0 ? failed(arena, &error) : located;
}

static struct located process_find(const struct search *search, pid_t pid, const char *source)
{
	struct error error;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 && errno == ESRCH)
		return pending(arena_printf(search->arena, "no process %s yet", source));
	if (pidfd < 0 && errno != ENOSYS) { /* before 5.3 there is none */
		error_set(&error, errno == EINVAL ? ESRCH : errno, "process %s: %s", source,
			  errno == EINVAL ? "is a thread of another process" : strerror(errno));
		error_code(&error, CODE_NAMESPACE);
		return failed(search->arena, &error);
	}
	struct located located = pid_open(search, source, pidfd);
	if (pidfd >= 0)
		close(pidfd);
	return located;
}

static struct located pid_find(const struct search *search)
{
	char *end;
	struct error error;
	errno = 0;
	long pid = strtol(search->source, &end, 10);
	if (errno || *end || end == search->source || pid <= 0 || pid > INT32_MAX) {
		error_set(&error, EINVAL, "\"%s\" is no process id", search->source);
		error_code(&error, CODE_NAMESPACE);
		return failed(search->arena, &error);
	}
	return process_find(search, (pid_t)pid, search->source);
}

static struct located engine_failed(const struct search *search, const struct error *error)
{
	struct located located = failed(search->arena, error);
	if (error->errnum == ENOENT || error->errnum == EHOSTDOWN)
		located.state = TARGET_PENDING;
	if (error->errnum == ENOENT)
		located.code = CODE_NONE;
	return located;
}

static int inspect(const struct search *search, const char *name, struct engine_container *ret,
		   struct error *error)
{
	return engine_inspect(search->engines, search->kind, name, search->arena, ret, error);
}

static struct located host_network(const struct search *search)
{
	return (struct located){
		.state = TARGET_REFUSED,
		.fd = -1,
		.code = CODE_NAMESPACE_HOST,
		.reason = arena_printf(search->arena,
				       "container \"%s\" runs with --network host: its network is "
				       "the host's own",
				       search->source),
		.hint = "run the container with --network none",
	};
}

/* Where the engine says it keeps the namespace, if that can be seen from here: a process id means
 * another process where the engine counts them otherwise. */
static bool sandbox_differs(const struct search *search, const struct engine_container *container,
			    const struct stat *stat)
{
	struct stat sandbox;
	struct error ignored;
	if (*container->sandbox != '/')
		return false;
	int fd = netns_open(container->sandbox, search->host, &sandbox, &ignored);
	if (fd < 0)
		return false;
	close(fd);
	return !netns_same(&sandbox, stat);
}

static struct located sandbox_wrong(const struct search *search,
				    const struct engine_container *container)
{
	struct error error;
	error_set(&error, EXDEV, "%s's container \"%s\" is process %d, but %s is another namespace",
		  source_kind_name(search->kind), search->source, container->pid,
		  container->sandbox);
	error_code(&error, CODE_NAMESPACE_OTHER);
	error_hint(&error, "run mvapply where the engine runs, with the same process ids");
	return failed(search->arena, &error);
}

/* The namespace of a container that runs. The engine is asked once more when the namespace is held:
 * the same container is still in the same run and has its name, so that the process was its own. */
static struct located engine_hold(const struct search *search,
				  const struct engine_container *container, bool *ret_changed)
{
	const char *pid = arena_printf(search->arena, "%d", container->pid);
	struct located located = process_find(search, container->pid, pid);
	struct engine_container again;
	struct error error;
	*ret_changed = located.state == TARGET_PENDING;
	if (located.state != TARGET_READY)
		return located;
	int status = inspect(search, container->id, &again, &error);
	*ret_changed = status == -ENOENT ||
		       (status == 0 && (again.pid != container->pid ||
					strcmp(again.started_at, container->started_at) != 0 ||
					strcmp(again.name, container->name) != 0));
	if (status == 0 && !*ret_changed && !sandbox_differs(search, &again, &located.stat))
		return located;
	close(located.fd);
	return status < 0 ? engine_failed(search, &error) : sandbox_wrong(search, &again);
}

/* A container that just restarts may need a second look. */
#define LOOKS 3

static struct located engine_find(const struct search *search)
{
	struct engine_container container;
	for (int i = 0; i < LOOKS; i++) {
		struct error error;
		bool changed;
		if (inspect(search, search->source, &container, &error) < 0)
			return engine_failed(search, &error);
		if (container.host_network)
			return host_network(search);
		if (!container.pid)
			break;
		struct located located = engine_hold(search, &container, &changed);
		located.name = arena_printf(search->arena, "%s %s", source_kind_name(search->kind),
					    search->source);
		located.id = container.id;
		if (!changed)
			return located;
	}
	struct located stopped = pending(
		arena_printf(search->arena, "container \"%s\" is not running", search->source));
	stopped.id = container.id;
	return stopped;
}

static struct located (*const finders[])(const struct search *) = {
	[SOURCE_NETNS] = netns_find,
	[SOURCE_PID] = pid_find,
	[SOURCE_DOCKER] = engine_find,
	[SOURCE_PODMAN] = engine_find,
};

struct located source_locate(struct arena *arena, struct engines *engines,
			     const struct container *container, const struct stat *host,
			     const struct source_opened *opened)
{
	const struct search search = {.arena = arena,
				      .engines = engines,
				      .kind = container->source_kind,
				      .source = container->source,
				      .host = host,
				      .opened = opened};
	struct located located = finders[search.kind](&search);
	if (located.state != TARGET_READY || !netns_same(&located.stat, host))
		return located;
	close(located.fd);
	return (struct located){
		.state = TARGET_REFUSED,
		.fd = -1,
		.code = CODE_NAMESPACE_HOST,
		.reason =
			arena_printf(arena, "%s is the host's own network namespace", located.name),
		.hint = "run the container with --network none, or name another one",
	};
}
