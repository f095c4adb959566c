#include "cmd/incomplete.h"

#include "cmd/exit.h"
#include "lib/arena.h"
#include "lib/json_text.h"

#include <unistd.h>

/* An unreadable container without a step that reports it, or NULL. */
static const struct container_lookup *unreported(const struct live *live)
{
	for (size_t i = 0; i < live->n_containers; i++)
		if (live_container_unknown(&live->container_lookups[i]) &&
		    !live->container_lookups[i].container->n_attachments)
			return &live->container_lookups[i];
	return NULL;
}

static const char *hint(const char *root)
{
	return geteuid() == 0 ? root : "run mvapply as root";
}

void incomplete_container(const struct container_lookup *lookup, struct error *fault)
{
	error_set(fault, 0,
		  "container %s cannot be read (%s): its links are unknown and not changed",
		  lookup->container->name, lookup->reason);
	error_hint(fault, "%s", hint("run mvapply again once the container can be read"));
	error_code(fault, CODE_UNREADABLE);
}

static void fault_report(const struct live *live, struct error *fault)
{
	const struct container_lookup *lookup = unreported(live);
	if (!live->n_unreadable && lookup)
		incomplete_container(lookup, fault);
	if (!live->n_unreadable)
		return;
	error_set(
		fault, 0,
		"some network namespaces cannot be read: their links are unknown and not changed");
	error_hint(fault, "%s", hint("the warnings above name them; run mvapply again"));
	error_code(fault, CODE_UNREADABLE);
}

int incomplete_exit(const struct live *live, int code, struct error *fault)
{
	if (live_complete(live))
		return code;
	if (!fault->code)
		fault_report(live, fault);
	return code == EXIT_CONVERGED || code == EXIT_DIFFERS ? EXIT_FAILED : code;
}

void incomplete_json(json_t *document, const struct live *live)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	json_put(document, "complete", json_boolean(live && live_complete(live)));
	json_put(document, "unseen",
		 live ? json_sentences(live_unreadable_texts(live, arena), live->n_unreadable)
		      : json_array());
}
