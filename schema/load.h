/* Loads files: from bytes to a checked model. */
#ifndef SCHEMA_LOAD_H
#define SCHEMA_LOAD_H

#include "schema/diag.h"
#include "schema/model.h"
#include "schema/source_text.h"

/* Decodes and checks all inputs as one configuration, and returns the part that is assigned to
 * `host`; NULL: all of it. Pure: no file is read, nothing is printed. The caller frees the model
 * with desired_free; NULL with at least one diag on errors. */
struct desired *load(const struct input *inputs, size_t count, const char *host,
		     struct diags *diags);

#endif
