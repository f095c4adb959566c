#include "container_engine/libcurl.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct libcurl libcurl;

static bool loaded;

/* Builds of the same interface with different TLS libraries; a unix socket needs no TLS. */
static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

static const struct {
	const char *name;
	void **function;
} symbols[] = {
	{"curl_global_init", (void **)&libcurl.global_init},
	{"curl_easy_init", (void **)&libcurl.easy_init},
	{"curl_easy_setopt", (void **)&libcurl.easy_setopt},
	{"curl_easy_getinfo", (void **)&libcurl.easy_getinfo},
	{"curl_easy_strerror", (void **)&libcurl.easy_strerror},
	{"curl_easy_cleanup", (void **)&libcurl.easy_cleanup},
	{"curl_slist_append", (void **)&libcurl.slist_append},
	{"curl_slist_free_all", (void **)&libcurl.slist_free_all},
	{"curl_multi_init", (void **)&libcurl.multi_init},
	{"curl_multi_setopt", (void **)&libcurl.multi_setopt},
	{"curl_multi_add_handle", (void **)&libcurl.multi_add_handle},
	{"curl_multi_remove_handle", (void **)&libcurl.multi_remove_handle},
	{"curl_multi_socket_action", (void **)&libcurl.multi_socket_action},
	{"curl_multi_perform", (void **)&libcurl.multi_perform},
	{"curl_multi_wait", (void **)&libcurl.multi_wait},
	{"curl_multi_info_read", (void **)&libcurl.multi_info_read},
	{"curl_multi_cleanup", (void **)&libcurl.multi_cleanup},
};

static void *library_open(void)
{
	void *library = NULL;
	for (size_t i = 0; !library && i < sizeof(names) / sizeof(names[0]); i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	return library;
}

static void load(void)
{
	void *library = library_open();
	bool complete = library != NULL;
	for (size_t i = 0; complete && i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		*symbols[i].function = dlsym(library, symbols[i].name);
		complete = *symbols[i].function != NULL;
	}
	loaded = complete && libcurl.global_init(CURL_GLOBAL_NOTHING) == CURLE_OK;
}

int libcurl_load(struct error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	if (loaded)
		return 0;
	error_set(error, ELIBACC,
		  "libcurl is not installed, and containers of an engine require it");
	error_hint(error, "install it (libcurl4 on Debian, libcurl elsewhere)");
	return error_code(error, CODE_ENGINE_LIBRARY);
}
