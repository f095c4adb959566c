/* Whether another network namespace has an address, without entering it. */
#ifndef CMD_ATTACH_ADDRESS_HOLDERS_H
#define CMD_ATTACH_ADDRESS_HOLDERS_H

#include "reconcile/state/state.h"

/* Whether a namespace that an observation would find has one of the link's addresses, on whichever
 * link, up or down; true if that is not known. Each namespace that is found gets an nsid in the
 * host's, by which its addresses are listed. `live` has the host. */
bool address_held(const struct live *live, const struct link_spec *spec);

#endif
