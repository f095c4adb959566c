#include "container_engine/event_stream.h"

#include "container_engine/curl_handle.h"
#include "container_engine/curl_multi.h"
#include "container_engine/event_parse.h"
#include "container_engine/http.h"
#include "lib/clock.h"
#include "lib/memory.h"
#include "schema/words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define EVENT_MAX ((size_t)1 << 20)

enum phase { PHASE_IDLE, PHASE_CONNECTING, PHASE_CONNECTED };

struct engine_events {
	enum source_kind kind;
	struct engine_events_owner owner;
	enum phase phase;
	CURLM *multi;         /* NULL when idle */
	CURL *easy;           /* NULL: it could not be created, see `failure` */
	bool answered;        /* the header of a successful response was received */
	struct error failure; /* errnum 0: none */
	struct curl_loop loop;
	int64_t answer_due;  /* the time limit for the response header, in milliseconds of
				clock_milliseconds(); 0: none */
	long timer_reported; /* -1: no timer is set */
	char *bytes;         /* bytes of incomplete events */
	size_t size, room;
	bool skipping; /* skipping the rest of an event that is too long */
};

struct engine_events *engine_events_new(enum source_kind kind,
					const struct engine_events_owner *owner)
{
	struct engine_events *events = memory_new(1, sizeof(*events));
	events->kind = kind;
	events->owner = *owner;
	events->loop = (struct curl_loop){.data = owner->data, .watch = owner->watch};
	events->timer_reported = -1;
	return events;
}

/* The earlier of curl's timer and the time limit of this file. */
static void timer_arm(struct engine_events *events)
{
	int64_t due = events->loop.due;
	if (events->answer_due && (!due || events->answer_due < due))
		due = events->answer_due;
	if (!due && events->timer_reported == -1)
		return;
	const int64_t left = due - clock_milliseconds();
	events->timer_reported = !due ? -1 : left > 0 ? (long)left : 0;
	events->owner.timer(events->owner.data, events->timer_reported);
}

/* "docker does not ...": the error of a malformed stream. */
__attribute__((format(printf, 3, 4))) static int answer_odd(struct engine_events *events,
							    int errnum, const char *format, ...)
{
	char text[128];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_set(&events->failure, errnum, "%s %s", source_kind_name(events->kind), text);
	return error_code(&events->failure, CODE_ENGINE_ANSWER);
}

/* The end of the response header. */
static size_t header_take(char *line, size_t size, size_t count, void *data)
{
	struct engine_events *events = data;
	long status = 0;
	size *= count;
	libcurl.easy_getinfo(events->easy, CURLINFO_RESPONSE_CODE, &status);
	if (size == 2 && memcmp(line, "\r\n", 2) == 0 && status >= 200) {
		events->answered = status == 200;
		if (status != 200)
			answer_odd(events, EBADMSG, "refuses the stream of events with status %ld",
				   status);
	}
	return events->failure.errnum ? 0 : size;
}

static size_t bytes_take(char *bytes, size_t size, size_t count, void *data)
{
	struct engine_events *events = data;
	size *= count;
	if (size == 0)
		return 0;
	while (events->size + size > events->room) {
		events->room = events->room ? events->room * 2 : 4096;
		events->bytes = memory_or_die(realloc(events->bytes, events->room));
	}
	memcpy(events->bytes + events->size, bytes, size);
	events->size += size;
	return size;
}

static void disconnect(struct engine_events *events)
{
	if (events->easy && events->multi)
		libcurl.multi_remove_handle(events->multi, events->easy);
	if (events->easy)
		libcurl.easy_cleanup(events->easy);
	if (events->multi)
		libcurl.multi_cleanup(events->multi);
	free(events->bytes);
	events->easy = NULL;
	events->multi = NULL;
	events->bytes = NULL;
	events->size = events->room = 0;
	events->loop.due = events->answer_due = 0;
	events->answered = events->skipping = false;
	events->phase = PHASE_IDLE;
	timer_arm(events);
}

void engine_events_free(struct engine_events *events)
{
	if (!events)
		return;
	disconnect(events);
	free(events);
}

/* `since` is the current time: an engine responds before it subscribes to its own events, and
 * events in between would be missing. */
static void url_set(struct engine_events *events)
{
	char url[1024];
	struct timespec time;
	char *filters = engine_http_escape(engine_event_filters);
	clock_gettime(CLOCK_REALTIME, &time);
	snprintf(url, sizeof(url), "http://localhost/events?since=%lld.%09ld&filters=%s",
		 (long long)time.tv_sec, time.tv_nsec, filters);
	free(filters);
	libcurl.easy_setopt(events->easy, CURLOPT_URL, url);
}

