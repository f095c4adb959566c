#include "engine/http.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/json.h"
#include "schema/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_MILLISECONDS 2000L
/* Requests to one engine that run at once; more wait for their turn. */
#define ACTIVE_MAX 64

/* Connections that are kept for the next requests. */
#define CONNECTIONS_KEPT 4L

#define ANSWER_MAX ((size_t)8 << 20)
#define SCHEME     "unix://"

static const struct engine_kind {
	const char *variable;
	const char *sockets[2]; /* the first that is there */
} kinds[] = {
	[SOURCE_DOCKER] = {"DOCKER_HOST", {"/run/docker.sock", "/var/run/docker.sock"}},
	[SOURCE_PODMAN] = {"CONTAINER_HOST",
			   {"/run/podman/podman.sock", "/var/run/podman/podman.sock"}},
};

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
	CURL *curl; /* NULL: not begun */
	bool over;
	struct error failure; /* errnum 0: none */
	struct answer answer;
	engine_http_answer *tell;
	void *data;
	struct engine_request *next;
};

struct engine_http {
	struct engine_loop loop;
	bool looped;
	CURLM *multi; /* NULL: nothing was asked yet */
	struct engine_request *requests;
	struct engine_request **end; /* where the next one is put */
	unsigned active[SOURCE_PODMAN + 1];
	int64_t answered[SOURCE_PODMAN + 1]; /* the last answer of each; 0: none */
	int64_t curl_due;                    /* clock_milliseconds(); 0: none */
	bool timer_set;                      /* at the owner's */
};

static int engine_socket(enum source_kind kind, const char **ret_path, struct error *error)
{
	const struct engine_kind *row = &kinds[kind];
	const char *said = getenv(row->variable);
	*ret_path = access(row->sockets[0], F_OK) == 0 || access(row->sockets[1], F_OK) != 0
			    ? row->sockets[0]
			    : row->sockets[1];
	if (!said || !*said)
		return 0;
	*ret_path = said + strlen(SCHEME);
	if (strncmp(said, SCHEME, strlen(SCHEME)) == 0 && **ret_path == '/')
		return 0;
	error_set(error, EPROTONOSUPPORT, "%s is \"%.200s\", which is no engine of this machine",
		  row->variable, said);
	error_hint(error, "run mvapply on the engine's own machine, with %s unset or unix:///PATH",
		   row->variable);
	return error_code(error, CODE_ENGINE_PLACE);
}

size_t engine_sockets(enum source_kind kind, const char *paths[2])
{
	struct error ignored;
	if (engine_socket(kind, &paths[0], &ignored) < 0)
		return 0;
	const char *said = getenv(kinds[kind].variable);
	if (said && *said)
		return 1;
	paths[0] = kinds[kind].sockets[0];
	paths[1] = kinds[kind].sockets[1];
	return 2;
}

CURL *engine_handle_new(enum source_kind kind, struct error *error)
{
	const char *path;
	if (libcurl_load(error) < 0 || engine_socket(kind, &path, error) < 0)
		return NULL;
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		error_set(error, ENAMETOOLONG, "the path of %s's socket is too long: %.200s",
			  source_kind_name(kind), path);
		error_code(error, CODE_ENGINE_PLACE);
		return NULL;
	}
	CURL *curl = memory_or_die(libcurl.easy_init());
	libcurl.easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, path);
	libcurl.easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	libcurl.easy_setopt(curl, CURLOPT_PROXY, "");
	libcurl.easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	libcurl.easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	libcurl.easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	libcurl.easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MILLISECONDS);
	return curl;
}

static int unreachable(enum source_kind kind, const char *reason, struct error *error)
{
	struct error ignored;
	const char *path = "?", *name = source_kind_name(kind);
	(void)engine_socket(kind, &path, &ignored);
	error_set(error, EHOSTDOWN, "%s cannot be reached at %s: %s", name, path, reason);
	error_hint(error,
		   kind == SOURCE_DOCKER
			   ? "start it (systemctl start docker), or say in DOCKER_HOST where it is"
			   : "start its service (systemctl start podman.socket), or say in "
			     "CONTAINER_HOST where it is");
	return error_code(error, CODE_ENGINE_SILENT);
}

/* It is there, and starting it is no help. */
static int too_late(enum source_kind kind, struct error *error)
{
	unreachable(kind, "it does not answer in time", error);
	error_hint(error,
		   kind == SOURCE_DOCKER
			   ? "see whether `docker ps` answers; if it does not, restart the "
			     "engine (systemctl restart docker)"
			   : "see whether `podman --remote ps` answers; if it does not, restart "
			     "its service (systemctl restart podman)");
	return -EHOSTDOWN;
}

