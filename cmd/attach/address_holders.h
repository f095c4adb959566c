/* Whether another network namespace has an address. */
#ifndef CMD_ATTACH_ADDRESS_HOLDERS_H
#define CMD_ATTACH_ADDRESS_HOLDERS_H

#include "reconcile/state/state.h"

/* Whether a namespace that an observation would find has one of the link's addresses, on whichever
 * link, up or down; true if that is not known. The namespaces of which the set's service is certain
 * (cmd/service_query.h) are not entered. The link has one address, of IPv4. `live` has the host,
 * and the thread is in its namespace. */
bool address_held(const struct live *live, const struct link_spec *spec, const char *set);

#endif
