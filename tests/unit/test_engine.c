/* Correct and faulty engines: a thread serves a unix socket. */
#include "container_engine/engine.h"
#include "container_engine/event_parse.h"
#include "container_engine/event_stream.h"
#include "container_engine/http.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/between.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define STATE(pid, running)                                                                        \
	"\"State\":{\"Pid\":" pid ",\"Running\":" running ",\"Paused\":false,\"StartedAt\":"       \
	"\"t1\"}"
#define NAMED(name, rest)       "{\"Id\":\"" ID "\",\"Name\":\"" name "\"," rest "}"
#define CONTAINER(pid, running) NAMED("/my-db", STATE(pid, running))

/* The fake engine's reaction to one request. */
struct reply {
	const char *status; /* "200 OK" */
	const char *body;
	const char *raw;   /* instead of everything else */
	size_t repeat;     /* repetitions of the body; 0: once */
	size_t split;      /* bytes a write; 0: all */
	size_t cut;        /* close the connection after that many bytes of the body; 0: never */
	unsigned pause_ms; /* before each write */
	bool silent;       /* do not answer at all */
	bool stream;       /* chunked; stays open until the client disconnects, unless cut */
	bool ends;         /* a regular end of the stream */
};

static struct fake {
	char directory[32], path[64], variable[80];
	int listener;
	int stop[2];
	pthread_t thread;
	const struct reply *replies; /* the last one is repeated */
	size_t n_replies, requested, connections;
	char last[4096]; /* the last request */
} fake;

static void write_all(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t written = send(fd, bytes, size, MSG_NOSIGNAL);
		if (written <= 0)
			return;
		bytes += written;
		size -= (size_t)written;
	}
}

static void piece_write(int fd, const struct reply *reply, const char *bytes, size_t size)
{
	char head[32];
	struct pollfd stop = {.fd = fake.stop[0], .events = POLLIN};
	if (reply->pause_ms && poll(&stop, 1, (int)reply->pause_ms) > 0)
		return;
	if (reply->stream)
		write_all(fd, head, (size_t)snprintf(head, sizeof(head), "%zx\r\n", size));
	write_all(fd, bytes, size);
	if (reply->stream)
		write_all(fd, "\r\n", 2);
}

static void body_write(int fd, const struct reply *reply, const char *body, size_t size)
{
	size_t step = reply->split ? reply->split : size;
	if (reply->cut && reply->cut < size)
		size = reply->cut;
	for (size_t at = 0; at < size; at += step)
		piece_write(fd, reply, body + at, step < size - at ? step : size - at);
}

static void head_write(int fd, const struct reply *reply, size_t size)
{
	char head[256];
	int length = reply->stream ? snprintf(head, sizeof(head),
					      "HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\n\r\n",
					      reply->status)
				   : snprintf(head, sizeof(head),
					      "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
					      reply->status, size);
	write_all(fd, head, (size_t)length);
}

/* False: the connection must be closed. */
static bool reply_write(int fd, const struct reply *reply)
{
	size_t repeat = reply->repeat ? reply->repeat : 1;
	struct pollfd ends[2] = {{.fd = fd, .events = POLLIN},
				 {.fd = fake.stop[0], .events = POLLIN}};
	if (reply->silent)
		poll(ends, 2, -1);
	if (reply->raw)
		write_all(fd, reply->raw, strlen(reply->raw));
	if (reply->silent || reply->raw)
		return false;
	head_write(fd, reply, strlen(reply->body) * repeat);
	for (size_t i = 0; i < repeat; i++)
		body_write(fd, reply, reply->body, strlen(reply->body));
	if (reply->ends)
		write_all(fd, "0\r\n\r\n", 5);
	else if (reply->stream && !reply->cut)
		poll(ends, 2, -1);
	return !reply->cut && (!reply->stream || reply->ends);
}

static bool request_read(int fd)
{
	size_t size = 0;
	while (size < sizeof(fake.last) - 1) {
		struct pollfd ends[2] = {{.fd = fd, .events = POLLIN},
					 {.fd = fake.stop[0], .events = POLLIN}};
		poll(ends, 2, -1);
		ssize_t got = ends[1].revents ? 0 : read(fd, fake.last + size, 1);
		if (got <= 0)
			return false;
		size += (size_t)got;
		fake.last[size] = '\0';
		if (strstr(fake.last, "\r\n\r\n"))
			return true;
	}
	return false;
}

static void *serve(void *data)
{
	(void)data;
	for (;;) {
		struct pollfd ends[2] = {{.fd = fake.listener, .events = POLLIN},
					 {.fd = fake.stop[0], .events = POLLIN}};
		poll(ends, 2, -1);
		if (ends[1].revents)
			return NULL;
		int fd = accept(fake.listener, NULL, NULL);
		fake.connections++;
		bool more = true;
		while (more && request_read(fd)) {
			size_t last = fake.n_replies - 1;
			size_t number = fake.requested < last ? fake.requested : last;
			fake.requested++;
			more = reply_write(fd, &fake.replies[number]);
		}
		close(fd);
	}
}

static void fake_begin(const struct reply *replies, size_t n_replies)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	fake = (struct fake){.replies = replies, .n_replies = n_replies};
	snprintf(fake.directory, sizeof(fake.directory), "/tmp/engine-XXXXXX");
	assert_non_null(mkdtemp(fake.directory));
	snprintf(fake.path, sizeof(fake.path), "%s/sock", fake.directory);
	snprintf(fake.variable, sizeof(fake.variable), "unix://%s", fake.path);
	setenv("DOCKER_HOST", fake.variable, 1);
	setenv("CONTAINER_HOST", fake.variable, 1);
	if (!n_replies)
		return;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", fake.path);
	fake.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fake.listener, 8), 0);
	assert_int_equal(pipe(fake.stop), 0);
	assert_int_equal(pthread_create(&fake.thread, NULL, serve, NULL), 0);
}

