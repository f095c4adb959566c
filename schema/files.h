/* Reads the argument of -f: a file, a directory (its *.yaml and *.yml, in byte order), or "-". */
#ifndef SCHEMA_FILES_H
#define SCHEMA_FILES_H

#include "schema/file_trust.h"
#include "schema/load.h"

/* A file may hold at most this many bytes. */
#define FILE_SIZE_MAX ((size_t)32 << 20)

/* The endings of YAML files, up to NULL. */
extern const char *const yaml_endings[];

/* Appends what `path` names to inputs, in `arena`. Only regular files, pipes and stdin are read; a
 * FIFO, device or socket is refused without opening it for long. A file, and the folder that `path`
 * is, are refused if somebody may write them who is not trusted; what the caller opened (stdin, a
 * pipe) is the caller's word. Returns 0, or -1 with diags. */
int files_read(const char *path, const struct trust *trust, struct arena *arena,
	       struct input **inputs, size_t *count, struct diags *diags);
/* The same, and of a directory the files with one of these endings, up to NULL: ".conf". */
int files_read_endings(const char *path, const char *const *endings, const struct trust *trust,
		       struct arena *arena, struct input **inputs, size_t *count,
		       struct diags *diags);

#endif
