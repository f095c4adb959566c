/* Concurrent inspections at one engine. A thread serves a unix socket: it answers immediately for
 * containers whose name begins with "c", and never for others. */
#include "container_engine/engine.h"
#include "container_engine/http.h"
#include "lib/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/between.h"

#define ID          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CLIENTS_MAX 200

static struct server {
	char directory[32], path[64], variable[80];
	int stop[2];
	pthread_t thread;
	struct pollfd ends[CLIENTS_MAX + 2]; /* to stop, the listener, the clients */
	nfds_t n_ends;
	atomic_size_t inspected;
} server;

static void answer(int fd, const char *name)
{
	char body[512], text[1024];
	int size = snprintf(body, sizeof(body),
			    "{\"Id\":\"" ID "\",\"Name\":\"/%s\",\"State\":{\"Pid\":7,"
			    "\"Running\":true,\"StartedAt\":\"t\"}}",
			    name);
	int length = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
			      size, body);
	assert_int_equal(send(fd, text, (size_t)length, MSG_NOSIGNAL), length);
}

/* False: the client has disconnected. A request arrives as a whole. */
static bool request(int fd)
{
	char text[4096], name[64];
	ssize_t size = read(fd, text, sizeof(text) - 1);
	if (size <= 0)
		return false;
	text[size] = '\0';
	server.inspected++;
	if (sscanf(text, "GET /containers/%63[^/]/json", name) == 1 && *name == 'c')
		answer(fd, name);
	return true;
}

static void clients_serve(void)
{
	for (nfds_t i = 2; i < server.n_ends; i++)
		if (server.ends[i].revents && !request(server.ends[i].fd)) {
			close(server.ends[i].fd);
			server.ends[i--] = server.ends[--server.n_ends];
		}
}

static void *serve(void *data)
{
	(void)data;
	for (;;) {
		poll(server.ends, server.n_ends, -1);
		if (server.ends[0].revents)
			return NULL;
		clients_serve();
		if (!server.ends[1].revents)
			continue;
		assert_true(server.n_ends < CLIENTS_MAX + 2);
		server.ends[server.n_ends++] = (struct pollfd){
			.fd = accept(server.ends[1].fd, NULL, NULL), .events = POLLIN};
	}
}

static int server_begin(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)state;
	server = (struct server){.n_ends = 2};
	snprintf(server.directory, sizeof(server.directory), "/tmp/engine-XXXXXX");
	assert_non_null(mkdtemp(server.directory));
	snprintf(server.path, sizeof(server.path), "%s/sock", server.directory);
	snprintf(server.variable, sizeof(server.variable), "unix://%s", server.path);
	setenv("DOCKER_HOST", server.variable, 1);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", server.path);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, CLIENTS_MAX), 0);
	assert_int_equal(pipe(server.stop), 0);
	server.ends[0] = (struct pollfd){.fd = server.stop[0], .events = POLLIN};
	server.ends[1] = (struct pollfd){.fd = listener, .events = POLLIN};
	return pthread_create(&server.thread, NULL, serve, NULL);
}

static int server_end(void **state)
{
	(void)state;
	close(server.stop[1]);
	pthread_join(server.thread, NULL);
	for (nfds_t i = 0; i < server.n_ends; i++)
		close(server.ends[i].fd);
	unlink(server.path);
	rmdir(server.directory);
	unsetenv("DOCKER_HOST");
	engine_patience = 10000;
	return 0;
}

/* The results of the inspections. */
struct outcome {
	struct engines *engines;
	struct arena *arena;
	char log[1024]; /* a letter for each answer: the first of its container, or a '-' */
	struct error error;
	const char *then; /* inspected from within the next answer */
};

static void take(void *data, const struct engine_container *container, const struct error *error);

static struct engine_inspection *inspect_begin(struct outcome *outcome, const char *name)
{
	size_t reported = strlen(outcome->log);
	struct engine_inspection *inspection = engine_inspect_begin(
		outcome->engines, SOURCE_DOCKER, name, outcome->arena, take, outcome);
	assert_int_equal(strlen(outcome->log), reported); /* never before the call returns */
	return inspection;
}

