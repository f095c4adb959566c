#include "dhcp/lease.h"

#include <errno.h>
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

/* The value of a word "key=value" in the line, in the caller's text; false: it is not there. */
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

static bool number_find(const char *line, const char *key, unsigned long max, unsigned long *ret)
{
	char text[IP_TEXT_SIZE], *end;
	if (!word_find(line, key, text) || *text < '0' || *text > '9')
		return false;
	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	if (*end || errno || number == 0)
		return false;
	*ret = number < max ? number : max;
	return true;
}

/* One that a link can have: neither this network's, nor loopback's, nor multicast and above. */
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

bool lease_parse(const char *text, struct lease *ret)
{
	const char *line = strstr(text, "LEASE ");
	struct lease lease = {0};
	unsigned long len, seconds;
	if (!line || !strchr(line, '\n') || !ipv4_find(line, "ip", &lease.addr.ip) ||
	    !number_find(line, "mask", 33, &len) || len > 32 ||
	    !number_find(line, "lease", LEASE_SECONDS_MAX, &seconds) || seconds < LEASE_SECONDS_MIN)
		return false;
	lease.addr.len = (uint8_t)len;
	lease.seconds = (uint32_t)seconds;
	if (!prefix_usable(&lease.addr, &lease.addr.ip))
		return false;
	if (ipv4_find(line, "router", &lease.router) && ip_equal(&lease.router, &lease.addr.ip))
		lease.router = (struct ip){0};
	*ret = lease;
	return true;
}

bool host_name_valid(const char *text)
{
	const size_t length = strlen(text);
	return length > 0 && length <= HOST_NAME_LENGTH_MAX && text[0] != '-' &&
	       text[length - 1] != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
		       length;
}
