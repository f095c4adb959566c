#include "container_engine/docker_reservations.h"

#include "lib/cleanup.h"
#include "lib/memory.h"
#include "lib/unix_peer.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

/* The time limit in milliseconds for the plugin's answer. It serves one event at a time, and none
 * takes long. */
#define PATIENCE_MS 50
#define TEXT_MAX    (1U << 20)

static socklen_t address_of(struct sockaddr_un *ret)
{
	static const char name[] = "mvapply-docker-plugin";
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path + 1, name, sizeof(name) - 1);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(name));
}

static int connected(void)
{
	struct sockaddr_un address;
	const socklen_t size = address_of(&address);
	const struct timeval patience = {.tv_usec = PATIENCE_MS * 1000L};
	cleanup_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	peer_patience(fd, PATIENCE_MS);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, size) < 0)
		return -errno;
	return peer_trusted(fd) ? fd_steal(&fd) : -EPERM;
}

/* The plugin's message, or NULL. */
static char *text_receive(struct arena *arena, int fd)
{
	const ssize_t size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	if (size <= 0 || (size_t)size > TEXT_MAX)
		return NULL;
	char *text = arena_alloc(arena, (size_t)size + 1);
	return recv(fd, text, (size_t)size, MSG_DONTWAIT) == size ? text : NULL;
}

/* The line's parts are cut out of it. */
static bool line_parse(char *line, struct docker_reservation *ret)
{
	char *network = strchr(line, '/'), *ip = network ? strchr(network, ' ') : NULL;
	if (!ip)
		return false;
	*network = *ip = '\0';
	*ret = (struct docker_reservation){.set = line, .network = network + 1};
	return ip_parse(ip + 1, &ret->ip);
}

size_t docker_reservations_read(struct arena *arena, struct docker_reservation **ret)
{
	cleanup_close const int fd = connected();
	char *rest = fd >= 0 ? text_receive(arena, fd) : NULL;
	size_t count = 0;
	*ret = NULL;
	for (char *line; (line = strsep(&rest, "\n"));) {
		struct docker_reservation reservation;
		if (line_parse(line, &reservation))
			*array_push(arena, *ret, count) = reservation;
	}
	return count;
}

int docker_reservations_listen(void)
{
	struct sockaddr_un address;
	const socklen_t size = address_of(&address);
	cleanup_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		return -errno;
	return fd_steal(&fd);
}

void docker_reservations_answer(int listener, const struct docker_reservation *reservations,
				size_t count)
{
	cleanup_close const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	cleanup_free char *text = NULL;
	char ip[IP_TEXT_SIZE];
	size_t size = 0;
	FILE *stream = fd < 0 ? NULL : open_memstream(&text, &size);
	if (!stream)
		return;
	for (size_t i = 0; i < count; i++)
		fprintf(stream, "%s/%s %s\n", reservations[i].set, reservations[i].network,
			ip_format(&reservations[i].ip, ip));
	if (fclose(stream) == 0 && size)
		(void)send(fd, text, size, MSG_NOSIGNAL);
}
