/* Whether a container can be attached without reading the namespaces of all others. */
#ifndef CMD_ATTACH_ATTACH_ALONE_H
#define CMD_ATTACH_ATTACH_ALONE_H

#include "reconcile/plan/selection.h"

/* Whether nothing that the observation left out can collide with what the selection creates. That
 * is so if the files or the caller set each address, all of them are IPv4, no other
 * namespace has one (address_held), and each parent's other macvlans have MACs of other IPv4
 * addresses: mvapply and Docker derive the MAC from the address, so such a link has the address of
 * its MAC. The parent's list lacks links that are down and further addresses. Any other plan needs
 * all namespaces, also one with an error, whose text may name another container. `live` has the
 * host and the containers. */
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
