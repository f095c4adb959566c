/* Whether a container can be attached without reading the namespaces of all others. */
#ifndef CMD_ATTACH_ATTACH_ALONE_H
#define CMD_ATTACH_ATTACH_ALONE_H

#include "reconcile/plan/selection.h"

/* Whether nothing that the observation left out can collide with what the selection creates. That
 * is so if the files or the caller set each address, all of them are IPv4, and each parent's other
 * macvlans have MACs of other IPv4 addresses: mvapply and Docker derive the MAC from the address,
 * so such a link has the address of its MAC. Any other plan needs all namespaces, also one with an
 * error, whose text may name another container. `live` has the host and the containers. */
bool attach_alone(const struct selection *selection, const struct live *live,
		  const struct containers *containers);

#endif
