/* The output of a DHCP client, which contains data of a server on the LAN. No accepted lease has
 * values that no LAN has, and no error text contains control characters. */
#include "dhcp/client.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void route_check(const struct lease *lease, const struct lease_route *route)
{
	const struct prefix *to = &route->to;
	const struct ip first = prefix_first(to);
	HOLDS(to->ip.family == AF_INET && ip_equal(&first, &to->ip));
	HOLDS(to->len == 0 ||
	      (to->len >= LEASE_LENGTH_MIN && to->len <= 32 && to->ip.bytes[0] != 0 &&
	       to->ip.bytes[0] != 127 && to->ip.bytes[0] < 224));
	HOLDS(to->len == 0 ||
	      !(to->len == lease->addr.len && prefix_contains(to, &lease->addr.ip)));
	HOLDS(route->via.family == AF_INET || (route->via.family == 0 && to->len > 0));
	HOLDS(!ip_equal(&route->via, &lease->addr.ip) && route->via.bytes[0] != 127 &&
	      route->via.bytes[0] < 224);
	for (const struct lease_route *other = lease->routes; other < route; other++)
		HOLDS(!prefix_equal(&other->to, to));
}

static void lease_check(const struct lease *lease)
{
	HOLDS(lease->addr.ip.family == AF_INET && lease->addr.len >= 1 && lease->addr.len <= 32);
	HOLDS(prefix_usable(&lease->addr, &lease->addr.ip));
	HOLDS(lease->addr.ip.bytes[0] != 127 && lease->addr.ip.bytes[0] < 224);
	HOLDS(lease->seconds >= LEASE_SECONDS_MIN && lease->seconds <= LEASE_SECONDS_MAX);
	HOLDS(lease->n_servers <= LEASE_SERVERS_MAX);
	for (size_t i = 0; i < lease->n_servers; i++)
		HOLDS(lease->servers[i].family == AF_INET && lease->servers[i].bytes[0] < 224);
	HOLDS(strspn(lease->search,
		     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ") ==
	      strlen(lease->search));
	HOLDS(lease->n_routes <= LEASE_ROUTES_MAX);
	for (size_t i = 0; i < lease->n_routes; i++)
		route_check(lease, &lease->routes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dhcp_request request = {.operation = DHCP_LEASE};
	char *output = malloc(size + 1);
	if (!output)
		return 0;
	memcpy(output, data, size);
	output[size] = '\0';
	const struct dhcp_answer answer = client_answer(&request, 0, output);
	if (answer.result == DHCP_DONE)
		lease_check(&answer.lease);
	HOLDS(strlen(answer.text) < sizeof(answer.text));
	for (const char *at = answer.text; *at; at++)
		HOLDS(*at >= ' ' && *at <= '~');
	free(output);
	return 0;
}
