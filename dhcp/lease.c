#include "dhcp/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_NAME_LENGTH_MAX 63

struct client_id client_id_make(const char *set, const char *network, const char *container)
{
	struct client_id id = {0};
	char text[CLIENT_ID_MAX];
	int length = snprintf(text, sizeof(text), "%s/%s/%s", set, network, container);
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	memcpy(id.bytes + 1, text, (size_t)length);
	id.size = (uint8_t)(length + 1);
	return id;
}

/* The value of "key=value" in the line, copied into the caller's text; false if the key is
 * missing. */
static bool word_find(const char *line, const char *key, char text[IP_TEXT_SIZE])
{
	const size_t length = strlen(key), end = strcspn(line, "\n");
	for (const char *at = line; (size_t)(at - line) < end;) {
		const size_t size = strcspn(at, " \n");
		if (size > length && size - length < IP_TEXT_SIZE &&
		    strncmp(at, key, length) == 0 && at[length] == '=') {
			snprintf(text, IP_TEXT_SIZE, "%.*s", (int)(size - length - 1),
				 at + length + 1);
			return *text != '\0';
		}
		at += size + strspn(at + size, " ");
	}
	return false;
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

/* A unicast address for a link: not of "this network" (0/8), loopback, multicast or above. */
static bool ipv4_find(const char *line, const char *key, struct ip *ret)
{
	char text[IP_TEXT_SIZE];
	struct ip ip;
	if (!word_find(line, key, text) || !ip_parse(text, &ip) || ip.family != AF_INET ||
	    ip.bytes[0] == 0 || ip.bytes[0] == 127 || ip.bytes[0] >= 224)
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
static void router_take(const char *line, struct lease *lease)
{
	struct ip router;
	if (!ipv4_find(line, "router", &router) || ip_equal(&router, &lease->addr.ip))
		return;
	if (!prefix_contains(&lease->addr, &router) || prefix_usable(&lease->addr, &router))
		lease->router = router;
}

/* NULL: the line is valid. */
static const char *line_take(const char *line, struct lease *lease)
{
	const char *refusal = addr_take(line, lease);
	if (!refusal)
		refusal = seconds_take(line, lease);
	if (!refusal)
		router_take(line, lease);
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

bool host_name_valid(const char *text)
{
	const size_t length = strlen(text);
	return length > 0 && length <= HOST_NAME_LENGTH_MAX && text[0] != '-' &&
	       text[length - 1] != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
		       length;
}
