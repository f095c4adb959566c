#include "cmd/service_query.h"

#include "cmd/service_socket.h"
#include "lib/abstract_socket.h"
#include "lib/cleanup.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The time limit in milliseconds for each of the service's messages. Without an answer, the caller
 * reads the namespaces itself. */
#define PATIENCE_MS 200

static const char addresses_request[] = "addresses 1 ", tags_request[] = "tags 1";

/* The answer, with a terminator behind it, which the caller frees. */
static size_t query(const char *set, const char *text, char **ret)
{
	struct keeper keeper;
	const ssize_t length = (ssize_t)strlen(text);
	*ret = NULL;
	if (!keeper_find_within(set, PATIENCE_MS, &keeper))
		return 0;
	cleanup_close const int fd = keeper.fd;
	return *keeper.files && send(fd, text, (size_t)length, MSG_NOSIGNAL) == length
		       ? abstract_receive(fd, ret)
		       : 0;
}

size_t service_query_addresses(const char *set, const struct prefix *prefix,
			       struct service_entry **ret_entries)
{
	char *message, prefix_text[PREFIX_TEXT_SIZE], text[SERVICE_QUERY_SIZE];
	snprintf(text, sizeof(text), "%s%s", addresses_request, prefix_format(prefix, prefix_text));
	const size_t size = query(set, text, &message);
	*ret_entries = (void *)message;
	return size / sizeof(**ret_entries);
}

char *service_query_tags(const char *set)
{
	char *message;
	(void)query(set, tags_request, &message);
	return message;
}

bool service_query_parse(const char *text, struct prefix *ret)
{
	const size_t length = strlen(addresses_request);
	return strncmp(text, addresses_request, length) == 0 && prefix_parse(text + length, ret);
}

bool service_query_is_tags(const char *text)
{
	return strcmp(text, tags_request) == 0;
}
