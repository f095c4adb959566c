/* Merges Compose files, as the Compose specification defines:
 * https://github.com/compose-spec/compose-spec/blob/main/13-merge.md */
#ifndef CONVERT_COMPOSE_MERGE_H
#define CONVERT_COMPOSE_MERGE_H

#include <jansson.h>

/* A file, one service, or one network: by which rules its values are merged. */
enum compose_level { COMPOSE_FILE, COMPOSE_SERVICE, COMPOSE_NETWORK };

/* Merges `over` into `base` and returns the result, in which no tags are left; both are taken over.
 * `base` NULL: there is nothing before. The caller's to json_decref. */
json_t *compose_merge(json_t *base, json_t *over, enum compose_level level);

#endif
