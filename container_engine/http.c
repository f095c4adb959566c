#include "container_engine/http.h"

#include "container_engine/curl_handle.h"
#include "container_engine/curl_multi.h"
#include "container_engine/json.h"
#include "lib/clock.h"
#include "lib/memory.h"
#include "lib/unix_peer.h"
#include "schema/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* The limit of concurrent requests to one engine; further requests are queued. */
#define ACTIVE_MAX 64

#define ANSWER_MAX ((size_t)8 << 20)

long engine_patience = 10000;

struct answer {
	char *bytes;
	size_t size, room;
	bool too_long;
};

struct engine_request {
	struct engine_http *http;
	enum source_kind kind;
	char *path;
	char *body;                 /* NULL: none */
	const char *method;         /* NULL: GET, or POST with a body */
	struct curl_slist *headers; /* of a body */
	CURL *curl;                 /* NULL: not started */
	bool over;
	struct error failure; /* errnum 0: none */
	struct answer answer;
	int socket; /* curl's socket; -1: none was opened */
	uid_t user; /* the user of the listening process */
	engine_http_answer *report;
	void *data;
	struct engine_request *previous, *next;
};

struct engine_http {
	struct engine_loop loop;
	bool looped;
	CURLM *multi;                           /* NULL: no request yet */
	struct engine_request *requests, *last; /* in the order of creation */
	unsigned active[N_SOURCE_KINDS];
	int64_t answered[N_SOURCE_KINDS]; /* time of the last answer of each engine; 0: none */
	struct curl_loop curl_loop;       /* driven by a loop */
	bool timer_set;                   /* the owner's timer */
};

static curl_socket_t socket_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct engine_request *request = data;
	(void)purpose;
	request->socket =
		socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	return request->socket;
}

static size_t answer_take(char *bytes, size_t size, size_t count, void *data)
{
	struct engine_request *request = data;
	struct answer *answer = &request->answer;
	size *= count;
	if (!answer->size) /* keep the connection open until the last byte has arrived */
		request->user = peer_user(request->socket);
	if (size > ANSWER_MAX - answer->size) {
		answer->too_long = true;
		return 0;
	}
	while (answer->size + size > answer->room) {
		answer->room = answer->room ? answer->room * 2 : 16384;
		answer->bytes = memory_or_die(realloc(answer->bytes, answer->room));
	}
	memcpy(answer->bytes + answer->size, bytes, size);
	answer->size += size;
	return size;
}

/* The engine's error message is shown on a terminal, so control characters are removed. */
static void message_copy(const json_t *json, char text[200])
{
	const char *message = engine_json_text(json, "message");
	snprintf(text, 200, "%s", message ? message : "no reason given");
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
			*at = '?';
}

/* Podman answers with status 500 for a container that it is removing; `cause` identifies the
 * error. */
static bool answer_absent(const json_t *json, long status)
{
	static const char *const causes[] = {"no such container",
					     "container has already been removed"};
	const char *cause = engine_json_text(json, "cause");
	for (size_t i = 0; cause && i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strcmp(cause, causes[i]) == 0)
			return true;
	return status == 404 && engine_json_text(json, "message");
}

static int answer_check(const struct engine_request *request, json_t **ret_json,
			struct error *error)
{
	const struct answer *answer = &request->answer;
	const char *name = source_kind_name(request->kind);
	char message[200];
	long status = 0;
	libcurl.easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
	json_t *json = answer->size    ? engine_json_parse(answer->bytes, answer->size)
		       : status == 204 ? json_object()
				       : NULL;
	if (json && (status == 200 || status == 201 || status == 204)) {
		*ret_json = json;
		return 0;
	}
	message_copy(json, message);
	bool absent = answer_absent(json, status);
	bool spoke = json != NULL;
	json_decref(json);
	if (absent)
		error_set(error, ENOENT, "%s: %s", name, message);
	else if (status == 200)
		error_set(error, EBADMSG, "%s sent an answer that is not JSON", name);
	else
		error_set(error, EBADMSG, "%s answered with status %ld: %s", name, status,
			  spoke ? message : "no reason given");
	return error_code(error, CODE_ENGINE_ANSWER);
}

struct engine_http *engine_http_new(const struct engine_loop *loop)
{
	struct engine_http *http = memory_new(1, sizeof(*http));
	if (loop) {
		http->loop = *loop;
		http->curl_loop = (struct curl_loop){.data = loop->data, .watch = loop->watch};
		http->looped = true;
	}
	return http;
}

