/* A libcurl handle for an engine's unix socket, and its errors. */
#ifndef CONTAINER_ENGINE_CURL_HANDLE_H
#define CONTAINER_ENGINE_CURL_HANDLE_H

#include "container_engine/libcurl.h"
#include "lib/error.h"
#include "schema/model.h"

/* For http.c only: a handle for the engine's socket with the time-out for connecting; all other
 * options are the caller's. */
CURL *engine_handle_new(enum source_kind kind, struct error *error);
/* The error of a failed request: EHOSTDOWN, EACCES or EPROTO (container_engine/http.h). */
int engine_handle_failed(enum source_kind kind, CURL *curl, CURLcode code, struct error *error);
/* The error of a request that exceeded its time limit. */
int engine_too_late(enum source_kind kind, struct error *error);

#endif
