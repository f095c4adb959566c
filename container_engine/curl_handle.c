#include "container_engine/curl_handle.h"

#include "container_engine/socket_path.h"
#include "lib/memory.h"
#include "schema/words.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>

#define CONNECT_MILLISECONDS 2000L

CURL *engine_handle_new(enum source_kind kind, struct error *error)
{
	const char *path;
	if (libcurl_load(error) < 0 || engine_socket_path(kind, &path, error) < 0)
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
	(void)engine_socket_path(kind, &path, &ignored);
	error_set(error, EHOSTDOWN, "%s cannot be reached at %s: %s", name, path, reason);
	error_hint(error,
		   kind == SOURCE_DOCKER
			   ? "start it (systemctl start docker), or set DOCKER_HOST to its socket"
			   : "start its service (systemctl start podman.socket), or set "
			     "CONTAINER_HOST to its socket");
	return error_code(error, CODE_ENGINE_SILENT);
}

/* The engine runs, so the hint does not suggest starting it. */
int engine_too_late(enum source_kind kind, struct error *error)
{
	unreachable(kind, "no answer in time", error);
	error_hint(error,
		   kind == SOURCE_DOCKER
			   ? "check that `docker ps` answers; if it does not, restart the engine "
			     "(systemctl restart docker)"
			   : "check that `podman --remote ps` answers; if it does not, restart its "
			     "service (systemctl restart podman)");
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
		return engine_too_late(kind, error);
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return unreachable(kind, "it closed the connection in the middle of an answer",
				   error);
	default:
		error_set(error, EPROTO, "%s sent an invalid HTTP answer: %s",
			  source_kind_name(kind), libcurl.easy_strerror(code));
		return error_code(error, CODE_ENGINE_ANSWER);
	}
}