static void take(void *data, const struct engine_container *container, const struct error *error)
{
	struct outcome *outcome = data;
	size_t used = strlen(outcome->log);
	assert_true(used + 1 < sizeof(outcome->log));
	outcome->log[used] = '-';
	if (container)
		outcome->log[used] = container->name[0];
	else
		outcome->error = *error;
	const char *then = outcome->then;
	outcome->then = NULL;
	if (then)
		inspect_begin(outcome, then);
}

static void outcome_begin(struct outcome *outcome, const struct engine_loop *loop)
{
	*outcome = (struct outcome){.engines = engines_new(loop), .arena = arena_new()};
}

static void outcome_end(struct outcome *outcome)
{
	engines_free(outcome->engines);
	arena_free(outcome->arena);
}

static void wait_for(struct outcome *outcome, int64_t milliseconds)
{
	engines_wait(outcome->engines, clock_milliseconds() + milliseconds);
}

static void test_one_silent(void **state)
{
	struct outcome outcome;
	(void)state;
	engine_patience = 1000;
	outcome_begin(&outcome, NULL);
	inspect_begin(&outcome, "silent");
	for (int i = 0; i < 5; i++)
		inspect_begin(&outcome, "c");
	wait_for(&outcome, 60000);
	assert_string_equal(outcome.log, "ccccc-");
	assert_int_equal(outcome.error.errnum, EHOSTDOWN);
	assert_int_equal(outcome.error.code, CODE_ENGINE_SILENT);
	assert_non_null(strstr(outcome.error.text, "no answer in time"));
	assert_non_null(strstr(outcome.error.hint, "docker ps"));
	inspect_begin(&outcome, "c"); /* and says nothing about what comes */
	wait_for(&outcome, 60000);
	assert_string_equal(outcome.log, "ccccc-c");
	outcome_end(&outcome);
}

/* Cancelled ones fail with the rest. */
static void test_no_answer(void **state)
{
	struct outcome outcome;
	(void)state;
	engine_patience = 1000;
	outcome_begin(&outcome, NULL);
	for (int i = 0; i < 150; i++)
		inspect_begin(&outcome, "silent");
	wait_for(&outcome, 60000);
	assert_int_equal(strlen(outcome.log), 150);
	assert_int_equal(strspn(outcome.log, "-"), 150);
	assert_between(server.inspected, 1, 100);
	outcome_end(&outcome);
}

static void test_many(void **state)
{
	struct outcome outcome;
	(void)state;
	outcome_begin(&outcome, NULL);
	for (int i = 0; i < 500; i++)
		inspect_begin(&outcome, "c");
	wait_for(&outcome, 60000);
	assert_int_equal(strspn(outcome.log, "c"), 500);
	assert_int_equal(server.inspected, 500);
	outcome_end(&outcome);
}

static void test_budget(void **state)
{
	struct outcome outcome;
	(void)state;
	outcome_begin(&outcome, NULL);
	for (int i = 0; i < 100; i++)
		inspect_begin(&outcome, "silent");
	wait_for(&outcome, 200);
	assert_int_equal(strspn(outcome.log, "-"), 100);
	assert_int_equal(outcome.error.errnum, EHOSTDOWN);
	outcome_end(&outcome);
}

static void test_inspection_from_a_callback(void **state)
{
	struct outcome outcome;
	(void)state;
	outcome_begin(&outcome, NULL);
	outcome.then = "ccc";
	inspect_begin(&outcome, "c");
	wait_for(&outcome, 60000);
	assert_string_equal(outcome.log, "cc");
	outcome_end(&outcome);
}

static void test_ended(void **state)
{
	struct outcome outcome;
	struct engine_inspection *inspections[100];
	(void)state;
	outcome_begin(&outcome, NULL);
	for (int i = 0; i < 100; i++)
		inspections[i] = inspect_begin(&outcome, i % 2 ? "c" : "silent");
	for (int i = 0; i < 100; i++)
		engine_inspect_end(inspections[i]);
	engine_inspect_end(NULL);
	wait_for(&outcome, 60000);
	assert_string_equal(outcome.log, "");
	outcome_end(&outcome);
}

