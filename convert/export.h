/* Exports the live links with an owner tag as a configuration. Applying it changes nothing. */
#ifndef CONVERT_EXPORT_H
#define CONVERT_EXPORT_H

#include "convert/live_sets.h"
#include "convert/yaml_tree.h"
#include "reconcile/observe/netns_owner.h"
#include "reconcile/state/state.h"

/* One set's declaration. */
struct exported {
	const char *set;
	struct tree *tree;
};

struct exports {
	struct exported *items; /* by the names of the sets */
	size_t count;
	const char **dissents; /* what one container's link differs in from the others' */
	size_t n_dissents;
};

/* `adopt`: the set that untagged links are taken into, or NULL. `origins` are those of
 * live->spaces. Pure. What a file cannot say, or the kernel does not tell, is a comment. Everything
 * is in `arena`. */
struct exports export_live(const struct live *live, const struct origin *origins,
			   const struct set_names *names, const char *adopt, struct arena *arena);

#endif