int engine_handle_failed(enum source_kind kind, CURL *curl, CURLcode code, struct error *error)
{
	long errnum = 0;
	libcurl.easy_getinfo(curl, CURLINFO_OS_ERRNO, &errnum);
	switch ((int)code) {
	case CURLE_COULDNT_CONNECT:
		unreachable(kind, strerror((int)errnum), error);
		if (errnum != EACCES && errnum != EPERM)
			return -EHOSTDOWN;
		error->errnum = EACCES;
		return error_code(error, CODE_RIGHTS);
	case CURLE_OPERATION_TIMEDOUT:
		return too_late(kind, error);
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return unreachable(kind, "it ended the connection in the middle of an answer",
				   error);
	default:
		error_set(error, EPROTO, "%s does not speak HTTP as it should: %s",
			  source_kind_name(kind), libcurl.easy_strerror(code));
		return error_code(error, CODE_ENGINE_ANSWER);
	}
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

static size_t answer_take(char *bytes, size_t size, size_t count, void *data)
{
	struct answer *answer = data;
	size *= count;
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

/* What the engine says for itself goes to a terminal: without anything that steers one. */
static void message_copy(const json_t *json, char text[200])
{
	const char *message = engine_json_text(json, "message");
	snprintf(text, 200, "%s", message ? message : "it does not say why");
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
			*at = '?';
}

/* Podman answers with status 500 for a container that it is removing; `cause` is its word for which
 * error that is. */
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
	json_t *json = answer->size ? engine_json_parse(answer->bytes, answer->size) : NULL;
	if (json && status == 200) {
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
		error_set(error, EBADMSG, "%s answers with something that is not JSON", name);
	else
		error_set(error, EBADMSG, "%s answers with status %ld: %s", name, status,
			  spoke ? message : "it does not say why");
	return error_code(error, CODE_ENGINE_ANSWER);
}

static int timer_take(CURLM *multi, long milliseconds, void *data)
{
	struct engine_http *http = data;
	(void)multi;
	http->curl_due = milliseconds < 0 ? 0 : clock_milliseconds() + milliseconds;
	return 0;
}

static int socket_take(CURL *easy, curl_socket_t fd, int what, void *data, void *per_socket)
{
	static const uint32_t flags[] = {[CURL_POLL_IN] = EPOLLIN,
					 [CURL_POLL_OUT] = EPOLLOUT,
					 [CURL_POLL_INOUT] = EPOLLIN | EPOLLOUT,
					 [CURL_POLL_REMOVE] = 0};
	const struct engine_http *http = data;
	(void)easy;
	(void)per_socket;
	http->loop.watch(http->loop.data, fd, flags[what]);
	return 0;
}

static void multi_open(struct engine_http *http)
{
	http->multi = memory_or_die(libcurl.multi_init());
	libcurl.multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
	if (!http->looped)
		return;
	libcurl.multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, socket_take);
	libcurl.multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	libcurl.multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, timer_take);
	libcurl.multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
}

struct engine_http *engine_http_new(const struct engine_loop *loop)
{
	struct engine_http *http = memory_new(1, sizeof(*http));
	http->end = &http->requests;
	if (loop) {
		http->loop = *loop;
		http->looped = true;
	}
	return http;
}

static void request_begin(struct engine_request *request)
{
	struct engine_http *http = request->http;
	char url[2048];
	if (snprintf(url, sizeof(url), "http://localhost%s", request->path) >= (int)sizeof(url)) {
		error_set(&request->failure, ENAMETOOLONG, "what %s would be asked is too long",
			  source_kind_name(request->kind));
		request->over = true;
		return;
	}
	CURL *curl = request->curl = engine_handle_new(request->kind, &request->failure);
	if (!curl) {
		request->over = true;
		return;
	}
	libcurl.easy_setopt(curl, CURLOPT_URL, url);
	libcurl.easy_setopt(curl, CURLOPT_TIMEOUT_MS, engine_patience);
	libcurl.easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
	libcurl.easy_setopt(curl, CURLOPT_WRITEDATA, &request->answer);
	libcurl.easy_setopt(curl, CURLOPT_PRIVATE, request);
	if (!http->multi)
		multi_open(http);
	http->active[request->kind]++;
	libcurl.multi_add_handle(http->multi, curl);
}

/* Begins those whose turn it is. */
static void requests_begin(struct engine_http *http)
{
	for (struct engine_request *request = http->requests; request; request = request->next)
		if (!request->curl && !request->over && http->active[request->kind] < ACTIVE_MAX)
			request_begin(request);
}

