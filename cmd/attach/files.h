/* The files, for a runtime that shows one error. */
#ifndef CMD_ATTACH_FILES_H
#define CMD_ATTACH_FILES_H

#include "cmd/options.h"
#include "lib/error.h"

#include <stdint.h>

/* Returns the caller's to free with desired_free, or NULL: the first error of the files. */
struct desired *attach_files_load(const struct options *options, struct error *error);
/* The same, unless *ret_content, a hash of what the files contain, is *known: then NULL without an
 * error. `known` may be NULL. */
struct desired *attach_files_changed(const struct options *options, const uint64_t *known,
				     uint64_t *ret_content, struct error *error);

#endif
