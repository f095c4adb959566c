/* The files, for a runtime that shows one error. */
#ifndef CMD_ATTACH_FILES_H
#define CMD_ATTACH_FILES_H

#include "cmd/input.h"
#include "cmd/service_query.h"

#include <stdint.h>

/* The contents of the files. */
struct attach_files {
	struct input *inputs;
	size_t count;
	int bad; /* some could not be read; the errors are in the diags */
};

struct attach_files attach_files_read(const struct options *options, struct arena *arena,
				      struct diags *diags);

/* Attaches a container of the files. -ESTALE: others of the files matter, too, and `desired` is an
 * excerpt. */
typedef int attach_files_use(const struct desired *desired, void *data, struct error *error);

/* Calls `use` with an excerpt (cmd/excerpt.h) if a service has one for the container, and
 * again with all of the files if that is not enough. `container` NULL: only with all. Returns its
 * result; or -EINVAL with diags: the files have errors. */
int attach_files_with(const struct options *options, const struct attach_files *files,
		      const struct service_container *container, attach_files_use *use, void *data,
		      struct diags *diags, struct error *error);

/* Sets the first error of the files. */
void attach_files_error(const struct diags *diags, struct error *error);

/* Returns the caller's to free with desired_free, or NULL: the first error of the files. */
struct desired *attach_files_load(const struct options *options, struct error *error);
/* The same, unless *ret_content, a hash of what the files contain, is *known: then NULL without an
 * error. `known` may be NULL. */
struct desired *attach_files_changed(const struct options *options, const uint64_t *known,
				     uint64_t *ret_content, struct error *error);

#endif