static void fake_end(void)
{
	if (fake.n_replies) {
		close(fake.stop[1]);
		pthread_join(fake.thread, NULL);
		close(fake.stop[0]);
		close(fake.listener);
		unlink(fake.path);
	}
	rmdir(fake.directory);
	unsetenv("DOCKER_HOST");
	unsetenv("CONTAINER_HOST");
	engine_patience = 10000;
}

/* --- one container */

struct inspection {
	const char *name;      /* of the test */
	const char *container; /* NULL: "my-db" */
	struct reply reply;
	int errnum;           /* 0: found */
	const char *expected; /* the error, or "PID host|own SANDBOX"; %s is the socket's path */
};

#define OK(text)                                                                                   \
	{                                                                                          \
		.status = "200 OK", .body = (text)                                                 \
	}

static const struct inspection inspections[] = {
	{"runs", NULL, OK(CONTAINER("4711", "true")), 0, "4711 own "},
	{"stopped", NULL, OK(CONTAINER("0", "false")), 0, "0 own "},
	{"stopped with a pid of before", NULL, OK(CONTAINER("99", "false")), 0, "0 own "},
	{"paused", NULL,
	 OK(NAMED("/my-db", "\"State\":{\"Pid\":5,\"Running\":false,\"Paused\":true}")), 0,
	 "5 own "},
	{"host network and sandbox", NULL,
	 OK(NAMED("/my-db", "\"HostConfig\":{\"NetworkMode\":\"host\"},\"NetworkSettings\":{"
			    "\"SandboxKey\":\"/x\"}," STATE("1", "true"))),
	 0, "1 host /x"},
	{"nulls", NULL,
	 OK(NAMED("/my-db", "\"HostConfig\":null,\"NetworkSettings\":null," STATE("1", "true"))), 0,
	 "1 own "},
	/* --- an engine resolves the beginning of an id, too */
	{"by its name without a slash", NULL, OK(NAMED("my-db", STATE("1", "true"))), 0, "1 own "},
	{"by its id", ID, OK(CONTAINER("1", "true")), 0, "1 own "},
	{"by twelve digits of its id", "0123456789ab", OK(CONTAINER("1", "true")), 0, "1 own "},
	{"by 63 digits of its id",
	 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
	 OK(CONTAINER("1", "true")), 0, "1 own "},
	{"eleven digits of its id are a name", "0123456789a", OK(CONTAINER("1", "true")), ENOENT,
	 "docker has no container \"0123456789a\" yet"},
	{"one digit of its id is a name", "0", OK(CONTAINER("1", "true")), ENOENT,
	 "docker has no container \"0\" yet"},
	{"a short name of digits that it has", "0123", OK(NAMED("/0123", STATE("1", "true"))), 0,
	 "1 own "},
	{"a name of twelve digits that begins no id of its own", "deadbeefcafe",
	 OK(NAMED("/deadbeefcafe", STATE("1", "true"))), 0, "1 own "},
	{"twelve digits of another id", "deadbeefcafe", OK(CONTAINER("1", "true")), ENOENT,
	 "docker has no container \"deadbeefcafe\" yet"},
	{"an id in capitals", "0123456789AB", OK(CONTAINER("1", "true")), ENOENT,
	 "docker has no container \"0123456789AB\" yet"},
	{"more than its id", ID "0", OK(CONTAINER("1", "true")), ENOENT,
	 "docker has no container \"" ID "0\" yet"},
	{"another name", "my-d", OK(CONTAINER("1", "true")), ENOENT,
	 "docker has no container \"my-d\" yet"},
	{"a name in capitals", "My-DB", OK(CONTAINER("1", "true")), ENOENT,
	 "docker has no container \"My-DB\" yet"},
	{"a name behind two slashes", NULL, OK(NAMED("//my-db", STATE("1", "true"))), ENOENT,
	 "docker has no container \"my-db\" yet"},
	{"no Name", NULL, OK("{\"Id\":\"" ID "\"," STATE("1", "true") "}"), ENOENT,
	 "docker has no container \"my-db\" yet"},
	{"Name as a number", NULL, OK("{\"Id\":\"" ID "\",\"Name\":1," STATE("1", "true") "}"),
	 EBADMSG, "docker sent an invalid answer: a container's Name"},
	{"byte by byte",
	 NULL,
	 {.status = "200 OK", .body = CONTAINER("4711", "true"), .split = 1},
	 0,
	 "4711 own "},
	{"in chunks",
	 NULL,
	 {.status = "200 OK",
	  .body = CONTAINER("4711", "true"),
	  .split = 7,
	  .stream = true,
	  .ends = true},
	 0,
	 "4711 own "},
	{"absent",
	 NULL,
	 {.status = "404 Not Found", .body = "{\"message\":\"No such container: my-db\"}"},
	 ENOENT,
	 "docker has no container \"my-db\" yet"},
	{"404 of something else",
	 NULL,
	 {.status = "404 Not Found", .body = "<html>not here</html>"},
	 EBADMSG,
	 "docker answered with status 404: no reason given"},
	{"500",
	 NULL,
	 {.status = "500 Internal Server Error",
	  .body = "{\"message\":\"broken \\u001b[31m\\nhere\"}"},
	 EBADMSG,
	 "docker answered with status 500: broken ?[31m?here"},
	{"500 with an odd message",
	 NULL,
	 {.status = "500 Internal Server Error", .body = "{\"message\":[1]}"},
	 EBADMSG,
	 "docker answered with status 500: no reason given"},
	{"redirect",
	 NULL,
	 {.raw = "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"},
	 EBADMSG,
	 "docker answered with status 302: no reason given"},
	{"HTML", NULL, OK("<html></html>"), EBADMSG, "docker sent an answer that is not JSON"},
	{"nothing", NULL, OK(""), EBADMSG, "docker sent an answer that is not JSON"},
	{"half of it", NULL, OK("{\"Id\":\"" ID), EBADMSG,
	 "docker sent an answer that is not JSON"},
	{"deep",
	 NULL,
	 {.status = "200 OK", .body = "[", .repeat = 100000},
	 EBADMSG,
	 "docker sent an answer that is not JSON"},
	{"a list", NULL, OK("[]"), EBADMSG, "docker sent an invalid answer: a container's Id"},
	{"no Id", NULL, OK("{}"), EBADMSG, "docker sent an invalid answer: a container's Id"},
	{"an Id that leads elsewhere", NULL, OK("{\"Id\":\"../../../../version\"}"), EBADMSG,
	 "docker sent an invalid answer: a container's Id"},
	{"no State", NULL, OK("{\"Id\":\"" ID "\"}"), EBADMSG,
	 "docker sent an invalid answer: a container's State"},
	{"Pid as text", NULL, OK(CONTAINER("\"1\"", "true")), EBADMSG,
	 "docker sent an invalid answer: a container's State"},
	{"Pid below zero", NULL, OK(CONTAINER("-1", "true")), EBADMSG,
	 "docker sent an invalid answer: a container's State"},
	{"Pid too large", NULL, OK(CONTAINER("4294967297", "true")), EBADMSG,
	 "docker sent an invalid answer: a container's State"},
	{"Pid as a fraction", NULL, OK(CONTAINER("1.5", "true")), EBADMSG,
	 "docker sent an invalid answer: a container's State"},
	{"Running as a number", NULL, OK(CONTAINER("1", "1")), EBADMSG,
	 "docker sent an invalid answer: a container's State"},
	{"NetworkMode as a list", NULL,
	 OK("{\"Id\":\"" ID "\",\"HostConfig\":{\"NetworkMode\":[]}," STATE("1", "true") "}"),
	 EBADMSG, "docker sent an invalid answer: a container's HostConfig"},
	{"SandboxKey as a number", NULL,
	 OK("{\"Id\":\"" ID "\",\"NetworkSettings\":{\"SandboxKey\":1}," STATE("1", "true") "}"),
	 EBADMSG, "docker sent an invalid answer: a container's NetworkSettings"},
	{"oversized",
	 NULL,
	 {.status = "200 OK",
	  .body = "[\"0123456789abcdef0123456789abcdef0123456789abcdef\"],",
	  .repeat = 200000},
	 EMSGSIZE,
	 "docker sent an answer of more than 8 MiB"},
	{"ends in the middle",
	 NULL,
	 {.status = "200 OK", .body = CONTAINER("4711", "true"), .cut = 20},
	 EHOSTDOWN,
	 "docker cannot be reached at %s: it closed the connection in the middle of an answer"},
	{"ends at once",
	 NULL,
	 {.raw = ""},
	 EHOSTDOWN,
	 "docker cannot be reached at %s: it closed the connection in the middle of an answer"},
	{"not HTTP", NULL, {.raw = "SSH-2.0-OpenSSH_9.2\r\n"}, EPROTO, NULL},
	{"a head without end", NULL, {.raw = "HTTP/1.1 200 OK\r\nA: b"}, EBADMSG, NULL},
	/* --- NULs, which Go's JSON can have in any text */
	{"a NUL in a label", NULL,
	 OK(NAMED("/my-db", "\"Config\":{\"Labels\":{\"a\":\"b\\u0000c\"}}," STATE("1", "true"))),
	 0, "1 own "},
	{"a NUL in a label's key", NULL,
	 OK(NAMED("/my-db",
		  "\"Config\":{\"Labels\":{\"a\\u0000b\":\"\\u0000\"}}," STATE("1", "true"))),
	 0, "1 own "},
	{"a backslash before what looks like a NUL", NULL,
	 OK(NAMED("/my-db",
		  "\"NetworkSettings\":{\"SandboxKey\":\"/\\\\u0000\"}," STATE("1", "true"))),
	 0, "1 own /\\u0000"},
	{"a NUL in a name", NULL, OK(NAMED("/my-db\\u0000x", STATE("1", "true"))), ENOENT,
	 "docker has no container \"my-db\" yet"},
	{"a NUL in an Id", NULL,
	 OK("{\"Id\":\"" ID "\\u0000\",\"Name\":\"/my-db\"," STATE("1", "true") "}"), EBADMSG,
	 "docker sent an invalid answer: a container's Id"},
	{"a NUL in a mode", NULL,
	 OK(NAMED("/my-db",
		  "\"HostConfig\":{\"NetworkMode\":\"host\\u0000\"}," STATE("1", "true"))),
	 0, "1 own "},
	/* --- bytes that are not UTF-8, and half a character of UTF-16 */
	{"an invalid byte in a label", NULL,
	 OK(NAMED("/my-db",
		  "\"Config\":{\"Labels\":{\"a\":\"b\xff\",\"\xc3\":\"\xe2\x82\"}}," STATE(
			  "1", "true"))),
	 0, "1 own "},
	{"half a surrogate pair in a label", NULL,
	 OK(NAMED("/my-db", "\"Config\":{\"Labels\":{\"a\":\"\\ud800\",\"b\":\"\\udc00\\ud800\","
			    "\"c\":\"\\ud83d\\ude00\\u0000\"}}," STATE("1", "true"))),
	 0, "1 own "},
	{"an invalid byte in a name", NULL, OK(NAMED("/my-db\xff", STATE("1", "true"))), ENOENT,
	 "docker has no container \"my-db\" yet"},
	{"half a surrogate pair in a name", NULL, OK(NAMED("/my-db\\ud800", STATE("1", "true"))),
	 ENOENT, "docker has no container \"my-db\" yet"},
	{"an escape that is cut", NULL, OK("{\"Id\":\"\\ud8"), EBADMSG,
	 "docker sent an answer that is not JSON"},
	/* --- Compose */
	{"service whose list is of containers that are being removed",
	 "shop/web",
	 {.status = "500 Internal Server Error",
	  .body = "{\"cause\":\"no such container\",\"message\":\"container x does not exist\"}"},
	 EHOSTDOWN,
	 "docker: container x does not exist"},
	{"service whose labels have NULs", "shop/web",
	 OK("[{\"Id\":\"" ID "\",\"State\":\"running\",\"Labels\":{\"com.docker.compose.project\":"
	    "\"shop\\u0000\",\"com.docker.compose.service\":\"web\"}},"
	    "{\"Id\":\"" ID
	    "\",\"State\":\"running\",\"Labels\":{\"com.docker.compose.project\\u0000\":"
	    "\"shop\",\"com.docker.compose.service\":\"web\"}}]"),
	 ENOENT, "docker has no container of Compose service \"shop/web\" yet"},
	{"service absent", "shop/web", OK("[]"), ENOENT,
	 "docker has no container of Compose service \"shop/web\" yet"},
	{"service of another project", "shop/web",
	 OK("[{\"Id\":\"" ID "\",\"State\":\"running\",\"Labels\":{\"com.docker.compose.project\":"
	    "\"shop2\",\"com.docker.compose.service\":\"web\"}}]"),
	 ENOENT, "docker has no container of Compose service \"shop/web\" yet"},
	{"service run once", "shop/web",
	 OK("[{\"Id\":\"" ID "\",\"State\":\"running\",\"Labels\":{\"com.docker.compose.project\":"
	    "\"shop\",\"com.docker.compose.service\":\"web\",\"com.docker.compose.oneoff\":"
	    "\"True\"}}]"),
	 ENOENT, "docker has no container of Compose service \"shop/web\" yet"},
	{"service of two projects, and Docker's word counts", "shop/web",
	 OK("[{\"Id\":\"" ID "\",\"State\":\"running\",\"Labels\":{\"com.docker.compose.project\":"
	    "\"shop2\",\"io.podman.compose.project\":\"shop\",\"com.docker.compose.service\":"
	    "\"web\"}}]"),
	 ENOENT, "docker has no container of Compose service \"shop/web\" yet"},
	{"service of a name that goes on", "shop/web",
	 OK("[{\"Id\":\"" ID "\",\"State\":\"running\",\"Labels\":{\"com.docker.compose.project\":"
	    "\"shop\",\"com.docker.compose.service\":\"web-2\"}}]"),
	 ENOENT, "docker has no container of Compose service \"shop/web\" yet"},
	{"service in several", "shop/web",
	 OK("[{\"Id\":\"" ID "\",\"State\":\"running\",\"Names\":[\"/shop-web-1\"],\"Labels\":{"
	    "\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\"}},"
	    "{\"Id\":\"" OTHER "\",\"State\":\"running\",\"Names\":[\"/\\u001b\"],\"Labels\":{"
	    "\"io.podman.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\"}}]"),
	 ENOTUNIQ, "Compose service \"shop/web\" runs as 2 containers: shop-web-1, " OTHER},
	{"services are no list", "shop/web", OK("{}"), EBADMSG,
	 "docker sent an invalid answer: a list of containers"},
	{"services without Id", "shop/web", OK("[{\"State\":\"running\"}]"), EBADMSG,
	 "docker sent an invalid answer: a list of containers"},
	{"services that are numbers", "shop/web", OK("[1]"), EBADMSG,
	 "docker sent an invalid answer: a list of containers"},
};

