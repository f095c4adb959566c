/* Reads the live state from the kernel. */
#ifndef RECONCILE_OBSERVE_OBSERVE_H
#define RECONCILE_OBSERVE_OBSERVE_H

#include "lib/error.h"
#include "reconcile/observe/engine_lookup.h"
#include "reconcile/plan/selection.h"
#include "reconcile/state/state.h"

/* Reads the host's namespace, the namespaces of the desired containers, and every other namespace
 * that can be found, and holds those that matter by descriptor: they are containers', or hold links
 * whose parent is the host's. Addresses, routes and sysctls are read of these alone.
 * Containers of engines are where `lookups` has them (reconcile/observe/engine_lookup.h): no engine
 * is asked. NULL where the desired state has none. Returns the caller's to free with live_free
 * (which closes the descriptors), or NULL. */
struct live *observe(const struct desired *desired, struct lookups *lookups, struct error *error);
void live_free(struct live *live);

/* Adds the namespaces that only descriptors of processes lead to, as far as they hold links whose
 * parent is the host's: those of containers that lost their name, or whose processes ended, with
 * what is in them. True: there are some. For an observation that is fresh. It looks through all
 * descriptors of the machine (netns_scan_descriptors), so only where what is found would make a
 * difference. */
bool observe_descriptors(struct live *live);

/* A sentence that descriptors are too few, and how to get more. */
const char *descriptors_short(struct arena *arena);

/* The host, and each namespace in which a link has the owner tag of an attachment, wherever its
 * parent is. As observe otherwise. */
struct live *observe_owner_tags(struct error *error);

/* For an observation that goes on from an earlier one: reads again what is marked stale
 * (live_ns.stale, container_lookup.stale), finds containers that are new in `desired`, and takes
 * over the rest, untouched. `before` is freed in any case; the desired state that it was made for
 * has to live until then. A namespace that is no container's any more, was let go and is stale is
 * looked for wherever one can be had; it is forgotten where it is dead or nothing leads to it. */
struct live *observe_stale(struct live *before, const struct desired *desired,
			   struct lookups *lookups, struct error *error);

/* The same, and finds every namespace that is not known yet, or known but not as it is now, or has
 * no number by which the kernel would report what changes there. */
struct live *observe_widely(struct live *before, const struct desired *desired,
			    struct lookups *lookups, struct error *error);

/* A second observation beside an earlier one, which stays as it is: at the namespaces that `before`
 * holds, which may have lost their names, and at every other that can be found. A container of
 * `before` that is stale is found again, with `lookups` as in observe, and may be elsewhere by now;
 * the others are where they were. Returns the caller's to free with live_free, or NULL. */
struct live *observe_second(const struct live *before, struct lookups *lookups,
			    struct error *error);

/* Fills in the cookies of the namespaces (live_ns.cookie), for who compares this observation with
 * one of another process. */
void observe_cookies(struct live *live);

/* Opens what the selected steps need and observe_release let go. False: a namespace could not be
 * had, or is another one by now; the containers in it are stale. */
bool observe_hold(struct live *live, struct lookups *lookups, const struct selection *selection);

/* Closes all descriptors but the host's: a descriptor keeps a namespace, and the links in it, alive
 * after its container is gone. */
void observe_release(struct live *live);

#endif