static void request_set(struct engine_request *request, const char *url)
{
	CURL *curl = request->curl;
	libcurl.easy_setopt(curl, CURLOPT_URL, url);
	libcurl.easy_setopt(curl, CURLOPT_TIMEOUT_MS, engine_patience);
	libcurl.easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
	libcurl.easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	libcurl.easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, socket_open);
	libcurl.easy_setopt(curl, CURLOPT_OPENSOCKETDATA, request);
	libcurl.easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
	libcurl.easy_setopt(curl, CURLOPT_WRITEDATA, request);
	libcurl.easy_setopt(curl, CURLOPT_PRIVATE, request);
	if (request->method)
		libcurl.easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	if (!request->body)
		return;
	request->headers = libcurl.slist_append(NULL, "Content-Type: application/json");
	libcurl.easy_setopt(curl, CURLOPT_HTTPHEADER, request->headers);
	libcurl.easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
}

static void request_begin(struct engine_request *request)
{
	struct engine_http *http = request->http;
	char url[2048];
	if (snprintf(url, sizeof(url), "http://localhost%s", request->path) >= (int)sizeof(url)) {
		error_set(&request->failure, ENAMETOOLONG, "the request to %s is too long",
			  source_kind_name(request->kind));
		request->over = true;
		return;
	}
	request->curl = engine_handle_new(request->kind, &request->failure);
	if (!request->curl) {
		request->over = true;
		return;
	}
	request_set(request, url);
	if (!http->multi)
		http->multi = http->looped ? curl_multi_new(&http->curl_loop)
					   : memory_or_die(libcurl.multi_init());
	http->active[request->kind]++;
	libcurl.multi_add_handle(http->multi, request->curl);
}

/* Starts queued requests up to the limit. */
static void requests_begin(struct engine_http *http)
{
	/* A freed request is never in the list, which the analyser does not see. */
	for (struct engine_request *request = http->requests; request; request = request->next)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		if (!request->curl && !request->over && http->active[request->kind] < ACTIVE_MAX)
			request_begin(request);
}

static struct engine_request *request_over(const struct engine_http *http)
{
	struct engine_request *request = http->requests;
	while (request && !request->over) /* NOLINT(clang-analyzer-unix.Malloc) */
		request = request->next;
	return request;
}

/* Passes the earlier of curl's timer and the time limits of the requests to the owner. */
static void timer_arm(struct engine_http *http)
{
	const int64_t now = clock_milliseconds(),
		      due = request_over(http) ? now : http->curl_loop.due;
	if (!http->looped || (!due && !http->timer_set))
		return;
	http->timer_set = due != 0;
	http->loop.timer(http->loop.data, !due ? -1 : due > now ? (long)(due - now) : 0);
}

struct engine_request *engine_http_begin(struct engine_http *http, enum source_kind kind,
					 const char *path, engine_http_answer *answer, void *data)
{
	return engine_http_send(http, kind, NULL, path, NULL, answer, data);
}

struct engine_request *engine_http_send(struct engine_http *http, enum source_kind kind,
					const char *method, const char *path, const char *body,
					engine_http_answer *answer, void *data)
{
	struct engine_request *request = memory_new(1, sizeof(*request));
	*request = (struct engine_request){.http = http,
					   .kind = kind,
					   .method = method,
					   .path = memory_or_die(strdup(path)),
					   .body = body ? memory_or_die(strdup(body)) : NULL,
					   .socket = -1,
					   .user = (uid_t)-1,
					   .report = answer,
					   .data = data,
					   .previous = http->last};
	if (http->last)
		http->last->next = request;
	else
		http->requests = request;
	http->last = request;
	requests_begin(http);
	timer_arm(http);
	return request;
}

/* Removes the request from the list and from curl. */
static void request_end(struct engine_request *request)
{
	struct engine_http *http = request->http;
	if (request->previous)
		request->previous->next = request->next;
	else
		http->requests = request->next;
	if (request->next)
		request->next->previous = request->previous;
	else
		http->last = request->previous;
	if (!request->curl)
		return;
	http->active[request->kind]--;
	libcurl.multi_remove_handle(http->multi, request->curl);
}

static void request_free(struct engine_request *request)
{
	if (request->curl)
		libcurl.easy_cleanup(request->curl);
	if (request->headers)
		libcurl.slist_free_all(request->headers);
	free(request->answer.bytes);
	free(request->body);
	free(request->path);
	free(request);
}

uid_t engine_http_user(const struct engine_request *request)
{
	return request->user;
}

void engine_http_cancel(struct engine_request *request)
{
	struct engine_http *http = request->http;
	request_end(request);
	request_free(request);
	requests_begin(http);
	timer_arm(http);
}

