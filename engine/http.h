/* The HTTP API of one engine, on its unix socket. */
#ifndef RECONCILE_ENGINE_HTTP_H
#define RECONCILE_ENGINE_HTTP_H

#include "base/error.h"
#include "engine/libcurl.h"
#include "schema/model.h"

#include <jansson.h>

struct engine_http;

/* How long an answer may take, in milliseconds: 10 s, which tests cannot wait for. */
extern long engine_patience;

/* Opens nothing yet; a connection is made by the first request and kept. */
struct engine_http *engine_http_new(enum source_kind kind);
void engine_http_free(struct engine_http *http);

/* Asks for `path`, which is encoded already; *ret_json is the caller's to json_decref. Fails with
 * -ENOENT where the engine says that there is no such thing, with -EHOSTDOWN where it cannot be
 * reached or goes away meanwhile (it is not tried again then), with -EACCES where the socket is not
 * to be opened, else where the answer is not what it should be. */
int engine_http_get(struct engine_http *http, const char *path, json_t **ret_json,
		    struct error *error);
/* As one segment of a path or a value of a query; the caller's to free. */
char *engine_http_escape(const char *text);

/* For who makes the requests alone: a handle that is set up for the engine's socket and that
 * has the time-out for connecting, and nothing more. */
CURL *engine_handle_new(enum source_kind kind, struct error *error);
/* What went wrong, as above. */
int engine_handle_failed(enum source_kind kind, CURL *curl, CURLcode code, struct error *error);

#endif
