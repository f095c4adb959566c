/* Exports links without an owner tag as links of a set: `apply --adopt` adopts them in place. Only
 * the parts of the export include this header; others include export.h. */
#ifndef CONVERT_ADOPT_H
#define CONVERT_ADOPT_H

#include "convert/observed_set.h"

/* Adds every untagged macvlan and ipvlan on a link of the host's, and every untagged VLAN link of
 * the host's; links that cannot belong to a set are in `notes`. */
void adopt_take(struct observed_set *set, struct notes *notes);

#endif