static const char *with_path(const char *text, char out[600])
{
	const char *tag = strstr(text, "%s");
	snprintf(out, 600, "%.*s%s%s", tag ? (int)(tag - text) : (int)strlen(text), text,
		 tag ? fake.path : "", tag ? tag + 2 : "");
	return out;
}

/* Inspects once; returns the result as text. */
static int request_inspect(struct engines *engines, enum source_kind kind, const char *name,
			   char found[600], struct error *error)
{
	struct arena *arena = arena_new();
	struct engine_container container;
	int status = engine_inspect(engines, kind, name, arena, &container, error);
	if (status == 0)
		snprintf(found, 600, "%d %s %.300s", container.pid,
			 container.host_network ? "host" : "own", container.sandbox);
	else
		snprintf(found, 600, "%s", error->text);
	arena_free(arena);
	return status;
}

static void test_inspect(void **state)
{
	const struct inspection *row = *state;
	char expected[600], found[600];
	struct engines *engines = engines_new(NULL);
	struct error error;
	fake_begin(&row->reply, 1);
	int status = request_inspect(engines, SOURCE_DOCKER,
				     row->container ? row->container : "my-db", found, &error);
	assert_int_equal(-status, row->errnum);
	if (row->expected)
		assert_string_equal(found, with_path(row->expected, expected));
	engines_free(engines);
	fake_end();
}

