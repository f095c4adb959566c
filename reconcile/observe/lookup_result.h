/* The result of looking up a container's network namespace. */
#ifndef RECONCILE_OBSERVE_LOOKUP_RESULT_H
#define RECONCILE_OBSERVE_LOOKUP_RESULT_H

#include "lib/error.h"
#include "reconcile/state/state.h"

#include <sys/stat.h>

/* The fix for an EPERM of the kernel. */
#define HINT_CAPABILITIES                                                                          \
	"run mvapply as root, or with CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_NET_RAW"

struct lookup_result {
	enum container_state state;
	bool engine_pending; /* pending: the engine has never answered yet */
	bool engine_links;   /* ready: as in struct live_ns */
	bool absent;         /* pending: it does not run, or the engine answered that it has no such
				container */
	bool retry;          /* pending: to be asked again, though the engine may report nothing */
	int fd;              /* when ready: the caller's to close */
	struct stat stat;
	const char *name;          /* when ready: for display */
	const char *id;            /* the engine's id, if it has such a container; otherwise NULL */
	const char *note;          /* when ready: a warning sentence; or NULL */
	enum code code;            /* when not ready, as in struct container_lookup */
	const char *reason, *hint; /* when not ready; hint may be NULL */
};

struct lookup_result lookup_result_failed(struct arena *arena, const struct error *error);
/* `reason` is valid as long as the result is used. */
struct lookup_result lookup_result_pending(const char *reason);
/* Sets the hint if the error is a refusal to open a process's namespace for lack of CAP_SYS_PTRACE
 * alone. */
void process_denied(struct error *error);
/* Strings go to the arena. */
struct lookup_result lookup_result_copy(const struct lookup_result *from, struct arena *arena);

/* A query has ended, and `lookup_result` (without a descriptor) is the new result. `silent`: the
 * engine could not be reached or did not answer in time; NULL: it answered. */
typedef void lookup_answered(void *data, enum source_kind kind, const char *source,
			     const struct lookup_result *lookup_result, const struct error *silent);

#endif