void engine_http_free(struct engine_http *http)
{
	if (!http)
		return;
	while (http->requests) {
		struct engine_request *request = http->requests;
		request_end(request); /* NOLINT(clang-analyzer-unix.Malloc) */
		request_free(request);
	}
	if (http->multi)
		libcurl.multi_cleanup(http->multi);
	http->curl_loop.due = 0;
	timer_arm(http);
	free(http);
}

static void request_fail(struct engine_request *request)
{
	request->over = true;
	(void)engine_too_late(request->kind, &request->failure);
}

/* If an engine answered nothing within the time limit of a request, its queued requests fail, too:
 * waiting for each would add up. Without a loop only. */
static void engine_unresponsive(struct engine_http *http, enum source_kind kind)
{
	if (http->looped || clock_milliseconds() - http->answered[kind] < engine_patience)
		return;
	for (struct engine_request *request = http->requests; request; request = request->next)
		if (request->kind == kind && !request->curl && !request->over)
			request_fail(request);
}

static void result_take(struct engine_request *request, CURLcode code)
{
	request->over = true;
	if (code == CURLE_OK)
		request->http->answered[request->kind] = clock_milliseconds();
	else if (code == CURLE_OPERATION_TIMEDOUT)
		engine_unresponsive(request->http, request->kind);
	if (request->answer.too_long) {
		error_set(&request->failure, EMSGSIZE, "%s sent an answer of more than %zu MiB",
			  source_kind_name(request->kind), ANSWER_MAX >> 20);
		error_code(&request->failure, CODE_ENGINE_ANSWER);
	} else if (code != CURLE_OK) {
		engine_handle_failed(request->kind, request->curl, code, &request->failure);
	}
}

static void results_take(struct engine_http *http)
{
	int left;
	for (CURLMsg *message;
	     http->multi && (message = libcurl.multi_info_read(http->multi, &left));) {
		char *request = NULL;
		libcurl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
		if (message->msg == CURLMSG_DONE)
			result_take((void *)request, message->data.result);
	}
}

static void request_report(struct engine_request *request)
{
	json_t *json = NULL;
	request_end(request);
	if (!request->failure.errnum)
		answer_check(request, &json, &request->failure);
	request->report(request->data, json, &request->failure);
	json_decref(json);
	request_free(request);
}

/* Called after each call of curl. Reports one request at a time, since its callback may create and
 * cancel others. */
static void requests_finish(struct engine_http *http)
{
	results_take(http);
	for (struct engine_request *request; (request = request_over(http));)
		request_report(request);
	requests_begin(http);
	timer_arm(http);
}

void engine_http_ready(struct engine_http *http, int fd, uint32_t ready)
{
	int flags = (ready & EPOLLIN ? CURL_CSELECT_IN : 0) |
		    (ready & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		    (ready & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
	int running;
	libcurl.multi_socket_action(http->multi, fd, flags, &running);
	requests_finish(http);
}

void engine_http_timeout(struct engine_http *http)
{
	int running;
	if (clock_milliseconds() >= http->curl_loop.due) /* curl's timer fires once */
		http->curl_loop.due = 0;
	http->timer_set = false;
	if (http->multi)
		libcurl.multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	requests_finish(http);
}

static void requests_fail(struct engine_http *http)
{
	for (struct engine_request *request = http->requests; request; request = request->next)
		if (!request->over)
			request_fail(request);
}

/* The longest sleep: the caller may have missed a change of curl's timers. */
#define TURN_MS 1000

void engine_http_run(struct engine_http *http, int64_t until)
{
	int running;
	for (requests_finish(http); http->requests; requests_finish(http)) {
		const int64_t left = until - clock_milliseconds();
		if (left <= 0)
			return;
		libcurl.multi_wait(http->multi, NULL, 0, left < TURN_MS ? (int)left : TURN_MS,
				   NULL);
		libcurl.multi_perform(http->multi, &running);
	}
}

void engine_http_wait(struct engine_http *http, int64_t until)
{
	/* A callback may send another request when a failure is reported; that one fails, too. */
	for (engine_http_run(http, until); http->requests; engine_http_run(http, until))
		requests_fail(http);
}

/* RFC 3986, 2.3. */
static bool unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

char *engine_http_escape(const char *text)
{
	char *escaped = memory_new(3 * strlen(text) + 1, 1), *to = escaped;
	for (; *text; text++)
		to += unreserved(*text) ? sprintf(to, "%c", *text)
					: sprintf(to, "%%%02X", (unsigned char)*text);
	return escaped;
}
