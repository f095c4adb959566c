#include "reconcile/observe/lookup_result.h"

#include "lib/capability.h"

#include <errno.h>
#include <linux/capability.h>

struct lookup_result lookup_result_failed(struct arena *arena, const struct error *error)
{
	const bool denied = error->errnum == EPERM || error->errnum == EACCES;
	return (struct lookup_result){
		.state = error->errnum == EINVAL ? CONTAINER_REFUSED : CONTAINER_FAILED,
		.fd = -1,
		.code = error->code,
		.reason = arena_strdup(arena, error->text),
		.hint = *error->hint ? arena_strdup(arena, error->hint)
			: denied     ? HINT_CAPABILITIES
				     : NULL,
	};
}

/* ptrace(2), "Ptrace access mode checking": the process has capabilities that mvapply lacks. */
void process_denied(struct error *error)
{
	const uint64_t held = capabilities_effective();
	if ((error->errnum == EACCES || error->errnum == EPERM) &&
	    held & CAPABILITY_BIT(CAP_SYS_ADMIN) && !(held & CAPABILITY_BIT(CAP_SYS_PTRACE)))
		error_hint(error,
			   "mvapply lacks CAP_SYS_PTRACE, which this requires: run it as root, or "
			   "install the service's drop-in mvapply-engines.conf");
}

struct lookup_result lookup_result_pending(const char *reason)
{
	return (struct lookup_result){.state = CONTAINER_PENDING, .fd = -1, .reason = reason};
}

static const char *copied(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

struct lookup_result lookup_result_copy(const struct lookup_result *from, struct arena *arena)
{
	struct lookup_result lookup_result = *from;
	lookup_result.name = copied(arena, from->name);
	lookup_result.id = copied(arena, from->id);
	lookup_result.note = copied(arena, from->note);
	lookup_result.reason = copied(arena, from->reason);
	lookup_result.hint = copied(arena, from->hint);
	return lookup_result;
}
