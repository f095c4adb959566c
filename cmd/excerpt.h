/* The files without the declarations of other containers than the one that a runtime is starting. A
 * service that uses the same contents has checked them, and knows where each container is declared:
 * so the files need not be parsed as a whole, which takes two milliseconds for a thousand. */
#ifndef CMD_EXCERPT_H
#define CMD_EXCERPT_H

#include "cmd/service_query.h"
#include "schema/load.h"

/* The pieces that declare other containers. The last entry of each map is none, as its end is not
 * known. In the arena. */
struct service_cut *excerpt_cuts(const struct desired *desired,
				 const struct service_container *container, struct arena *arena,
				 size_t *ret_count);

/* Cuts the pieces out of the file. The result is in the arena. `cuts` are sorted by their
 * beginning, and may be of several files. */
struct input excerpt_cut(const struct input *input, const struct service_cut *cuts, size_t count,
			 struct arena *arena);

/* The same for all files, with the pieces that a service names for these contents (input_hash). In
 * the arena. NULL: there is no such service, or nothing to cut. */
struct input *excerpt_make(const struct input *inputs, size_t count, uint64_t content,
			   const struct service_container *container, struct arena *arena);

#endif
