#include "dhcp/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_NAME_LENGTH_MAX 63

struct client_id client_id_make(const char *set, const char *network, const char *container,
				const char *attachment)
{
	struct client_id id = {0};
	char text[CLIENT_ID_MAX];
	int length = snprintf(text, sizeof(text), "%s/%s/%s%s%s", set, network, container,
			      attachment ? "/" : "", attachment ? attachment : "");
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	memcpy(id.bytes + 1, text, (size_t)length);
	id.size = (uint8_t)(length + 1);
	return id;
}

/* The value of "key=value" in the line, which ends with a space or the line; NULL if the key or the
 * value is missing. */
static const char *value_find(const char *line, const char *key)
{
	const size_t length = strlen(key), end = strcspn(line, "\n");
	for (const char *at = line; (size_t)(at - line) < end;) {
		const size_t size = strcspn(at, " \n");
		if (size > length + 1 && strncmp(at, key, length) == 0 && at[length] == '=')
			return at + length + 1;
		at += size + strspn(at + size, " ");
	}
	return NULL;
}

/* Copies the value; false if the key is missing, or the value is too long. */
static bool word_find(const char *line, const char *key, char text[IP_TEXT_SIZE])
{
	const char *value = value_find(line, key);
	const size_t size = value ? strcspn(value, " \n") : 0;
	if (!size || size >= IP_TEXT_SIZE)
		return false;
	snprintf(text, IP_TEXT_SIZE, "%.*s", (int)size, value);
	return true;
}

#define ITEM_SIZE (DOMAIN_LENGTH_MAX + 2)

/* Copies the next item of a comma-separated value and moves behind it; an item that is too long is
 * empty. False: there is none. */
static bool item_next(const char **at, char text[ITEM_SIZE])
{
	const size_t size = *at ? strcspn(*at, ", \n") : 0;
	if (!size)
		return false;
	snprintf(text, ITEM_SIZE, "%.*s", size < ITEM_SIZE ? (int)size : 0, *at);
	*at += size + ((*at)[size] == ',');
	return true;
}

/* 0: not a number, or too small. */
static unsigned long number_of(const char *text, unsigned long max)
{
	char *end;
	if (*text < '0' || *text > '9')
		return 0;
	unsigned long number = strtoul(text, &end, 10);
	if (*end)
		return 0;
	return number < max ? number : max;
}

/* Not of "this network" (0/8), loopback, multicast or above. */
static bool is_unicast(const struct ip *ip)
{
	return ip->family == AF_INET && ip->bytes[0] != 0 && ip->bytes[0] != 127 &&
	       ip->bytes[0] < 224;
}

static bool ipv4_find(const char *line, const char *key, struct ip *ret)
{
	char text[IP_TEXT_SIZE];
	struct ip ip;
	if (!word_find(line, key, text) || !ip_parse(text, &ip) || !is_unicast(&ip))
		return false;
	*ret = ip;
	return true;
}

#define TEXT_OF(number)  TEXT_OF_(number)
#define TEXT_OF_(number) #number

static const char *addr_take(const char *line, struct lease *lease)
{
	char text[IP_TEXT_SIZE];
	if (!ipv4_find(line, "ip", &lease->addr.ip))
		return "it has no unicast address";
	if (!word_find(line, "mask", text))
		return "it has no subnet mask (option 1)";
	const unsigned long len = number_of(text, 33);
	if (len < LEASE_LENGTH_MIN || len > 32)
		return "its subnet is larger than a /" TEXT_OF(LEASE_LENGTH_MIN);
	lease->addr.len = (uint8_t)len;
	return prefix_usable(&lease->addr, &lease->addr.ip)
		       ? NULL
		       : "its address is the network or broadcast address of the subnet";
}

static const char *seconds_take(const char *line, struct lease *lease)
{
	char text[IP_TEXT_SIZE];
	if (!word_find(line, "lease", text))
		return "it has no lease time (option 51)";
	lease->seconds = (uint32_t)number_of(text, LEASE_SECONDS_MAX);
	return lease->seconds < LEASE_SECONDS_MIN
		       ? "it is for less than " TEXT_OF(LEASE_SECONDS_MIN) " s"
		       : NULL;
}

/* A router outside of the subnet cannot be one of its special addresses, so any is allowed. */
static bool is_router(const struct lease *lease, const struct ip *ip)
{
	return is_unicast(ip) && !ip_equal(ip, &lease->addr.ip) &&
	       (!prefix_contains(&lease->addr, ip) || prefix_usable(&lease->addr, ip));
}

/* The kernel itself has a route to the subnet. */
static bool is_destination(const struct lease *lease, const struct prefix *to)
{
	if (to->len == 0)
		return true;
	return to->len >= LEASE_LENGTH_MIN && is_unicast(&to->ip) &&
	       !(to->len == lease->addr.len && prefix_contains(to, &lease->addr.ip)) &&
	       !(to->len == 32 && ip_equal(&to->ip, &lease->addr.ip));
}

static bool has_route(const struct lease *lease, const struct prefix *to)
{
	for (size_t i = 0; i < lease->n_routes; i++)
		if (prefix_equal(&lease->routes[i].to, to))
			return true;
	return false;
}

/* `via` with family 0: on the LAN, which a default route cannot be. */
static void route_take(struct lease *lease, struct prefix to, const struct ip *via)
{
	to = prefix_subnet(&to);
	if (lease->n_routes == LEASE_ROUTES_MAX || !is_destination(lease, &to) ||
	    has_route(lease, &to) || (via->family ? !is_router(lease, via) : to.len == 0))
		return;
	lease->routes[lease->n_routes++] = (struct lease_route){.to = to, .via = *via};
}