static void test_engine_unreachable(void **state)
{
	struct outcome outcome;
	(void)state;
	setenv("DOCKER_HOST", "unix:///nowhere/engine.sock", 1);
	outcome_begin(&outcome, NULL);
	for (int i = 0; i < 100; i++)
		inspect_begin(&outcome, "c");
	wait_for(&outcome, 60000);
	assert_int_equal(strspn(outcome.log, "-"), 100);
	assert_string_equal(outcome.error.text, "docker cannot be reached at "
						"/nowhere/engine.sock: No such file or directory");
	setenv("DOCKER_HOST", "tcp://10.0.0.1:1", 1);
	inspect_begin(&outcome, "c");
	wait_for(&outcome, 60000);
	assert_int_equal(outcome.error.code, CODE_ENGINE_PLACE);
	setenv("DOCKER_HOST", server.variable, 1);
	inspect_begin(&outcome, "c");
	wait_for(&outcome, 60000);
	assert_int_equal(outcome.log[101], 'c');
	outcome_end(&outcome);
}

/* --- in a loop */

struct looping {
	int epoll;
	int64_t due; /* -1: no timer */
	int watched;
};

static void loop_watch(void *data, int fd, uint32_t flags)
{
	struct looping *looping = data;
	struct epoll_event event = {.events = flags, .data.fd = fd};
	if (!flags)
		looping->watched -= epoll_ctl(looping->epoll, EPOLL_CTL_DEL, fd, NULL) == 0;
	else if (epoll_ctl(looping->epoll, EPOLL_CTL_MOD, fd, &event) < 0)
		looping->watched += epoll_ctl(looping->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void loop_timer(void *data, long milliseconds)
{
	struct looping *looping = data;
	looping->due = milliseconds < 0 ? -1 : clock_milliseconds() + milliseconds;
}

/* Runs until that many answers have arrived. */
static void loop_until(struct looping *looping, struct outcome *outcome, size_t answers)
{
	const int64_t end = clock_milliseconds() + 60000;
	while (strlen(outcome->log) < answers) {
		struct epoll_event event;
		int64_t now = clock_milliseconds(), until = looping->due < 0 ? end : looping->due;
		assert_true(now < end);
		if (epoll_wait(looping->epoll, &event, 1, until > now ? (int)(until - now) : 0) >
		    0) {
			engines_ready(outcome->engines, event.data.fd, event.events);
		} else if (looping->due >= 0 && clock_milliseconds() >= looping->due) {
			looping->due = -1;
			engines_timeout(outcome->engines);
		}
	}
}

static void test_loop(void **state)
{
	struct looping looping = {.epoll = epoll_create1(EPOLL_CLOEXEC), .due = -1};
	const struct engine_loop loop = {
		.data = &looping, .watch = loop_watch, .timer = loop_timer};
	struct outcome outcome;
	struct epoll_event event;
	(void)state;
	engine_patience = 1000;
	outcome_begin(&outcome, &loop);
	inspect_begin(&outcome, "silent");
	for (int i = 0; i < 99; i++)
		inspect_begin(&outcome, "c");
	loop_until(&looping, &outcome, 100);
	assert_int_equal(strspn(outcome.log, "c"), 99);
	assert_int_equal(outcome.log[99], '-');
	/* There is no wake-up without pending requests. */
	assert_int_equal(epoll_wait(looping.epoll, &event, 1, 100), 0);
	setenv("DOCKER_HOST", "tcp://10.0.0.1:1", 1);
	outcome.then = "c";
	inspect_begin(&outcome, "c");
	loop_until(&looping, &outcome, 102);
	setenv("DOCKER_HOST", server.variable, 1);
	engine_inspect_end(inspect_begin(&outcome, "silent"));
	outcome_end(&outcome);
	assert_int_equal(strlen(outcome.log), 102);
	assert_int_equal(looping.due, -1);
	assert_int_equal(looping.watched, 0);
	close(looping.epoll);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, server_begin, server_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_silent),
		TEST(test_no_answer),
		TEST(test_many),
		TEST(test_budget),
		TEST(test_ended),
		TEST(test_inspection_from_a_callback),
		TEST(test_engine_unreachable),
		TEST(test_loop),
	};
	return cmocka_run_group_tests_name("engine beside", tests, NULL, NULL);
}
