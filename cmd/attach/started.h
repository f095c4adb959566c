/* The desired state with a container that a runtime is starting, in the namespace that the runtime
 * names: a declared one, or a guest of a network. */
#ifndef CMD_ATTACH_STARTED_H
#define CMD_ATTACH_STARTED_H

#include "kernel/owner_tag.h"
#include "lib/error.h"
#include "reconcile/plan/selection.h"
#include "schema/model.h"

/* The request of a runtime. */
struct started {
	enum source_kind kind; /* of `source` */
	const char *source;    /* by which a file declares the container; NULL: a guest */
	const char *name;      /* of a guest: any text */
	const char *key;       /* of a guest: "cni." and the digits that distinguish it */
	const char *netns;     /* an absolute path */
	const char *interface; /* the name of the new link */
	struct ip ipv4, ipv6;  /* family 0: the file's, or any */
	struct mac mac;        /* unset: the file's, or any */
};

struct network_of_set {
	const struct set *set;
	const struct network *network;
};

/* Whether the name, "NETWORK" or "SET/NETWORK", is the network of the set. */
bool network_named(const char *set, const char *network, const char *name);
/* The network of that name. Returns 0, or a negative errno: there is none, or there are several.
 */
int network_of_name(const struct desired *desired, const char *name, struct network_of_set *ret,
		    struct error *error);

/* Whether the files declare the container of an attachment's owner tag, but not by this source. */
bool declared_otherwise(const struct desired *desired, const struct owner_tag *tag,
			enum source_kind kind, const char *source);

/* Returns a copy in the arena, which points into `desired`, and the container's attachment to the
 * network; or NULL: an address cannot be used, or the file declares the container without the
 * network. */
const struct desired *started_add(const struct desired *desired, const struct network_of_set *where,
				  const struct started *started, struct arena *arena,
				  struct containers *ret_containers, struct error *error);

#endif
