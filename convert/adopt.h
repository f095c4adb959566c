/* Links without an owner tag, as if they were a set's: `apply --adopt` takes them over in place.
 * Not for users of the export: they include export.h. */
#ifndef CONVERT_ADOPT_H
#define CONVERT_ADOPT_H

#include "convert/observed_set.h"

/* Takes in every unmarked macvlan and ipvlan on a link of the host's, and every unmarked VLAN link
 * of the host's; what cannot be one of a set's is in `notes`. */
void adopt_take(struct observed_set *set, struct notes *notes);

#endif
