/* Reads the live state from the kernel. */
#ifndef RECONCILE_OBSERVE_OBSERVE_H
#define RECONCILE_OBSERVE_OBSERVE_H

#include "kernel/netns_mounts.h"
#include "lib/error.h"
#include "lib/hashmap.h"
#include "reconcile/observe/engine_lookup.h"
#include "reconcile/plan/selection.h"
#include "reconcile/state/state.h"

/* Reads the host's namespace, the namespaces of the desired containers, and all others that can be
 * found. It keeps a descriptor of the relevant ones: containers' namespaces, and those with links
 * whose parent is the host's. Addresses, routes and sysctls are read only of these. Containers of
 * engines are taken from `lookups` (reconcile/observe/engine_lookup.h); no engine is queried.
 * `lookups` is NULL if the desired state has none. Returns a state that the caller frees with
 * live_free (which closes the descriptors), or NULL. */
struct live *observe(const struct desired *desired, struct lookups *lookups, struct error *error);
void live_free(struct live *live);
/* The same, for the host and these containers alone: no other namespace is opened, and all other
 * containers are pending. */
struct live *observe_containers(const struct desired *desired, const struct containers *containers,
				struct lookups *lookups, struct error *error);

/* Adds the namespaces that only descriptors of processes keep, if they have links whose parent is
 * the host's: those of containers that lost their name or whose processes ended. Returns whether
 * there are any. `live` must be fresh. All descriptors of the machine are searched
 * (netns_scan_descriptors), but only if the host's links have more links on them than are known
 * (unaccounted_links.h). The thread must be in the host's namespace. */
bool observe_descriptors(struct live *live);

/* Whether observe_widely would add nothing to the fresh state: each namespace that can be found is
 * known, or has no link whose parent is the host's. Others are added, and what could not be read:
 * then continue by observe_widely. `mounts` is the current mount table; NULL: it is read. */
bool observe_knows_all(struct live *live, const struct netns_mounts *mounts);

/* A sentence that there are too few descriptors, and how to get more. */
const char *descriptors_short(struct arena *arena);

/* As observe, for the host and each namespace in which a link has the owner tag of an attachment,
 * in whichever namespace the link's parent is; of links alone. Namespaces whose inode (uint64_t) is
 * in `known` are not opened; NULL: none. */
struct live *observe_owner_tags(const struct index *known, struct error *error);

/* Continues an earlier observation: reads the stale parts again (live_ns.stale,
 * container_lookup.stale), finds containers that are new in `desired`, and keeps the rest. `before`
 * is freed in any case; the desired state of `before` must be valid until then. A stale namespace
 * that was released and belongs to no container is searched everywhere, and dropped if it is
 * destroyed or cannot be found. */
struct live *observe_stale(struct live *before, const struct desired *desired,
			   struct lookups *lookups, struct error *error);

/* The same in place, for these namespaces of the state, if nothing else has changed since. The
 * containers are those of the same desired state. False: more has to be read, by observe_stale;
 * some of the namespaces may be read already. The thread must be in the host's namespace. */
bool observe_in_place(struct live *live, struct lookups *lookups, struct live_ns *const *namespaces,
		      size_t count);

/* As observe_stale, and also finds each namespace that is unknown, has changed its identity, or has
 * no nsid, without which the kernel reports no events of it. */
struct live *observe_widely(struct live *before, const struct desired *desired,
			    struct lookups *lookups, struct error *error);

/* A second observation, which leaves `before` unchanged. It reads the namespaces that `before`
 * keeps open, which may have lost their names, and all others that can be found. Stale containers
 * of `before` are looked up again in `lookups`; the others keep their namespaces. Returns a state
 * that the caller frees with live_free, or NULL. */
struct live *observe_second(const struct live *before, struct lookups *lookups,
			    struct error *error);

/* Reads the cookies of the namespaces (live_ns.cookie), for comparison with another process's
 * observation. */
void observe_cookies(struct live *live);

/* Reopens namespaces that the selected steps need and namespace_release closed. False: a namespace
 * could not be opened, or was replaced; its containers are stale. */
bool observe_reopen(struct live *live, struct lookups *lookups, const struct selection *selection);

/* Closes the descriptors: they keep a namespace and its links after its container ended. */
void namespace_release(struct live_ns *ns);

/* Whether every unreadable process counts. Root of another user namespace may never read processes
 * outside of it, and could not when its links were created. */
bool observe_everything(void);

#endif
