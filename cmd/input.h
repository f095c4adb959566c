/* Reads the files given with -f. */
#ifndef CMD_INPUT_H
#define CMD_INPUT_H

#include "cmd/options.h"
#include "schema/diag.h"
#include "schema/file_trust.h"
#include "schema/load.h"
#include "schema/model.h"

/* Reads the files and prints their errors. Returns the caller's to free with desired_free, or NULL
 * after all errors were printed. */
struct desired *input_read(const struct options *options);

/* The same without printing: errors are in `diags`. *ret_content is their
 * input_hash. If it equals *known, the function returns NULL without diags; `known` may be NULL. */
struct desired *input_load(const struct options *options, const uint64_t *known,
			   struct diags *diags, uint64_t *ret_content);

/* Identifies the contents: a hash of the files' names and bytes, of the errors of reading them, and
 * of the host whose part is declared. It is the same in all processes. */
uint64_t input_hash(const struct options *options, const struct input *inputs, size_t count,
		    const struct diags *diags);

/* As input_read; also returns the contents of the files, in `arena`. */
struct desired *input_keep(const struct options *options, struct arena *arena,
			   struct input **ret_inputs, size_t *ret_count);

/* The same in two parts, whose errors are in `diags`. The first returns nonzero if some files could
 * not be read, which is passed to the second: that reports the errors of the others as well, and
 * returns NULL. */
int input_contents(const struct options *options, struct arena *arena, struct input **inputs,
		   size_t *count, struct diags *diags);
struct desired *input_parse(const struct options *options, const struct input *inputs, size_t count,
			    int bad, struct diags *diags);

/* Whose files may be read, as the options say. */
struct trust input_trust(const struct options *options);

/* As files_read, with the trust that the options give. */
int input_files(const struct options *options, const char *path, struct arena *arena,
		struct input **inputs, size_t *count, struct diags *diags);

/* Prints the errors of the input. */
void input_wrong(const struct options *options, const struct diags *diags);

#endif
