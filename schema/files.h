/* Reads the argument of -f: a file, a directory (its *.yaml and *.yml, in byte order), or "-". */
#ifndef SCHEMA_FILES_H
#define SCHEMA_FILES_H

#include "schema/file_trust.h"
#include "schema/load.h"

/* The limit of a file's size in bytes. */
#define FILE_SIZE_MAX ((size_t)32 << 20)

/* The endings of YAML files, up to NULL. */
extern const char *const yaml_endings[];

/* Appends the files of `path` to inputs, in `arena`. Only regular files, pipes and stdin are read;
 * a FIFO, device or socket is refused without blocking. A file, and a directory given as `path`,
 * are refused if an untrusted user can write them; stdin and pipes that the caller opened are
 * trusted. Returns 0, or -1 with diags. */
int files_read(const char *path, const struct trust *trust, struct arena *arena,
	       struct input **inputs, size_t *count, struct diags *diags);
/* The same, for the files of a directory with one of these endings, up to NULL: ".conf". */
int files_read_endings(const char *path, const char *const *endings, const struct trust *trust,
		       struct arena *arena, struct input **inputs, size_t *count,
		       struct diags *diags);

#endif