/* Each answer is attributed to the user of the process at its connection. */
static void test_connection_each(void **state)
{
	(void)state;
	static const struct reply replies[] = {OK(CONTAINER("1", "true"))};
	char found[600];
	struct engines *engines = engines_new(NULL);
	struct error error;
	fake_begin(replies, 1);
	for (int i = 0; i < 50; i++)
		assert_int_equal(request_inspect(engines, SOURCE_DOCKER, "my-db", found, &error),
				 0);
	assert_int_equal(fake.connections, 50);
	assert_int_equal(fake.requested, 50);
	engines_free(engines);
	fake_end();
}

static void test_names_are_encoded(void **state)
{
	(void)state;
	static const struct reply replies[] = {OK(CONTAINER("1", "true"))};
	char found[600];
	struct engines *engines = engines_new(NULL);
	struct error error;
	fake_begin(replies, 1);
	assert_int_equal(
		request_inspect(engines, SOURCE_DOCKER, "a?b#c%d\xc3\xa4&e", found, &error),
		-ENOENT);
	assert_ptr_equal(
		strstr(fake.last, "GET /containers/a%3Fb%23c%25d%C3%A4%26e/json HTTP/1.1\r\n"),
		fake.last);
	assert_int_equal(request_inspect(engines, SOURCE_DOCKER, "..", found, &error), -ENOENT);
	assert_ptr_equal(strstr(fake.last, "GET /containers/../json HTTP/1.1\r\n"), fake.last);
	engines_free(engines);
	fake_end();
}

