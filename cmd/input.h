/* Reads the files given with -f. */
#ifndef CMD_INPUT_H
#define CMD_INPUT_H

#include "cmd/options.h"
#include "schema/diag.h"
#include "schema/load.h"
#include "schema/model.h"

/* What is wrong with the files is written. Returns the caller's to free with desired_free, or NULL
 * after all errors were written. *ret_content is set in either case. */
struct desired *input_read(const struct options *options, uint64_t *ret_content);

/* The same, but writes nothing: what is wrong is in `diags`. *ret_content says whether the files
 * are the same as at another time: a hash of their names and bytes, and of what kept them from
 * being read. Where it is *known already, nothing more is done, and NULL returned without diags;
 * `known` may be NULL. */
struct desired *input_load(const struct options *options, const uint64_t *known,
			   struct diags *diags, uint64_t *ret_content);

/* As input_read, and gives the files' bytes, too, in `arena`. */
struct desired *input_keep(const struct options *options, struct arena *arena,
			   struct input **ret_inputs, size_t *ret_count);

/* As files_read, with the trust that the options give. */
int input_files(const struct options *options, const char *path, struct arena *arena,
		struct input **inputs, size_t *count, struct diags *diags);

/* Writes what is wrong with the input. */
void input_wrong(const struct options *options, const struct diags *diags);

#endif
