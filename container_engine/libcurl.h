/* libcurl, loaded by dlopen(3) at the first request to an engine. Linking it was rejected: it
 * brings some thirty libraries into every run and makes a run without an engine ten times as
 * expensive. */
#ifndef CONTAINER_ENGINE_LIBCURL_H
#define CONTAINER_ENGINE_LIBCURL_H

#include "lib/error.h"

#include <curl/curl.h>

/* The functions of curl/curl.h, without the prefix. */
struct libcurl {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_multi_socket_action) *multi_socket_action;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_wait) *multi_wait;
	__typeof__(curl_multi_info_read) *multi_info_read;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
};

/* Valid once libcurl_load has returned 0. */
extern struct libcurl libcurl;

/* Loads the library on the first call; -ELIBACC with a hint if it is not installed. Thread safe. */
int libcurl_load(struct error *error);

#endif