/* Docker does not report which of several containers it means by the beginning of an id. */
static void test_ambiguous(void **state)
{
	(void)state;
#define REFUSED                                                                                    \
	{                                                                                          \
		.status = "500 Internal Server Error",                                             \
		.body = "{\"message\":\"Multiple IDs found with provided prefix: 0\"}"             \
	}
#define IDS(one, other) OK("[{\"Id\":\"" one "\"},{\"Id\":\"" other "\"},{\"Id\":7}]")
	static const struct {
		struct reply replies[2];
		const char *name;
		int errnum;
		size_t requested;
	} rows[] = {
		{{REFUSED, IDS(ID, ID)}, "0", ENOENT, 2},
		{{REFUSED, IDS(ID, ID)}, "0123456789a", ENOENT, 2},
		{{REFUSED, IDS(ID, OTHER)}, "0", EBADMSG, 2},
		{{REFUSED, REFUSED}, "0", EBADMSG, 2},
		{{REFUSED, OK("{}")}, "0", EBADMSG, 2},
		{{REFUSED, IDS(ID, ID)}, "my-db", EBADMSG, 1},
		{{REFUSED, IDS(ID, ID)}, "0123456789ab", EBADMSG, 1},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char found[600];
		struct engines *engines = engines_new(NULL);
		struct error error;
		fake_begin(rows[i].replies, 2);
		assert_int_equal(
			request_inspect(engines, SOURCE_DOCKER, rows[i].name, found, &error),
			-rows[i].errnum);
		assert_int_equal(fake.requested, rows[i].requested);
		engines_free(engines);
		fake_end();
	}
}

/* Podman answers with status 500 for a container that it is removing; `cause` identifies the
 * error. */
static void test_removed(void **state)
{
	(void)state;
#define FAILED(cause)                                                                              \
	{                                                                                          \
		.status = "500 Internal Server Error",                                             \
		.body = "{\"cause\":" cause ",\"message\":\"container " ID                         \
			" does not exist in database: no such container\",\"response\":500}"       \
	}
	static const struct {
		struct reply reply;
		enum source_kind kind;
		int errnum;
	} rows[] = {
		{FAILED("\"no such container\""), SOURCE_PODMAN, ENOENT},
		{FAILED("\"container has already been removed\""), SOURCE_PODMAN, ENOENT},
		{FAILED("\"no such container\\u0000\""), SOURCE_PODMAN, EBADMSG},
		{FAILED("\"database is locked\""), SOURCE_PODMAN, EBADMSG},
		{FAILED("7"), SOURCE_PODMAN, EBADMSG},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char found[600];
		struct engines *engines = engines_new(NULL);
		struct error error;
		fake_begin(&rows[i].reply, 1);
		assert_int_equal(request_inspect(engines, rows[i].kind, "my-db", found, &error),
				 -rows[i].errnum);
		if (rows[i].errnum == ENOENT)
			assert_string_equal(found, "podman has no container \"my-db\" yet");
		engines_free(engines);
		fake_end();
	}
}

/* The running one is chosen, and inspected by its id. */
static void test_service(void **state)
{
	(void)state;
#define MEMBER(id, state)                                                                          \
	"{\"Id\":\"" id "\",\"State\":\"" state "\",\"Names\":[\"/x\"],\"Labels\":{"               \
	"\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\"}}"
	static const struct reply replies[] = {
		OK("[" MEMBER(OTHER, "exited") "," MEMBER(ID, "running") "]"),
		OK(CONTAINER("77", "true")),
		OK("[" MEMBER(ID, "created") "," MEMBER(OTHER, "exited") "]"),
		OK(CONTAINER("0", "false")),
	};
	char found[600];
	struct engines *engines = engines_new(NULL);
	struct error error;
	fake_begin(replies, 4);
	assert_int_equal(request_inspect(engines, SOURCE_DOCKER, "shop/web", found, &error), 0);
	assert_string_equal(found, "77 own ");
	assert_ptr_equal(strstr(fake.last, "GET /containers/" ID "/json HTTP/1.1\r\n"), fake.last);
	assert_int_equal(request_inspect(engines, SOURCE_DOCKER, "shop/web", found, &error), 0);
	assert_string_equal(found, "0 own ");
	engines_free(engines);
	fake_end();
}

static void expect_down(const char *variable, const char *expected)
{
	char found[600], text[600];
	struct engines *engines = engines_new(NULL);
	struct error error;
	if (variable)
		setenv("DOCKER_HOST", variable, 1);
	for (int i = 0; i < 2; i++) {
		assert_true(request_inspect(engines, SOURCE_DOCKER, "my-db", found, &error) < 0);
		assert_string_equal(found, with_path(expected, text));
		assert_int_not_equal(error.hint[0], 0);
	}
	engines_free(engines);
}

static void test_down(void **state)
{
	(void)state;
	fake_begin(NULL, 0);
	expect_down(NULL, "docker cannot be reached at %s: No such file or directory");
	FILE *file = fopen(fake.path, "w");
	assert_non_null(file);
	fclose(file);
	expect_down(NULL, "docker cannot be reached at %s: Connection refused");
	unlink(fake.path);
	expect_down(
		"tcp://10.0.0.1:2375",
		"DOCKER_HOST is \"tcp://10.0.0.1:2375\", which is not an engine on this machine");
	expect_down("ssh://me@there",
		    "DOCKER_HOST is \"ssh://me@there\", which is not an engine on this machine");
	expect_down("unix://relative",
		    "DOCKER_HOST is \"unix://relative\", which is not an engine on this machine");
	fake_end();
}

