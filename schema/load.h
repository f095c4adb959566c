/* Loads files: from bytes to a checked model. */
#ifndef SCHEMA_LOAD_H
#define SCHEMA_LOAD_H

#include "schema/diag.h"
#include "schema/model.h"
#include "schema/source_text.h"

/* Decodes and checks all inputs as one declaration, and gives the part of it that is assigned to
 * `host`; NULL: all of it, for no host in particular. Pure: no file is read, nothing is printed.
 * Returns the model, which the caller frees with desired_free, or NULL with at least one diag. */
struct desired *load(const struct input *inputs, size_t count, const char *host,
		     struct diags *diags);

#endif
