/* The files, for a runtime that shows one error. */
#ifndef CMD_ATTACH_FILES_H
#define CMD_ATTACH_FILES_H

#include "cmd/options.h"
#include "lib/error.h"

/* Returns the caller's to free with desired_free, or NULL: the first error of the files. */
struct desired *attach_files_load(const struct options *options, struct error *error);

#endif