/* "10.0.0.0/8,172.16.86.254,...": a router 0.0.0.0 is none. */
static void classless_take(const char *at, struct lease *lease)
{
	static const struct ip none = {.family = AF_INET};
	char to_text[ITEM_SIZE], via_text[ITEM_SIZE];
	struct prefix to;
	struct ip via;
	while (item_next(&at, to_text) && item_next(&at, via_text)) {
		if (!prefix_parse(to_text, &to) || to.ip.family != AF_INET ||
		    !ip_parse(via_text, &via))
			continue;
		if (ip_equal(&via, &none))
			via = (struct ip){0};
		route_take(lease, to, &via);
	}
}

/* Option 33 has no masks: that of the address's class, or of a host (RFC 2132 5.8, RFC 791). */
static uint8_t classful_length(const struct ip *ip)
{
	const uint8_t first = ip->bytes[0];
	struct prefix network = {.ip = *ip, .len = first < 128 ? 8 : first < 192 ? 16 : 24};
	const struct ip lowest = prefix_first(&network);
	return ip_equal(&lowest, ip) ? network.len : 32;
}

/* "10.0.0.0/172.16.86.254,...". */
static void classful_take(const char *at, struct lease *lease)
{
	char text[ITEM_SIZE];
	struct prefix to;
	struct ip via;
	while (item_next(&at, text)) {
		char *slash = strchr(text, '/');
		if (!slash)
			continue;
		*slash = '\0';
		if (!ip_parse(text, &to.ip) || !ip_parse(slash + 1, &via) || !is_unicast(&to.ip))
			continue;
		to.len = classful_length(&to.ip);
		route_take(lease, to, &via);
	}
}

/* RFC 3442: a client that got option 121 ignores the options 3 and 33. */
static void routes_take(const char *line, struct lease *lease)
{
	static const struct prefix all = {.ip.family = AF_INET};
	const char *classless = value_find(line, "staticroutes");
	struct ip router;
	if (!classless)
		classless = value_find(line, "msstaticroutes");
	if (classless) {
		classless_take(classless, lease);
		return;
	}
	if (ipv4_find(line, "router", &router))
		route_take(lease, all, &router);
	classful_take(value_find(line, "routes"), lease);
}

static void servers_take(const char *at, struct lease *lease)
{
	char text[ITEM_SIZE];
	struct ip ip;
	while (lease->n_servers < LEASE_SERVERS_MAX && item_next(&at, text))
		if (ip_parse(text, &ip) && is_unicast(&ip))
			lease->servers[lease->n_servers++] = ip;
}

static bool label_valid(const char *text, size_t length)
{
	static const char characters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	return length > 0 && length <= HOST_NAME_LENGTH_MAX && *text != '-' &&
	       text[length - 1] != '-' && strspn(text, characters) >= length;
}

bool domain_valid(const char *text)
{
	size_t length = strlen(text);
	if (!length || length > DOMAIN_LENGTH_MAX)
		return false;
	for (const char *at = text;; at += length + 1) {
		length = strcspn(at, ".");
		if (!label_valid(at, length))
			return false;
		if (!at[length])
			return true;
	}
}

/* Option 119 in place of 15. A dot at the end of a name is left out. */
static void search_take(const char *line, struct lease *lease)
{
	const char *at = value_find(line, "search");
	char text[ITEM_SIZE];
	at = at ? at : value_find(line, "domain");
	for (size_t count = 0; count < LEASE_SEARCH_MAX && item_next(&at, text);) {
		const size_t used = strlen(lease->search), length = strlen(text);
		if (length && text[length - 1] == '.')
			text[length - 1] = '\0';
		if (!domain_valid(text) || used + strlen(text) + 2 > LEASE_SEARCH_SIZE)
			continue;
		snprintf(lease->search + used, LEASE_SEARCH_SIZE - used, "%s%s", used ? " " : "",
			 text);
		count++;
	}
}

/* NULL: the line is valid. */
static const char *line_take(const char *line, struct lease *lease)
{
	const char *refusal = addr_take(line, lease);
	if (!refusal)
		refusal = seconds_take(line, lease);
	if (refusal)
		return refusal;
	routes_take(line, lease);
	servers_take(value_find(line, "dns"), lease);
	search_take(line, lease);
	return refusal;
}

/* An incomplete line is ignored. */
static const char *line_find(const char *text)
{
	const char *line = strstr(text, "LEASE ");
	return line && strchr(line, '\n') ? line : NULL;
}

bool lease_parse(const char *text, struct lease *ret)
{
	struct lease lease = {0};
	const char *line = line_find(text);
	if (!line || line_take(line, &lease))
		return false;
	*ret = lease;
	return true;
}

const char *lease_refusal(const char *text)
{
	struct lease lease = {0};
	const char *line = line_find(text);
	return line ? line_take(line, &lease) : NULL;
}

struct ip lease_router(const struct lease *lease)
{
	for (size_t i = 0; i < lease->n_routes; i++)
		if (lease->routes[i].to.len == 0)
			return lease->routes[i].via;
	return (struct ip){0};
}

bool host_name_valid(const char *text)
{
	const size_t length = strlen(text);
	return length > 0 && length <= HOST_NAME_LENGTH_MAX && text[0] != '-' &&
	       text[length - 1] != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
		       length;
}
