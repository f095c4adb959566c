#include "engine/http.h"

#include "base/memory.h"
#include "schema/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_MILLISECONDS 2000L
#define ANSWER_MAX           ((size_t)8 << 20)
#define SCHEME               "unix://"

static const struct engine_kind {
	const char *variable;
	const char *sockets[2]; /* the first that is there */
} kinds[] = {
	[SOURCE_DOCKER] = {"DOCKER_HOST", {"/run/docker.sock", "/var/run/docker.sock"}},
	[SOURCE_PODMAN] = {"CONTAINER_HOST",
			   {"/run/podman/podman.sock", "/var/run/podman/podman.sock"}},
};

long engine_patience = 10000;

struct engine_http {
	enum source_kind kind;
	CURL *curl; /* NULL: not asked yet */
	bool broken;
	struct error why; /* when broken */
};

struct answer {
	char *bytes;
	size_t size, room;
	bool too_long;
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
		return unreachable(kind, "it does not answer in time", error);
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

struct engine_http *engine_http_new(enum source_kind kind)
{
	struct engine_http *http = memory_new(1, sizeof(*http));
	http->kind = kind;
	return http;
}

void engine_http_free(struct engine_http *http)
{
	if (!http)
		return;
	if (http->curl)
		libcurl.easy_cleanup(http->curl);
	free(http);
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
	const char *message = json_string_value(json_object_get(json, "message"));
	snprintf(text, 200, "%s", message ? message : "it does not say why");
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
			*at = '?';
}

static int answer_check(struct engine_http *http, const struct answer *answer, json_t **ret_json,
			struct error *error)
{
	const char *name = source_kind_name(http->kind);
	char message[200];
	long status = 0;
	libcurl.easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
	json_t *json = answer->size ? json_loadb(answer->bytes, answer->size, 0, NULL) : NULL;
	if (json && status == 200) {
		*ret_json = json;
		return 0;
	}
	message_copy(json, message);
	bool absent = status == 404 && json_is_string(json_object_get(json, "message"));
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

static int perform(struct engine_http *http, const char *path, struct answer *answer,
		   struct error *error)
{
	char url[2048];
	CURL *curl = http->curl;
	if (snprintf(url, sizeof(url), "http://localhost%s", path) >= (int)sizeof(url))
		return error_set(error, ENAMETOOLONG, "what %s would be asked is too long",
				 source_kind_name(http->kind));
	libcurl.easy_setopt(curl, CURLOPT_URL, url);
	libcurl.easy_setopt(curl, CURLOPT_TIMEOUT_MS, engine_patience);
	libcurl.easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_take);
	libcurl.easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	CURLcode code = libcurl.easy_perform(curl);
	if (!answer->too_long)
		return code == CURLE_OK ? 0 : engine_handle_failed(http->kind, curl, code, error);
	error_set(error, EMSGSIZE, "%s answers with more than %zu MiB",
		  source_kind_name(http->kind), ANSWER_MAX >> 20);
	return error_code(error, CODE_ENGINE_ANSWER);
}

int engine_http_get(struct engine_http *http, const char *path, json_t **ret_json,
		    struct error *error)
{
	struct answer answer = {0};
	if (http->broken) {
		*error = http->why;
		return -error->errnum;
	}
	if (!http->curl && !(http->curl = engine_handle_new(http->kind, error)))
		return -error->errnum;
	int status = perform(http, path, &answer, error);
	if (status == 0)
		status = answer_check(http, &answer, ret_json, error);
	free(answer.bytes);
	if (status == -EHOSTDOWN || status == -EACCES) {
		http->broken = true;
		http->why = *error;
	}
	return status;
}
