/* The engines' HTTP API on their unix sockets. Requests run concurrently: a request without an
 * answer delays no other. */
#ifndef CONTAINER_ENGINE_HTTP_H
#define CONTAINER_ENGINE_HTTP_H

#include "container_engine/loop.h"
#include "lib/error.h"
#include "schema/model.h"

#include <jansson.h>
#include <sys/types.h>

struct engine_http;
struct engine_request;

/* The time limit of one answer, in milliseconds: 10 s. A variable, as unit tests shorten it. */
extern long engine_patience;

/* Opens no connection. Each request has a connection of its own, so that the user of its peer is
 * known. `loop` is copied; NULL: engine_http_wait runs the requests. */
struct engine_http *engine_http_new(const struct engine_loop *loop);
/* Cancels all requests. */
void engine_http_free(struct engine_http *http);

/* `json` is valid during the call. NULL: `error` has errnum ENOENT if the engine has no such
 * object, EHOSTDOWN if it cannot be reached, closes the connection or exceeds the time limit,
 * EACCES if the socket cannot be opened, another one if the answer is malformed. */
typedef void engine_http_answer(void *data, json_t *json, const struct error *error);

/* Requests `path`, which is encoded already. `answer` is called once, after this function has
 * returned; it may create and cancel requests. */
struct engine_request *engine_http_begin(struct engine_http *http, enum source_kind kind,
					 const char *path, engine_http_answer *answer, void *data);
/* The same with a method, which is kept, and a JSON text. `method` NULL: POST with a body, GET
 * without; `body` NULL: none. An answer without content (status 204) is an empty object. */
struct engine_request *engine_http_send(struct engine_http *http, enum source_kind kind,
					const char *method, const char *path, const char *body,
					engine_http_answer *answer, void *data);
/* The user of the process that listens on the socket of the answer, as an id in this process's user
 * namespace; -1: unknown. Valid inside `answer`. */
uid_t engine_http_user(const struct engine_request *request);
/* Cancels the request: `answer` is not called. */
void engine_http_cancel(struct engine_request *request);

/* Runs all requests, including those that callbacks add, until none is left; at `until`
 * (clock_milliseconds) the rest fails as if the time limit was exceeded. Without a loop only. */
void engine_http_wait(struct engine_http *http, int64_t until);
/* The same, but unanswered requests continue with the next call. */
void engine_http_run(struct engine_http *http, int64_t until);

/* Percent-encodes a path segment or a query value; the caller frees it. */
char *engine_http_escape(const char *text);

/* From the loop: the descriptor is ready for these (EPOLLIN, ...); the timer has fired. */
void engine_http_ready(struct engine_http *http, int fd, uint32_t ready);
void engine_http_timeout(struct engine_http *http);

#endif
