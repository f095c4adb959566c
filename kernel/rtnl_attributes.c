#include "kernel/rtnl_attributes.h"

#include "lib/escape.h"

#include <string.h>
#include <sys/socket.h>

bool attrs_parse(const void *bytes, size_t size, const struct nlattr *table[], size_t n)
{
	const struct nlattr *attr = bytes;
	int left = (int)size;
	memset(table, 0, n * sizeof(*table));
	while (mnl_attr_ok(attr, left)) {
		if (mnl_attr_get_type(attr) < n)
			table[mnl_attr_get_type(attr)] = attr;
		left -= MNL_ALIGN(attr->nla_len);
		attr = mnl_attr_next(attr);
	}
	return left <= 0;
}

bool attrs_parse_nested(const struct nlattr *attr, const struct nlattr *table[], size_t n)
{
	return attrs_parse(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), table, n);
}

const void *message_parse(const struct nlmsghdr *message, uint16_t type, size_t header,
			  const struct nlattr *table[], size_t n)
{
	if (message->nlmsg_type != type || message->nlmsg_len < MNL_NLMSG_HDRLEN + header)
		return NULL;
	const char *payload = mnl_nlmsg_get_payload(message);
	size_t size = mnl_nlmsg_get_payload_len(message), skip = MNL_ALIGN(header);
	if (skip > size)
		skip = size;
	return attrs_parse(payload + skip, size - skip, table, n) ? payload : NULL;
}

bool attr_get(const struct nlattr *attr, void *ret, size_t size)
{
	if (!attr)
		return true;
	if (mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(ret, mnl_attr_get_payload(attr), size);
	return true;
}

const char *attr_get_text(struct arena *arena, const struct nlattr *attr)
{
	if (!attr)
		return "";
	const char *text = mnl_attr_get_payload(attr);
	return arena_strndup(arena, text, strnlen(text, mnl_attr_get_payload_len(attr)));
}

bool attr_get_ip(const struct nlattr *attr, uint8_t family, struct ip *ret)
{
	if (!attr)
		return true;
	struct ip ip = {.family = family};
	size_t size = family == AF_INET ? 4 : 16;
	if (!attr_get(attr, ip.bytes, size))
		return false;
	*ret = ip;
	return true;
}

void *message_begin(union message *message, uint16_t type, uint16_t flags, size_t header)
{
	memset(message, 0, sizeof(*message));
	struct nlmsghdr *begun = mnl_nlmsg_put_header(message);
	begun->nlmsg_type = type;
	begun->nlmsg_flags = flags;
	return mnl_nlmsg_put_extra_header(begun, header);
}

bool attr_put(union message *message, uint16_t type, const void *bytes, size_t size)
{
	return mnl_attr_put_check(&message->header, sizeof(*message), type, size, bytes);
}

bool attr_put_u8(union message *message, uint16_t type, uint8_t value)
{
	return attr_put(message, type, &value, sizeof(value));
}

bool attr_put_u16(union message *message, uint16_t type, uint16_t value)
{
	return attr_put(message, type, &value, sizeof(value));
}

bool attr_put_u32(union message *message, uint16_t type, uint32_t value)
{
	return attr_put(message, type, &value, sizeof(value));
}

bool attr_put_text(union message *message, uint16_t type, const char *text)
{
	return attr_put(message, type, text, strlen(text) + 1);
}

bool attr_put_name(union message *message, uint16_t type, const char *name)
{
	char bytes[ATTR_NAME_SIZE];
	return strlen(name) < sizeof(bytes) &&
	       attr_put(message, type, bytes, unescape(bytes, name) + 1);
}

bool attr_put_ip(union message *message, uint16_t type, const struct ip *ip)
{
	return attr_put(message, type, ip->bytes, ip_bits(ip) / 8);
}

struct nlattr *attr_nest_begin(union message *message, uint16_t type)
{
	return mnl_attr_nest_start_check(&message->header, sizeof(*message), type);
}

bool attr_nest_end(union message *message, struct nlattr *start)
{
	mnl_attr_nest_end(&message->header, start);
	return true;
}
