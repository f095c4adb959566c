/* A saved plan: the input, the options, the fingerprint of the live state, and the steps, in a file
 * for review. It is applied only if planning again from the same input gives the same steps and
 * fingerprint, so a saved plan cannot do what its input could not. */
#ifndef CONVERT_SAVED_PLAN_H
#define CONVERT_SAVED_PLAN_H

#include "reconcile/plan/fingerprint.h"
#include "schema/load.h"

#include <jansson.h>

struct saved_plan {
	const char *host; /* the host whose part of the input it is */
	struct plan_options options;
	struct input *inputs;
	size_t n_inputs;
	struct fingerprint live;
	json_t *steps; /* an array, in the format of `diff -o json` */
};

/* The document of a saved plan, which the caller frees, or NULL if the input is not UTF-8. Takes
 * over saved->steps. */
json_t *saved_plan_encode(const struct saved_plan *saved);

/* Reads such a document. Strings go to the arena. Returns 0, and the caller frees with
 * saved_plan_free; or -1 with a diag. */
int saved_plan_decode(const struct input *file, struct arena *arena, struct saved_plan *ret,
		      struct diags *diags);
void saved_plan_free(struct saved_plan *saved);

/* The changes since the plan was saved, a sentence each ("was: ...", "is: ..."); none: it is still
 * valid. `steps` are those of the plan made now, and `live` is its fingerprint. Pure; in the
 * arena. */
size_t saved_plan_compare(const struct saved_plan *saved, const struct fingerprint *live,
			  const json_t *steps, struct arena *arena, const char ***ret_changes);

#endif
