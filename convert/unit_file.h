/* systemd's unit files as JSON (systemd.syntax(7)). */
#ifndef CONVERT_UNIT_FILE_H
#define CONVERT_UNIT_FILE_H

#include <jansson.h>
#include <stddef.h>

/* {"Section": {"Key": ["value", ...]}}: every value in its order; an empty one clears the list
 * before it, as in systemd. Lines that are neither a section nor an assignment are left out. The
 * caller releases it with json_decref. */
json_t *unit_file_read(const char *text, size_t size);

#endif
