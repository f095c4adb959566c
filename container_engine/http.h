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

/* Opens no connection yet. Each request has a connection of its own, so that its peer's user is
 * known. `loop` is copied; NULL: engine_http_wait drives the requests. */
struct engine_http *engine_http_new(const struct engine_loop *loop);
/* Cancels what is under way. */
void engine_http_free(struct engine_http *http);

/* `json` is valid during the call. NULL: `error` has errnum ENOENT if the engine has no such
 * object, EHOSTDOWN if it cannot be reached, closes the connection or exceeds the time limit,
 * EACCES if the socket cannot be opened, another one if the answer is malformed. */
typedef void engine_http_answer(void *data, json_t *json, const struct error *error);

/* Asks for `path`, which is encoded already. `answer` is called once, after this has returned; it
 * may begin and cancel requests. */
struct engine_request *engine_http_begin(struct engine_http *http, enum source_kind kind,
					 const char *path, engine_http_answer *answer, void *data);
/* The user who listened at the socket that the answer came from, in our user namespace; -1: not
 * known. For within `answer`. */
uid_t engine_http_user(const struct engine_request *request);
/* `answer` is not called any more. */
void engine_http_cancel(struct engine_request *request);

/* Runs the requests, and those that follow from their answers, until none is left; at `until`
 * (clock_milliseconds) the rest fails as if the time limit was exceeded. Without a loop only. */
void engine_http_wait(struct engine_http *http, int64_t until);
/* The same, but the rest goes on with the next call. */
void engine_http_run(struct engine_http *http, int64_t until);

/* As one segment of a path or a value of a query; the caller's to free. */
char *engine_http_escape(const char *text);

/* From the loop: the descriptor is ready for these (EPOLLIN, ...); the timer has fired. */
void engine_http_ready(struct engine_http *http, int fd, uint32_t ready);
void engine_http_timeout(struct engine_http *http);

#endif