static struct engine_request *request_over(const struct engine_http *http)
{
	struct engine_request *request = http->requests;
	while (request && !request->over)
		request = request->next;
	return request;
}

/* The earlier of curl's wish and what is over already, told to the owner. */
static void timer_tell(struct engine_http *http)
{
	const int64_t now = clock_milliseconds(), due = request_over(http) ? now : http->curl_due;
	if (!http->looped || (!due && !http->timer_set))
		return;
	http->timer_set = due != 0;
	http->loop.timer(http->loop.data, !due ? -1 : due > now ? (long)(due - now) : 0);
}

struct engine_request *engine_http_begin(struct engine_http *http, enum source_kind kind,
					 const char *path, engine_http_answer *answer, void *data)
{
	struct engine_request *request = memory_new(1, sizeof(*request));
	*request = (struct engine_request){.http = http,
					   .kind = kind,
					   .path = memory_or_die(strdup(path)),
					   .tell = answer,
					   .data = data};
	*http->end = request;
	http->end = &request->next;
	requests_begin(http);
	timer_tell(http);
	return request;
}

/* Takes it out of the list and away from curl. */
static void request_end(struct engine_request *request)
{
	struct engine_http *http = request->http;
	struct engine_request **at = &http->requests;
	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	if (!*at)
		http->end = at;
	if (!request->curl)
		return;
	http->active[request->kind]--;
	libcurl.multi_remove_handle(http->multi, request->curl);
}

static void request_free(struct engine_request *request)
{
	if (request->curl)
		libcurl.easy_cleanup(request->curl);
	free(request->answer.bytes);
	free(request->path);
	free(request);
}

void engine_http_cancel(struct engine_request *request)
{
	struct engine_http *http = request->http;
	request_end(request);
	request_free(request);
	requests_begin(http);
	timer_tell(http);
}

void engine_http_free(struct engine_http *http)
{
	if (!http)
		return;
	while (http->requests) {
		struct engine_request *request = http->requests;
		request_end(request);
		request_free(request);
	}
	if (http->multi)
		libcurl.multi_cleanup(http->multi);
	http->curl_due = 0;
	timer_tell(http);
	free(http);
}

static void request_fail(struct engine_request *request)
{
	request->over = true;
	(void)too_late(request->kind, &request->failure);
}

/* Who waits for all of them does not wait once more for those behind one that the engine did not
 * answer, where it answered nothing else meanwhile. */
static void engine_hangs(struct engine_http *http, enum source_kind kind)
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
		engine_hangs(request->http, request->kind);
	if (request->answer.too_long) {
		error_set(&request->failure, EMSGSIZE, "%s answers with more than %zu MiB",
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

static void request_tell(struct engine_request *request)
{
	json_t *json = NULL;
	request_end(request);
	if (!request->failure.errnum)
		answer_check(request, &json, &request->failure);
	request->tell(request->data, json, &request->failure);
	json_decref(json);
	request_free(request);
}

/* After each turn of curl's. One at a time, as who is answered may begin and cancel others. */
static void settle(struct engine_http *http)
{
	results_take(http);
	for (struct engine_request *request; (request = request_over(http));)
		request_tell(request);
	requests_begin(http);
	timer_tell(http);
}

void engine_http_ready(struct engine_http *http, int fd, uint32_t ready)
{
	int flags = (ready & EPOLLIN ? CURL_CSELECT_IN : 0) |
		    (ready & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		    (ready & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
	int running;
	libcurl.multi_socket_action(http->multi, fd, flags, &running);
	settle(http);
}

void engine_http_timeout(struct engine_http *http)
{
	int running;
	if (clock_milliseconds() >= http->curl_due) /* curl's timer fires once */
		http->curl_due = 0;
	http->timer_set = false;
	if (http->multi)
		libcurl.multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	settle(http);
}

static void requests_fail(struct engine_http *http)
{
	for (struct engine_request *request = http->requests; request; request = request->next)
		if (!request->over)
			request_fail(request);
}

/* The longest sleep: whoever waits may have missed a change of curl's timers. */
#define TURN_MS 1000

void engine_http_wait(struct engine_http *http, int64_t until)
{
	int running;
	for (settle(http); http->requests; settle(http)) {
		int64_t left = until - clock_milliseconds();
		if (left <= 0) {
			requests_fail(http);
			continue;
		}
		libcurl.multi_wait(http->multi, NULL, 0, left < TURN_MS ? (int)left : TURN_MS,
				   NULL);
		libcurl.multi_perform(http->multi, &running);
	}
}
