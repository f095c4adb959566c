/* What every phase of planning is given, and how a phase says that something cannot be done.
 *
 * A phase takes what the phases before it gave, const, and returns a value of its own type. So the
 * order of the phases is in their types:
 *
 *     plan_input -> ownership -> managed_index -> parents -> attachments -> unmanaged_index
 *                -> addresses -> names -> link_specs -> conflicts -> plan
 */
#ifndef RECONCILE_PLAN_PLAN_INPUT_H
#define RECONCILE_PLAN_PLAN_INPUT_H

#include "reconcile/plan/plan_options.h"
#include "reconcile/plan/step.h"

/* In the order in which the phases find them. */
struct warnings {
	struct warning *items;
	size_t count;
};

struct plan_input {
	struct arena *arena;   /* of what the plan points to */
	struct arena *scratch; /* of what ends with the planning */
	const struct desired *desired;
	const struct live *live;
	const struct plan_options *options;
	struct warnings *warnings;
};

/* Whether something can be done; if not, what the step says instead. */
struct check_result {
	enum action action; /* ACTION_CREATE: it can */
	enum code code;
	const char *reason, *hint;
};

/* The objects are those of the kind. Copies them. */
#define warning_add(input, kind_, ...)                                                             \
	warning_put((input), &(struct warning){.kind = (kind_), .objects = {__VA_ARGS__}})
void warning_put(const struct plan_input *input, const struct warning *warning);

/* The set of the desired state, or NULL; `name` may be NULL. */
const struct set *desired_set(const struct plan_input *input, const char *name);

#endif
