/* Whether a container can be attached without reading the namespaces of all others. */
#ifndef CMD_ATTACH_ATTACH_ALONE_H
#define CMD_ATTACH_ATTACH_ALONE_H

#include "reconcile/plan/plan_options.h"
#include "reconcile/plan/selection.h"

/* Whether attach_alone is possible at all: all addresses are IPv4, and set by the files or the
 * caller, or a guest's. */
bool attach_may_be_alone(const struct containers *containers);

/* Finds the addresses that the plan must not use, for the containers of `desired`: what other
 * namespaces have and, where one is chosen, what the files give to others. False: that is not
 * known, or an address is in use. `live` has the host and the containers. In the arena. */
bool attach_others_find(const struct desired *desired, const struct containers *containers,
			const struct live *live, struct arena *arena,
			struct other_addresses *ret_others);

/* Whether nothing that the observation left out can collide with what the selection creates, which
 * was planned with those addresses. That is so if each parent's other macvlans have MACs of other
 * IPv4 addresses: mvapply and Docker derive the MAC from the address, so such a link has the
 * address of its MAC, or will have it. Any other plan needs all namespaces, also one with an error,
 * whose text may name another container. */
bool attach_alone(const struct selection *selection, const struct live *live,
		  const struct containers *containers);

/* The desired state with those containers, and those that a file declares between them. A copy in
 * the arena, which points into `desired`: a container is the same object in both. It is enough for
 * a plan of these containers, unless their namespaces have links of others (attach_beside). */
const struct desired *attach_desired(const struct desired *desired,
				     const struct containers *containers, struct arena *arena);

/* Whether one of the containers' namespaces has a managed link, which may be another container's:
 * several can declare one namespace. `live` as in attach_alone. */
bool attach_beside(const struct live *live);

#endif
