#include "cmd/incomplete.h"

#include "cmd/exit.h"
#include "cmd/json.h"

#include <unistd.h>

/* A container that could not be looked at, and has no step that says so, or NULL. */
static const struct target *untold(const struct live *live)
{
	for (size_t i = 0; i < live->n_targets; i++)
		if (live->targets[i].state == TARGET_FAILED &&
		    !live->targets[i].container->n_attachments)
			return &live->targets[i];
	return NULL;
}

static void fault_tell(const struct live *live, struct error *fault)
{
	const struct target *target = untold(live);
	if (live->n_unseen)
		error_set(fault, 0,
			  "not all network namespaces could be looked at: what is in the others is "
			  "unknown, and stays as it is");
	else if (target)
		error_set(fault, 0,
			  "container %s could not be looked at (%s): what is in its network "
			  "namespace is unknown, and stays as it is",
			  target->container->name, target->reason);
	else
		return;
	error_hint(fault, geteuid() != 0   ? "run mvapply as root"
			  : live->n_unseen ? "they are named above; run mvapply again"
					   : "run mvapply again once it can be");
	error_code(fault, CODE_UNSEEN);
}

int incomplete_exit(const struct live *live, int code, struct error *fault)
{
	if (live_complete(live))
		return code;
	if (!fault->code)
		fault_tell(live, fault);
	return code == EXIT_CONVERGED || code == EXIT_DIFFERS ? EXIT_FAILED : code;
}

void incomplete_json(json_t *document, const struct live *live)
{
	json_put(document, "complete", json_boolean(live && live_complete(live)));
	json_put(document, "unseen",
		 live ? json_sentences(live->unseen, live->n_unseen) : json_array());
}
