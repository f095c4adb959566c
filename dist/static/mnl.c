/* The functions of libmnl that mvapply uses, for the static program: Debian has no static libmnl.
 * They keep to what <libmnl/libmnl.h> and the manual of netlink(7) say of them. */
#include <libmnl/libmnl.h>
#include <string.h>

void *mnl_nlmsg_get_payload(const struct nlmsghdr *message)
{
	return (char *)(uintptr_t)message + MNL_NLMSG_HDRLEN;
}

size_t mnl_nlmsg_get_payload_len(const struct nlmsghdr *message)
{
	return message->nlmsg_len - MNL_NLMSG_HDRLEN;
}

struct nlmsghdr *mnl_nlmsg_put_header(void *buffer)
{
	struct nlmsghdr *message = buffer;
	memset(message, 0, MNL_NLMSG_HDRLEN);
	message->nlmsg_len = MNL_NLMSG_HDRLEN;
	return message;
}

void *mnl_nlmsg_put_extra_header(struct nlmsghdr *message, size_t size)
{
	char *extra = (char *)message + message->nlmsg_len;
	memset(extra, 0, MNL_ALIGN(size));
	message->nlmsg_len += MNL_ALIGN(size);
	return extra;
}

bool mnl_nlmsg_ok(const struct nlmsghdr *message, int left)
{
	return left >= (int)sizeof(*message) && message->nlmsg_len >= sizeof(*message) &&
	       (int)message->nlmsg_len <= left;
}

struct nlmsghdr *mnl_nlmsg_next(const struct nlmsghdr *message, int *left)
{
	*left -= MNL_ALIGN(message->nlmsg_len);
	return (struct nlmsghdr *)((uintptr_t)message + MNL_ALIGN(message->nlmsg_len));
}

uint16_t mnl_attr_get_type(const struct nlattr *attribute)
{
	return attribute->nla_type & NLA_TYPE_MASK;
}

uint16_t mnl_attr_get_payload_len(const struct nlattr *attribute)
{
	return attribute->nla_len - MNL_ATTR_HDRLEN;
}

void *mnl_attr_get_payload(const struct nlattr *attribute)
{
	return (char *)(uintptr_t)attribute + MNL_ATTR_HDRLEN;
}

bool mnl_attr_ok(const struct nlattr *attribute, int left)
{
	return left >= (int)sizeof(*attribute) && attribute->nla_len >= sizeof(*attribute) &&
	       (int)attribute->nla_len <= left;
}

struct nlattr *mnl_attr_next(const struct nlattr *attribute)
{
	return (struct nlattr *)((uintptr_t)attribute + MNL_ALIGN(attribute->nla_len));
}

bool mnl_attr_put_check(struct nlmsghdr *message, size_t room, uint16_t type, size_t size,
			const void *data)
{
	size_t used = MNL_ALIGN(message->nlmsg_len);
	if (used + MNL_ATTR_HDRLEN + MNL_ALIGN(size) > room)
		return false;
	struct nlattr *attribute = (struct nlattr *)((char *)message + used);
	*attribute =
		(struct nlattr){.nla_type = type, .nla_len = (uint16_t)(MNL_ATTR_HDRLEN + size)};
	char *payload = mnl_attr_get_payload(attribute);
	memcpy(payload, data, size);
	memset(payload + size, 0, MNL_ALIGN(size) - size);
	message->nlmsg_len = (uint32_t)(used + MNL_ATTR_HDRLEN + MNL_ALIGN(size));
	return true;
}

struct nlattr *mnl_attr_nest_start_check(struct nlmsghdr *message, size_t room, uint16_t type)
{
	size_t used = MNL_ALIGN(message->nlmsg_len);
	if (used + MNL_ATTR_HDRLEN > room)
		return NULL;
	struct nlattr *start = (struct nlattr *)((char *)message + used);
	*start = (struct nlattr){.nla_type = NLA_F_NESTED | type};
	message->nlmsg_len = (uint32_t)(used + MNL_ATTR_HDRLEN);
	return start;
}

void mnl_attr_nest_end(struct nlmsghdr *message, struct nlattr *start)
{
	start->nla_len = (uint16_t)((char *)message + message->nlmsg_len - (char *)start);
}

int mnl_attr_parse(const struct nlmsghdr *message, unsigned offset, mnl_attr_cb_t callback,
		   void *data)
{
	const struct nlattr *attribute = mnl_nlmsg_get_payload(message);
	attribute = (const struct nlattr *)((const char *)attribute + MNL_ALIGN(offset));
	const char *end = (const char *)message + message->nlmsg_len;
	int status = MNL_CB_OK;
	while (status > MNL_CB_STOP &&
	       mnl_attr_ok(attribute, (int)(end - (const char *)attribute))) {
		status = callback(attribute, data);
		attribute = mnl_attr_next(attribute);
	}
	return status;
}
