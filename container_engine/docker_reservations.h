/* The addresses that `mvapply docker-plugin` has given to Docker. Docker asks for an address first
 * and for a link with it afterwards, so other programs would take the address meanwhile. The plugin
 * tells them, at a unix socket with an abstract name in the host's network namespace, which exists
 * as long as the plugin's process: one message for each connection, a line "SET/NETWORK ADDRESS"
 * for each address. */
#ifndef CONTAINER_ENGINE_DOCKER_RESERVATIONS_H
#define CONTAINER_ENGINE_DOCKER_RESERVATIONS_H

#include "lib/arena.h"
#include "lib/ip.h"

struct docker_reservation {
	const char *set, *network;
	struct ip ip;
};

/* Asks the plugin. Returns the number of reservations, which are in the arena; 0 if there is no
 * plugin, its process is not trusted (lib/unix_peer.h), or it does not answer within 50 ms. The
 * thread is in the host's network namespace. */
size_t docker_reservations_read(struct arena *arena, struct docker_reservation **ret);

/* The plugin's listening socket, which does not block; or a negative errno: -EADDRINUSE if another
 * process has the name. */
int docker_reservations_listen(void);
/* Answers one connection. */
void docker_reservations_answer(int listener, const struct docker_reservation *reservations,
				size_t count);

#endif
