/* Links of guests: containers that no file declares, which a runtime attached. */
#ifndef CMD_ATTACH_GUESTS_H
#define CMD_ATTACH_GUESTS_H

#include "kernel/owner_tag.h"
#include "lib/error.h"

/* Whether the link of a guest is to be deleted. */
typedef bool guest_leaves(const void *data, const struct owner_tag *tag);

/* Deletes those guests, in whichever namespaces they are. The namespaces of which the set's service
 * is certain that they have none are not entered (cmd/service_query.h); `set` may be NULL. The lock
 * is held. Returns 0, or a negative errno. */
int guests_delete(guest_leaves *leaves, const void *data, const char *set, struct error *error);

/* Whether it is the key of the guest's tag, or its beginning. */
bool guest_key_is(const struct owner_tag *tag, const char *key);
bool guest_key_begins(const struct owner_tag *tag, const char *beginning);

#endif
