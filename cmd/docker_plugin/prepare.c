#include "cmd/docker_plugin/prepare.h"

#include "cmd/docker_plugin/address_memory.h"
#include "container_engine/docker_call.h"
#include "kernel/netns.h"
#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The first descriptor that systemd passes (SD_LISTEN_FDS_START). */
#define LISTEN_FD 3

static int socket_fail(struct error *error, const char *what)
{
	error_set(error, errno, DOCKER_PLUGIN_SOCKET ": %s: %s", what, strerror(errno));
	error_hint(error,
		   "run a single instance, as root; `systemctl status mvapply-docker.socket` shows "
		   "whether systemd has the socket");
	return error_code(error, CODE_DOCKER_SOCKET);
}

/* Returns the descriptor, or -1. */
static int socket_inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	if (!pid || !count || strtol(pid, NULL, 10) != getpid() || strtol(count, NULL, 10) < 1)
		return -1;
	(void)fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC);
	(void)fcntl(LISTEN_FD, F_SETFL, fcntl(LISTEN_FD, F_GETFL) | O_NONBLOCK);
	return LISTEN_FD;
}

static bool somebody_listens(const struct sockaddr_un *address)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
}

/* A worker of a plugin that was killed has the socket for a moment (server.c). */
#define PATIENCE 20
#define PAUSE_MS 50

static bool is_taken(const struct sockaddr_un *address)
{
	for (int i = 0; i < PATIENCE && somebody_listens(address); i++)
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
	return somebody_listens(address);
}

/* Docker runs as root, and nobody else has to call. */
static int socket_bind(int fd, const struct sockaddr_un *address)
{
	const mode_t mask = umask(0177);
	const int status = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	(void)umask(mask);
	return status;
}

static int socket_open(struct error *error)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX,
					    .sun_path = DOCKER_PLUGIN_SOCKET};
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)mkdir("/run/docker", 0755);
	(void)mkdir("/run/docker/plugins", 0755);
	if (is_taken(&address)) {
		errno = EADDRINUSE;
		return socket_fail(error, "another process");
	}
	(void)unlink(address.sun_path);
	if (fd < 0 || socket_bind(fd, &address) < 0 || listen(fd, SOMAXCONN) < 0)
		return socket_fail(error, "cannot be bound");
	return fd_steal(&fd);
}

const struct docker_plugin *docker_plugin_prepare(struct arena *arena, struct error *error)
{
	struct docker_plugin *plugin = arena_alloc(arena, sizeof(*plugin));
	if ((plugin->scratch = netns_new(error)) < 0)
		return NULL;
	address_memory_open();
	plugin->listener = socket_inherited();
	if (plugin->listener < 0)
		plugin->listener = socket_open(error);
	return plugin->listener < 0 ? NULL : plugin;
}
