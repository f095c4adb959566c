/* What the unit tests use of libmnl besides what the program does (dist/static/mnl.c): for make
 * builds with musl. */
#include <libmnl/libmnl.h>
#include <stdint.h>
#include <string.h>

void *mnl_nlmsg_get_payload_offset(const struct nlmsghdr *message, size_t offset)
{
	return (char *)mnl_nlmsg_get_payload(message) + MNL_ALIGN(offset);
}

void *mnl_nlmsg_get_payload_tail(const struct nlmsghdr *message)
{
	return (char *)(uintptr_t)message + MNL_ALIGN(message->nlmsg_len);
}

void mnl_attr_put(struct nlmsghdr *message, uint16_t type, size_t size, const void *data)
{
	(void)mnl_attr_put_check(message, SIZE_MAX / 2, type, size, data);
}

void mnl_attr_put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
	mnl_attr_put(message, type, sizeof(value), &value);
}

void mnl_attr_put_u64(struct nlmsghdr *message, uint16_t type, uint64_t value)
{
	mnl_attr_put(message, type, sizeof(value), &value);
}

void mnl_attr_put_str(struct nlmsghdr *message, uint16_t type, const char *text)
{
	mnl_attr_put(message, type, strlen(text), text);
}

struct nlattr *mnl_attr_nest_start(struct nlmsghdr *message, uint16_t type)
{
	return mnl_attr_nest_start_check(message, SIZE_MAX / 2, type);
}
