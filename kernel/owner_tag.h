/* The owner tag of links that mvapply manages: the link's alias (IFLA_IFALIAS).
 *
 *   mvapply:attach:SET/NETWORK/CONTAINER   a container's link
 *   mvapply:attach:SET/NETWORK/CONTAINER/ATTACHMENT
 *                                          the same, of an attachment that is not called as its
 *                                          network
 *   mvapply:attach:SET/NETWORK/CONTAINER[/ATTACHMENT]=PATH
 *                                          either, and the file with the name servers of its lease
 *   mvapply:guest:SET/NETWORK/NAME/KEY     the link of a container that no file declares, which
 *                                          its runtime attached; KEY tells containers of one name
 *                                          apart
 *   mvapply:host:SET/NETWORK               the host's own link of a network
 *   mvapply:dummy:SET/NETWORK              the parent of a network without one
 *   mvapply:vlan:SET[,SET...]              a VLAN link, and the sets that use it
 */
#ifndef KERNEL_OWNER_TAG_H
#define KERNEL_OWNER_TAG_H

#include "schema/model.h"

/* IFALIASZ is 256 with the terminator. */
#define ALIAS_LENGTH_MAX 255

/* The protocol number on addresses (IFA_PROTO) and routes (rtm_protocol). None of the numbers in
 * linux/rtnetlink.h or iproute2's rt_protos. */
#define OWNER_TAG_PROTOCOL 77

enum role {
	ROLE_NONE,
	ROLE_ATTACH,
	ROLE_GUEST,
	ROLE_HOST,
	ROLE_DUMMY,
	ROLE_VLAN,
	ROLE_PARENT
} __attribute__((packed));

struct owner_tag {
	/* ROLE_NONE: not an owner tag of mvapply. ROLE_PARENT: of steps alone, for another
	 * program's link with the marks of kernel/parent_mark.h; no alias has it. */
	enum role role;
	unsigned n_sets;           /* of `sets` */
	const char *set, *network; /* NULL if the role has none */
	const char *container;     /* the same; of a guest: "NAME/KEY", as no declared container is
				      called */
	const char *attachment;    /* ROLE_ATTACH: its name; NULL: the network's */
	const char *resolv_conf; /* ROLE_ATTACH: the file with the name servers of its lease; NULL:
				    none. No part of the identity */
	const char **sets;       /* ROLE_VLAN: the sets that use it, sorted by byte order */
};

/* Parses an alias (NULL allowed); strings go to the arena. Anything malformed is ROLE_NONE. */
struct owner_tag owner_tag_parse(struct arena *arena, const char *alias);

/* That of a container's link. */
struct owner_tag owner_tag_of(const struct set *set, const struct container *container,
			      const struct attachment *attachment);

/* The alias of an owner tag, or NULL if it would exceed ALIAS_LENGTH_MAX. */
const char *owner_tag_format(struct arena *arena, const struct owner_tag *tag);

/* The same without the path of resolv_conf: equal for equal owner tags. */
const char *owner_tag_identity(struct arena *arena, const struct owner_tag *tag);

/* Whether links of the role are in containers' namespaces; those of other roles are in the host's
 * alone. */
bool role_in_container(enum role role);

/* Of a guest: its name without the key, and what attached it: "cni". In the arena. */
struct guest_label {
	const char *name, *source;
};
struct guest_label owner_tag_guest(struct arena *arena, const struct owner_tag *tag);

/* The name of a container's attachment; NULL for other links. */
const char *owner_tag_attachment(const struct owner_tag *tag);

bool owner_tag_equal(const struct owner_tag *a, const struct owner_tag *b);
bool owner_tag_has_set(const struct owner_tag *tag, const char *set);

#endif
