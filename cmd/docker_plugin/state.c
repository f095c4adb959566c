#include "cmd/docker_plugin/state.h"

#include "lib/memory.h"

#include <stdlib.h>
#include <string.h>

/* Makes room for one more element. */
static void *grown(void *items, size_t count, size_t size)
{
	return memory_or_die(reallocarray(items, count + 1, size));
}

static char *copied(const char *text)
{
	return memory_or_die(strdup(text));
}

/* free(3) takes no constant. */
static void text_free(const char *text)
{
	free((void *)(uintptr_t)text);
}

static bool same_network(const struct docker_reservation *reservation, const char *set,
			 const char *network)
{
	return strcmp(reservation->set, set) == 0 && strcmp(reservation->network, network) == 0;
}

static size_t reservation_find(const struct plugin_state *state, const char *set,
			       const char *network, const struct ip *ip)
{
	size_t i = 0;
	while (i < state->n_reservations && !(same_network(&state->reservations[i], set, network) &&
					      ip_equal(&state->reservations[i].ip, ip)))
		i++;
	return i;
}

bool state_reserved(const struct plugin_state *state, const char *set, const char *network,
		    const struct ip *ip)
{
	return reservation_find(state, set, network, ip) < state->n_reservations;
}

void state_reserve(struct plugin_state *state, const char *set, const char *network,
		   const struct ip *ip)
{
	if (state_reserved(state, set, network, ip))
		return;
	state->reservations =
		grown(state->reservations, state->n_reservations, sizeof(*state->reservations));
	state->reservations[state->n_reservations++] =
		(struct docker_reservation){copied(set), copied(network), *ip};
}

static void reservation_remove(struct plugin_state *state, size_t at)
{
	text_free(state->reservations[at].set);
	text_free(state->reservations[at].network);
	state->reservations[at] = state->reservations[--state->n_reservations];
}

void state_release(struct plugin_state *state, const char *set, const char *network,
		   const struct ip *ip)
{
	const size_t at = reservation_find(state, set, network, ip);
	if (at < state->n_reservations)
		reservation_remove(state, at);
}

void state_release_all(struct plugin_state *state)
{
	for (size_t i = 0; i < state->n_reservations; i++) {
		text_free(state->reservations[i].set);
		text_free(state->reservations[i].network);
	}
	state->n_reservations = 0;
}

const struct docker_reservation *state_reservation_of(const struct plugin_state *state,
						      const struct ip *ip)
{
	const struct docker_reservation *found = NULL;
	for (size_t i = 0; ip->family && i < state->n_reservations; i++) {
		if (!ip_equal(&state->reservations[i].ip, ip))
			continue;
		if (found)
			return NULL;
		found = &state->reservations[i];
	}
	return found;
}

static size_t network_find(const struct plugin_state *state, const char *id)
{
	size_t i = 0;
	while (i < state->n_networks && strcmp(state->networks[i].id, id) != 0)
		i++;
	return i;
}

void state_network_add(struct plugin_state *state, const char *id, const char *set,
		       const char *network)
{
	state_network_remove(state, id);
	state->networks = grown(state->networks, state->n_networks, sizeof(*state->networks));
	state->networks[state->n_networks++] =
		(struct known_network){copied(id), copied(set), copied(network)};
}

void state_network_remove(struct plugin_state *state, const char *id)
{
	const size_t at = network_find(state, id);
	if (at == state->n_networks)
		return;
	text_free(state->networks[at].id);
	text_free(state->networks[at].set);
	text_free(state->networks[at].network);
	state->networks[at] = state->networks[--state->n_networks];
}

const struct known_network *state_network(const struct plugin_state *state, const char *id)
{
	const size_t at = network_find(state, id);
	return at < state->n_networks ? &state->networks[at] : NULL;
}

static size_t endpoint_find(const struct plugin_state *state, const char *id)
{
	size_t i = 0;
	while (i < state->n_endpoints && strcmp(state->endpoints[i].id, id) != 0)
		i++;
	return i;
}

void state_endpoint_add(struct plugin_state *state, const char *id, const struct ip *ipv4,
			const struct ip *ipv6)
{
	state_endpoint_remove(state, id);
	state->endpoints = grown(state->endpoints, state->n_endpoints, sizeof(*state->endpoints));
	state->endpoints[state->n_endpoints++] = (struct known_endpoint){copied(id), *ipv4, *ipv6};
}

void state_endpoint_remove(struct plugin_state *state, const char *id)
{
	const size_t at = endpoint_find(state, id);
	if (at == state->n_endpoints)
		return;
	text_free(state->endpoints[at].id);
	state->endpoints[at] = state->endpoints[--state->n_endpoints];
}

const struct known_endpoint *state_endpoint(const struct plugin_state *state, const char *id)
{
	const size_t at = endpoint_find(state, id);
	return at < state->n_endpoints ? &state->endpoints[at] : NULL;
}

void state_free(struct plugin_state *state)
{
	state_release_all(state);
	for (size_t i = 0; i < state->n_networks; i++) {
		text_free(state->networks[i].id);
		text_free(state->networks[i].set);
		text_free(state->networks[i].network);
	}
	for (size_t i = 0; i < state->n_endpoints; i++)
		text_free(state->endpoints[i].id);
	free(state->reservations);
	free(state->networks);
	free(state->endpoints);
}