/* An engine that disappeared is not tried again for each container, and its successor in the next
 * observation. */
static void test_down_is_remembered(void **state)
{
	(void)state;
	static const struct reply replies[] = {{.raw = ""}};
	char found[600];
	struct engines *engines = engines_new(NULL);
	struct error error;
	fake_begin(replies, 1);
	for (int i = 0; i < 10; i++)
		assert_int_equal(request_inspect(engines, SOURCE_DOCKER, "my-db", found, &error),
				 -EHOSTDOWN);
	assert_true(fake.requested <= 2);
	engines_free(engines);
	fake_end();
}

static void test_slow(void **state)
{
	(void)state;
	static const struct reply replies[] = {
		{.status = "200 OK", .body = CONTAINER("1", "true"), .split = 1, .pause_ms = 50}};
	char found[600], text[600];
	struct timespec before, after;
	struct engines *engines = engines_new(NULL);
	struct error error;
	fake_begin(replies, 1);
	engine_patience = 2000;
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(request_inspect(engines, SOURCE_DOCKER, "my-db", found, &error),
			 -EHOSTDOWN);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_string_equal(found,
			    with_path("docker cannot be reached at %s: no answer in time", text));
	assert_between(after.tv_sec - before.tv_sec, 1, 3);
	engines_free(engines);
	fake_end();
}

/* --- events */

struct listener {
	struct engine_events *events;
	int epoll;
	int64_t due; /* -1: no timer */
	unsigned watched;
	char log[4096]; /* the reported results, a line each */
	unsigned ends;  /* the number of disconnections */
	unsigned wakeups;
};

