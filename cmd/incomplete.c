#include "cmd/incomplete.h"

#include "cmd/exit.h"
#include "cmd/json.h"

#include <unistd.h>

int incomplete_exit(const struct live *live, int code, struct error *fault)
{
	if (live_complete(live))
		return code;
	/* A container that could not be looked at has a step that says so. */
	if (!fault->code && live->n_unseen) {
		error_set(fault, 0,
			  "not all network namespaces could be looked at: what is in the others is "
			  "unknown, and stays as it is");
		error_hint(fault, geteuid() == 0 ? "they are named above; run mvapply again"
						 : "they are named above; run mvapply as root");
		error_code(fault, CODE_UNSEEN);
	}
	return code == EXIT_CONVERGED || code == EXIT_DIFFERS ? EXIT_FAILED : code;
}

void incomplete_json(json_t *document, const struct live *live)
{
	json_put(document, "complete", json_boolean(live && live_complete(live)));
	json_put(document, "unseen",
		 live ? json_sentences(live->unseen, live->n_unseen) : json_array());
}
