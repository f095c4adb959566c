/* An engine's stream of events, and its end. The first byte is the status of the response, the
 * second the way in which the connection ends; then each piece, without its first byte, is one read
 * of curl: a line of the header, or bytes of the body. */
#include "container_engine/event_stream.h"

#include "container_engine/http.h"
#include "container_engine/libcurl.h"
#include "tests/fuzz/fuzz.h"

#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>

static const long statuses[] = {200, 500, 404, 100, 0};
static const CURLcode ends[] = {CURLE_OK, CURLE_RECV_ERROR, CURLE_COULDNT_CONNECT,
				CURLE_WEIRD_SERVER_REPLY};

/* Curl's side. */
static struct {
	struct pieces pieces;
	curl_write_callback take_header, take_body;
	void *header_data, *body_data;
	long status;
	bool over;
	CURLMsg message;
} curl;

/* The owner's side. */
static struct {
	bool connected, reported;
} owner;

static char handle, multi; /* the targets of curl's pointers */

CURL *__wrap_engine_handle_new(enum source_kind kind, struct error *error);

CURL *__wrap_engine_handle_new(enum source_kind kind, struct error *error)
{
	(void)kind;
	(void)error;
	return (CURL *)&handle;
}

static CURLcode easy_setopt(CURL *easy, CURLoption option, ...)
{
	va_list arguments;
	(void)easy;
	va_start(arguments, option);
	if (option == CURLOPT_HEADERFUNCTION)
		curl.take_header = va_arg(arguments, curl_write_callback);
	else if (option == CURLOPT_WRITEFUNCTION)
		curl.take_body = va_arg(arguments, curl_write_callback);
	else if (option == CURLOPT_HEADERDATA)
		curl.header_data = va_arg(arguments, void *);
	else if (option == CURLOPT_WRITEDATA)
		curl.body_data = va_arg(arguments, void *);
	va_end(arguments);
	return CURLE_OK;
}

static CURLcode easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list arguments;
	(void)easy;
	va_start(arguments, info);
	*va_arg(arguments, long *) = info == CURLINFO_RESPONSE_CODE ? curl.status : 0;
	va_end(arguments);
	return CURLE_OK;
}

static const char *easy_strerror(CURLcode code)
{
	(void)code;
	return "nonsense";
}

static void easy_cleanup(CURL *easy)
{
	HOLDS(easy == (CURL *)&handle);
}

static CURLM *multi_init(void)
{
	return (CURLM *)&multi;
}

static CURLMcode multi_setopt(CURLM *all, CURLMoption option, ...)
{
	(void)all;
	(void)option;
	return CURLM_OK;
}

static CURLMcode multi_take(CURLM *all, CURL *easy)
{
	HOLDS(all == (CURLM *)&multi && easy == (CURL *)&handle);
	return CURLM_OK;
}

static CURLMcode multi_cleanup(CURLM *all)
{
	HOLDS(all == (CURLM *)&multi);
	return CURLM_OK;
}

/* curl gives each callback memory that it may write to, and stops if the callback does not accept
 * all of it. */
static bool deliver(const uint8_t *piece, size_t size)
{
	bool header = piece[0] & 1;
	char *copy = malloc(size);
	HOLDS(copy);
	memcpy(copy, piece + 1, size - 1);
	size_t in_use = header ? curl.take_header(copy, 1, size - 1, curl.header_data)
			       : curl.take_body(copy, 1, size - 1, curl.body_data);
	free(copy);
	return in_use == size - 1;
}

static CURLMcode multi_socket_action(CURLM *all, curl_socket_t fd, int what, int *running)
{
	size_t size;
	const uint8_t *piece = pieces_next(&curl.pieces, &size);
	(void)all;
	(void)fd;
	(void)what;
	if (piece && size && !deliver(piece, size))
		curl.message.data.result = CURLE_WRITE_ERROR;
	else if (piece)
		return CURLM_OK;
	curl.over = true;
	*running = 0;
	return CURLM_OK;
}

static CURLMsg *multi_info_read(CURLM *all, int *left)
{
	(void)all;
	*left = 0;
	if (!curl.over)
		return NULL;
	curl.over = false;
	return &curl.message;
}

static void watch(void *data, int fd, uint32_t events)
{
	(void)data;
	(void)fd;
	(void)events;
}

static void timer(void *data, long milliseconds)
{
	(void)data;
	HOLDS(milliseconds >= -1);
}

static void event(void *data, const struct engine_event *happened)
{
	(void)data;
	HOLDS(owner.connected && happened->id && *happened->id);
}

static void lost(void *data)
{
	(void)data;
	HOLDS(owner.connected);
}

static void state(void *data, const struct error *failure)
{
	const bool connected = !failure;
	(void)data;
	HOLDS(!owner.reported && !(connected && owner.connected));
	HOLDS(connected || (*failure->text && failure->code));
	owner.connected = connected;
	owner.reported = !connected;
}

static void curl_begin(const uint8_t *data, size_t size)
{
	libcurl = (struct libcurl){
		.easy_setopt = easy_setopt,
		.easy_getinfo = easy_getinfo,
		.easy_strerror = easy_strerror,
		.easy_cleanup = easy_cleanup,
		.multi_init = multi_init,
		.multi_setopt = multi_setopt,
		.multi_add_handle = multi_take,
		.multi_remove_handle = multi_take,
		.multi_socket_action = multi_socket_action,
		.multi_info_read = multi_info_read,
		.multi_cleanup = multi_cleanup,
	};
	memset(&curl, 0, sizeof(curl));
	curl.pieces = (struct pieces){.at = data + 2, .left = size - 2};
	curl.status = statuses[data[0] % (sizeof(statuses) / sizeof(statuses[0]))];
	curl.message = (CURLMsg){.msg = CURLMSG_DONE, .easy_handle = (CURL *)&handle};
	curl.message.data.result = ends[data[1] % (sizeof(ends) / sizeof(ends[0]))];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct engine_events_owner lent = {
		.watch = watch, .timer = timer, .event = event, .lost = lost, .state = state};
	if (size < 2)
		return 0;
	curl_begin(data, size);
	memset(&owner, 0, sizeof(owner));
	struct engine_events *events = engine_events_new(SOURCE_DOCKER, &lent);
	engine_events_connect(events);
	for (size_t i = 0; i <= size && !owner.reported; i++)
		engine_events_ready(events, 3, EPOLLIN);
	HOLDS(owner.reported);
	engine_events_free(events);
	return 0;
}
