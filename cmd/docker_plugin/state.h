/* What the plugin remembers of Docker's calls, until the links in the kernel show it. A restarted
 * plugin does without. */
#ifndef CMD_DOCKER_PLUGIN_STATE_H
#define CMD_DOCKER_PLUGIN_STATE_H

#include "container_engine/docker_reservations.h"

#include <stdbool.h>
#include <stddef.h>

/* Strings are the state's. */
struct known_network {
	const char *id; /* Docker's */
	const char *set, *network;
};
struct known_endpoint {
	const char *id; /* Docker's */
	struct ip ipv4, ipv6;
};

struct plugin_state {
	bool compare; /* Docker's networks and endpoints with the plugin's: a call may have been
			 missed */
	struct docker_reservation *reservations; /* addresses that Docker was given */
	size_t n_reservations;
	struct known_network *networks;
	size_t n_networks;
	struct known_endpoint *endpoints;
	size_t n_endpoints;
};

void state_free(struct plugin_state *state);

bool state_reserved(const struct plugin_state *state, const char *set, const char *network,
		    const struct ip *ip);
void state_reserve(struct plugin_state *state, const char *set, const char *network,
		   const struct ip *ip);
void state_release(struct plugin_state *state, const char *set, const char *network,
		   const struct ip *ip);
/* Docker has been started again: it repeats the addresses that it still needs. */
void state_release_all(struct plugin_state *state);
/* The network of the files of which the address is reserved; NULL: none, or several. */
const struct docker_reservation *state_reservation_of(const struct plugin_state *state,
						      const struct ip *ip);

void state_network_add(struct plugin_state *state, const char *id, const char *set,
		       const char *network);
void state_network_remove(struct plugin_state *state, const char *id);
const struct known_network *state_network(const struct plugin_state *state, const char *id);

void state_endpoint_add(struct plugin_state *state, const char *id, const struct ip *ipv4,
			const struct ip *ipv6);
void state_endpoint_remove(struct plugin_state *state, const char *id);
const struct known_endpoint *state_endpoint(const struct plugin_state *state, const char *id);

#endif
