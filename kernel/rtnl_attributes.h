/* Attributes of netlink messages, for rtnl_decode.c, rtnl_encode.c and rtnl_route.c. Numbers are in
 * the machine's byte order. */
#ifndef KERNEL_RTNL_ATTRIBUTES_H
#define KERNEL_RTNL_ATTRIBUTES_H

#include "kernel/link.h"
#include "kernel/rtnl_message.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Room for an alias (IFALIASZ) or a name of which all bytes are escaped. */
#define ATTR_NAME_SIZE 1100

/* One nesting level of attributes: table[type] points to the attribute, or is NULL. False: one is
 * malformed. */
bool attrs_parse(const void *bytes, size_t size, const struct nlattr *table[], size_t n);
bool attrs_parse_nested(const struct nlattr *attr, const struct nlattr *table[], size_t n);
/* The message's fixed header, or NULL; its attributes are put into the table. */
const void *message_parse(const struct nlmsghdr *message, uint16_t type, size_t header,
			  const struct nlattr *table[], size_t n);

/* Copies an attribute of exactly this size; if the attribute is absent, *ret is unchanged. False:
 * it has another size. */
bool attr_get(const struct nlattr *attr, void *ret, size_t size);
/* "" if it is absent; in the arena. */
const char *attr_get_text(struct arena *arena, const struct nlattr *attr);
bool attr_get_ip(const struct nlattr *attr, uint8_t family, struct ip *ret);

/* Begins a request with a zeroed fixed header of that size, which it returns. */
void *message_begin(union message *message, uint16_t type, uint16_t flags, size_t header);
/* False: the message is full. */
bool attr_put(union message *message, uint16_t type, const void *bytes, size_t size);
bool attr_put_u8(union message *message, uint16_t type, uint8_t value);
bool attr_put_u16(union message *message, uint16_t type, uint16_t value);
bool attr_put_u32(union message *message, uint16_t type, uint32_t value);
bool attr_put_text(union message *message, uint16_t type, const char *text);
/* A name that the decoder escaped (lib/escape.h). */
bool attr_put_name(union message *message, uint16_t type, const char *name);
bool attr_put_ip(union message *message, uint16_t type, const struct ip *ip);
/* NULL: the message is full. */
struct nlattr *attr_nest_begin(union message *message, uint16_t type);
/* True. */
bool attr_nest_end(union message *message, struct nlattr *start);

#endif
