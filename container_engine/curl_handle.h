/* A libcurl handle for an engine's unix socket, and its errors. */
#ifndef CONTAINER_ENGINE_CURL_HANDLE_H
#define CONTAINER_ENGINE_CURL_HANDLE_H

#include "container_engine/libcurl.h"
#include "lib/error.h"
#include "schema/model.h"

/* For who makes the requests alone: a handle that is set up for the engine's socket and that
 * has the time-out for connecting, and nothing more. */
CURL *engine_handle_new(enum source_kind kind, struct error *error);
/* The error of a request that failed: EHOSTDOWN, EACCES or EPROTO (container_engine/http.h). */
int engine_handle_failed(enum source_kind kind, CURL *curl, CURLcode code, struct error *error);
/* The same of one that exceeded its time limit. */
int engine_too_late(enum source_kind kind, struct error *error);

#endif