void engine_events_connect(struct engine_events *events)
{
	disconnect(events);
	events->phase = PHASE_CONNECTING;
	events->failure.errnum = 0;
	events->easy = engine_handle_new(events->kind, &events->failure);
	if (!events->easy) { /* reported later, like all results */
		events->loop.due = clock_milliseconds();
		timer_arm(events);
		return;
	}
	url_set(events);
	libcurl.easy_setopt(events->easy, CURLOPT_HEADERFUNCTION, header_take);
	libcurl.easy_setopt(events->easy, CURLOPT_HEADERDATA, events);
	libcurl.easy_setopt(events->easy, CURLOPT_WRITEFUNCTION, bytes_take);
	libcurl.easy_setopt(events->easy, CURLOPT_WRITEDATA, events);
	events->multi = curl_multi_new(&events->loop);
	events->answer_due = clock_milliseconds() + engine_patience;
	libcurl.multi_add_handle(events->multi, events->easy);
	timer_arm(events);
}

static int line_take(struct engine_events *events, const char *line, size_t length)
{
	if (length > EVENT_MAX)
		events->owner.lost(events->owner.data);
	else if (length && engine_event_parse(events->kind, line, length, events->owner.event,
					      events->owner.data) == ENGINE_EVENT_BAD)
		return answer_odd(events, EBADMSG, "sent an invalid event");
	return 0;
}

static void lines_take(struct engine_events *events)
{
	size_t at = 0;
	const char *end;
	while ((end = memchr(events->bytes + at, '\n', events->size - at))) {
		size_t length = (size_t)(end - events->bytes) - at;
		if (!events->skipping && line_take(events, events->bytes + at, length) < 0)
			return;
		events->skipping = false;
		at += length + 1;
	}
	events->size -= at;
	memmove(events->bytes, events->bytes + at, events->size);
	if (events->size > EVENT_MAX && !events->skipping) {
		events->owner.lost(events->owner.data);
		events->skipping = true;
	}
	if (events->skipping)
		events->size = 0;
}

static void fail(struct engine_events *events)
{
	const struct error failure = events->failure;
	disconnect(events);
	events->owner.state(events->owner.data, &failure);
}

static void ended_note(struct engine_events *events)
{
	int left;
	for (CURLMsg *message; (message = libcurl.multi_info_read(events->multi, &left));) {
		if (message->msg != CURLMSG_DONE || events->failure.errnum)
			continue;
		if (message->data.result == CURLE_OK) {
			error_set(&events->failure, EHOSTDOWN, "%s closed the stream of events",
				  source_kind_name(events->kind));
			error_code(&events->failure, CODE_ENGINE_SILENT);
		} else {
			engine_handle_failed(events->kind, message->easy_handle,
					     message->data.result, &events->failure);
		}
	}
}

/* Called after each call of curl: curl's callbacks only record, so that the owner's callbacks never
 * run inside curl. */
static void state_update(struct engine_events *events)
{
	if (events->multi)
		ended_note(events);
	/* Trailers have an end of their own, which must not count as the end of the header. */
	if (events->answered && events->phase == PHASE_CONNECTING) {
		events->answer_due = 0;
		events->phase = PHASE_CONNECTED;
		events->owner.state(events->owner.data, NULL);
	}
	if (events->phase == PHASE_CONNECTED && events->size)
		lines_take(events);
	if (events->failure.errnum)
		fail(events);
	else
		timer_arm(events);
}

void engine_events_ready(struct engine_events *events, int fd, uint32_t ready)
{
	int flags = (ready & EPOLLIN ? CURL_CSELECT_IN : 0) |
		    (ready & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		    (ready & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
	int running;
	if (!events->multi)
		return;
	libcurl.multi_socket_action(events->multi, fd, flags, &running);
	state_update(events);
}

void engine_events_timeout(struct engine_events *events)
{
	int running;
	if (events->phase == PHASE_IDLE)
		return;
	if (clock_milliseconds() >= events->loop.due) /* curl's timer fires once */
		events->loop.due = 0;
	events->timer_reported = -1;
	if (events->answer_due && clock_milliseconds() >= events->answer_due)
		engine_handle_failed(events->kind, events->easy, CURLE_OPERATION_TIMEDOUT,
				     &events->failure);
	else if (events->multi)
		libcurl.multi_socket_action(events->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	state_update(events);
}
