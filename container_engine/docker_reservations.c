#include "container_engine/docker_reservations.h"

#include "lib/abstract_socket.h"
#include "lib/cleanup.h"
#include "lib/unix_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The time limit in milliseconds for the plugin's answer. It serves one event at a time, and none
 * takes long. */
#define PATIENCE_MS 50

static const char socket_name[] = "mvapply-docker-plugin";

/* The plugin's message, or NULL. */
static char *text_receive(struct arena *arena)
{
	cleanup_close const int fd = abstract_connect(socket_name, SOCK_SEQPACKET, PATIENCE_MS);
	cleanup_free char *text = NULL;
	return fd >= 0 && peer_trusted(fd) && abstract_receive(fd, &text)
		       ? arena_strdup(arena, text)
		       : NULL;
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
	char *rest = text_receive(arena);
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
	return abstract_listen(socket_name, SOCK_SEQPACKET | SOCK_NONBLOCK);
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
