#include "cmd/service_query.h"

#include "cmd/service_socket.h"
#include "lib/cleanup.h"
#include "lib/memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The time limit in milliseconds for each of the service's messages. Without an answer, the caller
 * reads the namespaces itself. */
#define PATIENCE_MS 50

static const char request_begin[] = "addresses 1 ";

/* Returns the size of the message, which the caller frees; 0: none. */
static size_t message_receive(int fd, void **ret)
{
	const ssize_t size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	if (size <= 0)
		return 0;
	*ret = memory_new(1, (size_t)size);
	return recv(fd, *ret, (size_t)size, MSG_DONTWAIT) == size ? (size_t)size : 0;
}

size_t service_query(const char *set, const struct prefix *prefix,
		     struct service_entry **ret_entries)
{
	struct keeper keeper;
	void *message = NULL;
	char prefix_text[PREFIX_TEXT_SIZE], text[SERVICE_QUERY_SIZE];
	*ret_entries = NULL;
	if (!keeper_find_within(set, PATIENCE_MS, &keeper))
		return 0;
	cleanup_close const int fd = keeper.fd;
	const int length = snprintf(text, sizeof(text), "%s%s", request_begin,
				    prefix_format(prefix, prefix_text));
	const bool sent = *keeper.files && send(fd, text, (size_t)length, MSG_NOSIGNAL) == length;
	const size_t size = sent ? message_receive(fd, &message) : 0;
	*ret_entries = message;
	return size / sizeof(**ret_entries);
}

bool service_query_parse(const char *text, struct prefix *ret)
{
	const size_t length = strlen(request_begin);
	return strncmp(text, request_begin, length) == 0 && prefix_parse(text + length, ret);
}
