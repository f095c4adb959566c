#include "reconcile/observe/lookup_result.h"

#include <errno.h>

struct lookup_result lookup_result_failed(struct arena *arena, const struct error *error)
{
	const bool denied = error->errnum == EPERM || error->errnum == EACCES;
	return (struct lookup_result){
		.state = error->errnum == EINVAL ? CONTAINER_REFUSED : CONTAINER_FAILED,
		.fd = -1,
		.code = error->code,
		.reason = arena_strdup(arena, error->text),
		.hint = denied         ? HINT_CAPABILITIES
			: *error->hint ? arena_strdup(arena, error->hint)
				       : NULL,
	};
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
