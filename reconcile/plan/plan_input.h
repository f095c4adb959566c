/* The input of every phase of planning, and the result of a phase for an object that is impossible.
 *
 * A phase takes the const results of earlier phases and returns a value of its own type. So the
 * types enforce the order of the phases:
 *
 *     plan_input -> ownership -> managed_index -> parents -> attachments -> unmanaged_index
 *                -> addresses -> names -> link_specs -> conflicts -> plan */
#ifndef RECONCILE_PLAN_PLAN_INPUT_H
#define RECONCILE_PLAN_PLAN_INPUT_H

#include "reconcile/plan/plan_options.h"
#include "reconcile/plan/step.h"

/* In the order in which the phases report them. */
struct warnings {
	struct warning *items;
	size_t count;
};

struct plan_input {
	struct arena *arena;   /* for the plan and its contents */
	struct arena *scratch; /* for temporary data of planning */
	const struct desired *desired;
	const struct live *live;
	const struct plan_options *options;
	struct warnings *warnings;
};

/* Whether an object is possible; otherwise the action and reason of its step. */
struct check_result {
	enum action action; /* ACTION_CREATE: possible */
	enum code code;
	const char *reason, *hint;
};

#define CHECK_FINE ((struct check_result){.action = ACTION_CREATE})

static inline struct check_result check_blocked(enum code code, const char *reason,
						const char *hint)
{
	return (struct check_result){
		.action = ACTION_BLOCKED, .code = code, .reason = reason, .hint = hint};
}

/* The objects must match the kind. Copies them. */
#define warning_add(input, kind_, ...)                                                             \
	warning_put((input), &(struct warning){.kind = (kind_), .objects = {__VA_ARGS__}})
void warning_put(const struct plan_input *input, const struct warning *warning);

/* The set of the desired state, or NULL; `name` may be NULL. */
const struct set *desired_set(const struct plan_input *input, const char *name);

#endif
