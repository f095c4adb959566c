/* Parses requests of HTTP/1.1 (RFC 9112), as Docker sends them to its plugins. Pure.
 *
 * libmicrohttpd would replace this file alone, and need as much code for its callbacks: it owns the
 * connections, whereas each call that waits is answered by a process of its own (server.h). It
 * would also bring GnuTLS into a privileged service. */
#ifndef CONTAINER_ENGINE_HTTP_REQUEST_H
#define CONTAINER_ENGINE_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

/* The limits of a request's head and body, in bytes. */
#define HTTP_HEAD_MAX 16384
#define HTTP_BODY_MAX 1048576
#define HTTP_PATH_MAX 127

struct http_request {
	char path[HTTP_PATH_MAX + 1];
	bool closes;      /* the client sends no further request */
	const char *body; /* in the bytes that were parsed */
	size_t body_size;
	size_t size; /* of the whole request: the next one follows */
};

/* Returns 1; 0: the request is not complete; or the negative status code of the answer to a request
 * that is not understood, after which the connection is of no use. */
int http_request_parse(const char *bytes, size_t size, struct http_request *ret);

#endif