static int64_t clock_ms(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void listener_watch(void *data, int fd, uint32_t flags)
{
	struct listener *listener = data;
	struct epoll_event event = {.events = flags, .data.fd = fd};
	if (!flags) {
		epoll_ctl(listener->epoll, EPOLL_CTL_DEL, fd, NULL);
		listener->watched--;
	} else if (epoll_ctl(listener->epoll, EPOLL_CTL_MOD, fd, &event) < 0) {
		assert_int_equal(epoll_ctl(listener->epoll, EPOLL_CTL_ADD, fd, &event), 0);
		listener->watched++;
	}
}

static void listener_timer(void *data, long milliseconds)
{
	struct listener *listener = data;
	listener->due = milliseconds < 0 ? -1 : clock_ms() + milliseconds;
}

__attribute__((format(printf, 2, 3))) static void say(struct listener *listener, const char *format,
						      ...)
{
	size_t used = strlen(listener->log);
	va_list args;
	va_start(args, format);
	vsnprintf(listener->log + used, sizeof(listener->log) - used, format, args);
	va_end(args);
}

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static void listener_event(void *data, const struct engine_event *event)
{
	static const char *const names[] = {"start", "die", "restart", "rename", "destroy"};
	say(data, "%s %.4s %s %s %s/%s\n", names[event->action], event->id, or_none(event->name),
	    or_none(event->old_name), or_none(event->project), or_none(event->service));
}

static void listener_state(void *data, const struct error *failure)
{
	struct listener *listener = data;
	say(listener, "%s\n", failure ? failure->text : "connected");
	listener->ends += failure != NULL;
	assert_true(!failure ||
		    (failure->code >= CODE_ENGINE_SILENT && failure->code <= CODE_ENGINE_LIBRARY));
}

static void listener_lost(void *data)
{
	say(data, "lost\n");
}

static void listener_begin(struct listener *listener)
{
	const struct engine_events_owner owner = {.data = listener,
						  .watch = listener_watch,
						  .timer = listener_timer,
						  .event = listener_event,
						  .lost = listener_lost,
						  .state = listener_state};
	*listener = (struct listener){.epoll = epoll_create1(EPOLL_CLOEXEC), .due = -1};
	listener->events = engine_events_new(SOURCE_DOCKER, &owner);
}

static void listener_end(struct listener *listener)
{
	engine_events_free(listener->events);
	assert_int_equal(listener->watched, 0);
	assert_int_equal(listener->due, -1);
	close(listener->epoll);
}

/* Runs until the log has that many lines, or nothing is pending, or the time is up. */
static void listener_run(struct listener *listener, unsigned lines, int milliseconds)
{
	const int64_t end = clock_ms() + milliseconds;
	for (;;) {
		struct epoll_event event;
		unsigned current = 0;
		for (const char *at = listener->log; *at; at++)
			current += *at == '\n';
		int64_t now = clock_ms(), until = end;
		if (current >= lines || now >= end)
			return;
		if (listener->due >= 0 && listener->due < until)
			until = listener->due;
		int ready = epoll_wait(listener->epoll, &event, 1,
				       until > now ? (int)(until - now) : 0);
		if (ready > 0) {
			engine_events_ready(listener->events, event.data.fd, event.events);
		} else if (listener->due >= 0 && clock_ms() >= listener->due) {
			listener->due = -1;
			engine_events_timeout(listener->events);
		} else {
			continue;
		}
		listener->wakeups++;
	}
}

/* The events that concern the container of a source. */
static void test_concerns(void **state)
{
	(void)state;
	static const struct {
		const char *source, *id; /* of the container that was found */
		struct engine_event event;
		bool expected;
	} rows[] = {
		{"my-db", NULL, {.id = ID, .name = "my-db"}, true},
		{"my-db", NULL, {.id = ID, .name = "my-db2"}, false},
		{"my-db", NULL, {.id = ID, .name = "my-d"}, false},
		{"my-db", NULL, {.id = ID, .name = "MY-DB"}, false},
		{"my-db", NULL, {.id = ID}, false},
		{"my-db", NULL, {.id = ID, .name = "new", .old_name = "my-db"}, true},
		{"my-db", ID, {.id = ID, .name = "new"}, true},
		{"my-db", OTHER, {.id = ID, .name = "new"}, false},
		{"0", NULL, {.id = ID, .name = "stranger"}, false},
		{"0123456789a", NULL, {.id = ID, .name = "stranger"}, false},
		{"0123456789ab", NULL, {.id = ID, .name = "stranger"}, true},
		{"0123456789AB", NULL, {.id = ID, .name = "stranger"}, false},
		{"0123456789abx", NULL, {.id = ID, .name = "stranger"}, false},
		{"0123456789ab", NULL, {.id = OTHER, .name = "0123456789ab"}, true},
		{ID, NULL, {.id = ID}, true},
		{ID "0", NULL, {.id = ID}, false},
		{"shop/web", NULL, {.id = ID, .project = "shop", .service = "web"}, true},
		{"shop/web", NULL, {.id = ID, .project = "shop", .service = "web2"}, false},
		{"shop/web", NULL, {.id = ID, .project = "sho", .service = "p/web"}, false},
		{"shop/web", NULL, {.id = ID, .project = "shop"}, false},
		{"/web", NULL, {.id = ID, .project = "", .service = "web"}, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct engine_event event = rows[i].event;
		assert_int_equal(engine_event_concerns(&event, rows[i].source, rows[i].id),
				 rows[i].expected);
	}
}

struct streaming {
	const char *name;
	struct reply reply;
	unsigned lines; /* the expected number of lines */
	const char *expected;
};

#define EVENT(action, attributes)                                                                  \
	"{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" ID                \
	"\",\"Attributes\":{" attributes "}}}\n"
#define STREAM(text)                                                                               \
	{                                                                                          \
		.status = "200 OK", .body = (text), .stream = true                                 \
	}

static const struct streaming streamings[] = {
	{"each action",
	 STREAM(EVENT("start", "\"name\":\"a\"") EVENT("die", "") EVENT("died", "")
			EVENT("restart", "") EVENT("destroy", "") EVENT("remove", "")
				EVENT("rename", "\"name\":\"new\",\"oldName\":\"/old\"")),
	 8,
	 "connected\nstart 0123 a - -/-\ndie 0123 - - -/-\ndie 0123 - - -/-\nrestart 0123 - - "
	 "-/-\ndestroy 0123 - - -/-\ndestroy 0123 - - -/-\nrename 0123 new old -/-\n"},
	{"what is of no interest",
	 STREAM(EVENT("exec_start: sh", "") EVENT(
		 "pause", "") "\n"
			      "{\"Type\":\"network\",\"Action\":\"connect\"}\n" EVENT("start", "")),
	 2, "connected\nstart 0123 - - -/-\n"},
	{"Compose",
	 STREAM(EVENT("start", "\"com.docker.compose.project\":\"shop\","
			       "\"com.docker.compose.service\":\"web\"")
			EVENT("start", "\"io.podman.compose.project\":\"shop\"")),
	 3, "connected\nstart 0123 - - shop/web\nstart 0123 - - shop/-\n"},
	{"byte by byte",
	 {.status = "200 OK",
	  .body = EVENT("start", "\"name\":\"a\"") EVENT("die", ""),
	  .stream = true,
	  .split = 1},
	 3,
	 "connected\nstart 0123 a - -/-\ndie 0123 - - -/-\n"},
	{"odd attributes",
	 STREAM("{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID
		"\",\"Attributes\":[1]}}\n" EVENT("start", "\"name\":7,\"oldName\":{}")),
	 3, "connected\ndie 0123 - - -/-\nstart 0123 - - -/-\n"},
	{"NULs",
	 STREAM(EVENT("start", "\"name\":\"a\",\"b\\u0000c\":\"d\\u0000e\"")
			EVENT("die", "\"name\":\"a\\u0000\"")),
	 3, "connected\nstart 0123 a - -/-\ndie 0123 a\xef\xbf\xbd - -/-\n"},
	{"not UTF-8, and half a surrogate pair",
	 STREAM(EVENT("start", "\"name\":\"a\",\"b\":\"\xff\xc3\"")
			EVENT("die", "\"name\":\"a\\ud800\"") EVENT("die", "\"\xe2\x82\":\"\"")),
	 4, "connected\nstart 0123 a - -/-\ndie 0123 a\xef\xbf\xbd - -/-\ndie 0123 - - -/-\n"},
	{"malformed", STREAM(EVENT("start", "") "{\"Type\":\n" EVENT("die", "")), 3,
	 "connected\nstart 0123 - - -/-\ndocker sent an invalid event\n"},
	{"without an id", STREAM("{\"Type\":\"container\",\"Action\":\"die\"}\n"), 2,
	 "connected\ndocker sent an invalid event\n"},
	{"numbers", STREAM("{\"Type\":1,\"Action\":2}\n"), 2,
	 "connected\ndocker sent an invalid event\n"},
	{"an event without end",
	 {.status = "200 OK",
	  .body = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  .stream = true,
	  .repeat = 50000},
	 2,
	 "connected\nlost\n"},
	{"truncated",
	 {.status = "200 OK",
	  .body = EVENT("start", "") "{\"Ty",
	  .stream = true,
	  .split = 1000,
	  .cut = 10000},
	 3,
	 "connected\nstart 0123 - - -/-\ndocker cannot be reached at %s: it closed the connection "
	 "in the middle of an answer\n"},
	{"ended",
	 {.status = "200 OK", .body = EVENT("start", ""), .stream = true, .ends = true},
	 3,
	 "connected\nstart 0123 - - -/-\ndocker closed the stream of events\n"},
	{"500",
	 {.status = "500 Internal Server Error", .body = "{\"message\":\"x\"}"},
	 1,
	 "docker refuses the stream of events with status 500\n"},
	{"gone before the answer",
	 {.raw = ""},
	 1,
	 "docker cannot be reached at %s: it closed the connection in the middle of an answer\n"},
};

static void test_stream(void **state)
{
	const struct streaming *row = *state;
	struct listener listener;
	char expected[600];
	fake_begin(&row->reply, 1);
	listener_begin(&listener);
	engine_events_connect(listener.events);
	assert_string_equal(listener.log, "");
	listener_run(&listener, row->lines, 10000);
	assert_string_equal(listener.log, with_path(row->expected, expected));
	listener_end(&listener);
	fake_end();
}

/* One that is too long, reported at its beginning only; later ones arrive. */
static void test_stream_long(void **state)
{
	(void)state;
	const size_t size = 5 << 20;
	static const char after[] = "\"\n" EVENT("start", "");
	char *body = malloc(size + sizeof(after));
	assert_non_null(body);
	memset(body, 'a', size);
	body[0] = '"';
	memcpy(body + size, after, sizeof(after));
	const struct reply reply = {
		.status = "200 OK", .body = body, .stream = true, .split = 60000};
	struct listener listener;
	fake_begin(&reply, 1);
	listener_begin(&listener);
	engine_events_connect(listener.events);
	listener_run(&listener, 3, 10000);
	assert_string_equal(listener.log, "connected\nlost\nstart 0123 - - -/-\n");
	listener_end(&listener);
	fake_end();
	free(body);
}

static void test_stream_request(void **state)
{
	(void)state;
	static const struct reply replies[] = {STREAM("\n")};
	struct listener listener;
	fake_begin(replies, 1);
	listener_begin(&listener);
	engine_events_connect(listener.events);
	listener_run(&listener, 1, 5000);
	assert_ptr_equal(strstr(fake.last, "GET /events?since="), fake.last);
	assert_non_null(strstr(fake.last, "&filters=%7B%22type%22%3A%5B%22container%22%5D"));
	listener_end(&listener);
	fake_end();
}

/* There is no wake-up while nothing happens. */
static void test_stream_idle(void **state)
{
	(void)state;
	static const struct reply replies[] = {STREAM("\n")};
	struct listener listener;
	fake_begin(replies, 1);
	listener_begin(&listener);
	engine_events_connect(listener.events);
	listener_run(&listener, 1, 5000);
	assert_string_equal(listener.log, "connected\n");
	listener_run(&listener, 2, 3000); /* the time limit for connecting is over */
	listener.wakeups = 0;
	listener_run(&listener, 2, 2000);
	assert_int_equal(listener.wakeups, 0);
	assert_int_equal(listener.due, -1);
	listener_end(&listener);
	fake_end();
}

static void test_stream_down_and_up(void **state)
{
	(void)state;
	static const struct reply replies[] = {STREAM(EVENT("start", ""))};
	struct listener listener;
	char expected[600];
	fake_begin(NULL, 0);
	listener_begin(&listener);
	engine_events_connect(listener.events);
	assert_string_equal(listener.log, "");
	listener_run(&listener, 1, 5000);
	assert_string_equal(
		listener.log,
		with_path("docker cannot be reached at %s: No such file or directory\n", expected));
	assert_int_equal(listener.watched, 0);
	assert_int_equal(listener.due, -1);
	setenv("DOCKER_HOST", "tcp://10.0.0.1:1", 1);
	listener.log[0] = '\0';
	engine_events_connect(listener.events);
	listener_run(&listener, 1, 5000);
	assert_string_equal(
		listener.log,
		"DOCKER_HOST is \"tcp://10.0.0.1:1\", which is not an engine on this machine\n");
	fake_end();
	fake_begin(replies, 1);
	listener.log[0] = '\0';
	for (int i = 0; i < 3; i++) /* repeatedly: each closes the previous one */
		engine_events_connect(listener.events);
	listener_run(&listener, 2, 5000);
	assert_string_equal(listener.log, "connected\nstart 0123 - - -/-\n");
	listener_end(&listener);
	fake_end();
}

static void test_stream_silent(void **state)
{
	(void)state;
	static const struct reply replies[] = {{.silent = true}};
	struct listener listener;
	char expected[600];
	fake_begin(replies, 1);
	listener_begin(&listener);
	engine_patience = 1000;
	engine_events_connect(listener.events);
	listener_run(&listener, 1, 13000);
	assert_string_equal(
		listener.log,
		with_path("docker cannot be reached at %s: no answer in time\n", expected));
	listener_end(&listener);
	fake_end();
}

static const struct CMUnitTest others[] = {
	cmocka_unit_test(test_connection_each),    cmocka_unit_test(test_names_are_encoded),
	cmocka_unit_test(test_ambiguous),          cmocka_unit_test(test_removed),
	cmocka_unit_test(test_stream_long),        cmocka_unit_test(test_service),
	cmocka_unit_test(test_concerns),           cmocka_unit_test(test_down),
	cmocka_unit_test(test_down_is_remembered), cmocka_unit_test(test_slow),
	cmocka_unit_test(test_stream_request),     cmocka_unit_test(test_stream_idle),
	cmocka_unit_test(test_stream_down_and_up), cmocka_unit_test(test_stream_silent),
};

enum {
	N_INSPECTIONS = sizeof(inspections) / sizeof(inspections[0]),
	N_STREAMINGS = sizeof(streamings) / sizeof(streamings[0]),
	N_OTHERS = sizeof(others) / sizeof(others[0]),
};

int main(void)
{
	struct CMUnitTest tests[N_INSPECTIONS + N_STREAMINGS + N_OTHERS], *test = tests;
	for (size_t i = 0; i < N_INSPECTIONS; i++)
		*test++ = (struct CMUnitTest){.name = inspections[i].name,
					      .test_func = test_inspect,
					      .initial_state = (void *)(uintptr_t)&inspections[i]};
	for (size_t i = 0; i < N_STREAMINGS; i++)
		*test++ = (struct CMUnitTest){.name = streamings[i].name,
					      .test_func = test_stream,
					      .initial_state = (void *)(uintptr_t)&streamings[i]};
	memcpy(test, others, sizeof(others));
	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
