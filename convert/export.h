/* Exports the live links with an owner tag as a configuration. Applying it changes nothing. */
#ifndef CONVERT_EXPORT_H
#define CONVERT_EXPORT_H

#include "convert/live_sets.h"
#include "convert/yaml_tree.h"
#include "reconcile/observe/netns_owner.h"
#include "reconcile/state/state.h"

/* The declaration of one set. */
struct exported {
	const char *set;
	struct tree *tree;
	bool empty; /* it declares nothing, and has no comment */
};

struct exports {
	struct exported *items; /* by name of the set */
	size_t count;
	const char **dissents; /* differences of one container's link from the others */
	size_t n_dissents;
};

/* `adopt`: the set for untagged links, or NULL. `origins` are those of live->namespaces. Pure.
 * Properties that a file cannot express, or that the kernel does not report, become comments.
 * Everything is in `arena`. */
struct exports export_live(const struct live *live, const struct origin *origins,
			   const struct set_names *names, const char *adopt, struct arena *arena);

#endif
