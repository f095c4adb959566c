#include "cmd/service_query.h"

#include "cmd/service_socket.h"
#include "lib/abstract_socket.h"
#include "lib/cleanup.h"
#include "lib/fd_message.h"
#include "lib/hash.h"
#include "lib/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The time limit in milliseconds for each of the service's messages. Without an answer, the caller
 * reads the namespaces itself. */
#define PATIENCE_MS 200

static const char addresses_request[] = "addresses 2 ", cuts_request[] = "cuts 1 ",
		  tags_request[] = "tags 1";

/* Passes a descriptor, or -1. The answer, with a terminator behind it, which the caller frees.
 * Closes the connection. */
static size_t ask(const struct keeper *keeper, const char *text, int passed, char **ret)
{
	const size_t length = strlen(text);
	cleanup_close const int fd = keeper->fd;
	*ret = NULL;
	return *keeper->files && fd_message_send(fd, text, length, &passed, passed >= 0, 0) ==
					 (ssize_t)length
		       ? abstract_receive(fd, ret)
		       : 0;
}

static size_t query(const char *set, const char *text, int passed, char **ret)
{
	struct keeper keeper;
	*ret = NULL;
	return keeper_find_within(set, PATIENCE_MS, &keeper) ? ask(&keeper, text, passed, ret) : 0;
}

/* "INODE PATH" of each, with a NUL behind it. The paths stay in the text. */
static struct netns_mounts *mounts_parse(const char *text, const char *end)
{
	struct netns_mounts *mounts = memory_new(1, sizeof(*mounts));
	mounts->arena = arena_new();
	for (; text < end; text += strlen(text) + 1) {
		char *path;
		const ino_t inode = strtoul(text, &path, 10);
		path += *path == ' ';
		*array_push(mounts->arena, mounts->places, mounts->count) = (struct netns_place){
			.directory = AT_FDCWD, .path = path, .name = path, .inode = inode};
	}
	return mounts;
}

/* The message has a terminator behind it. */
static void addresses_parse(struct service_addresses *addresses, size_t size)
{
	struct service_head head;
	if (size < sizeof(head))
		return;
	memcpy(&head, addresses->message, sizeof(head));
	const size_t room = (size - sizeof(head)) / sizeof(*addresses->entries);
	if (head.n_entries > room || head.n_declared > room - head.n_entries)
		return;
	addresses->entries = (const void *)(addresses->message + sizeof(head));
	addresses->n_entries = head.n_entries;
	addresses->declared = addresses->entries + head.n_entries;
	addresses->n_declared = head.n_declared;
	addresses->open = head.open;
	if (head.mounts)
		addresses->mounts =
			mounts_parse((const char *)(addresses->declared + head.n_declared),
				     addresses->message + size);
}

void service_query_addresses(const char *set, const struct prefix *prefix,
			     struct service_addresses *ret)
{
	struct mount_view view = {0}, first;
	char prefix_text[PREFIX_TEXT_SIZE], view_text[MOUNT_VIEW_TEXT_SIZE];
	char text[SERVICE_QUERY_SIZE];
	*ret = (struct service_addresses){0};
	cleanup_close const int table = mount_view_read("self", &view) &&
							mount_view_read("1", &first) &&
							mount_view_same(&view, &first)
						? netns_mounts_open()
						: -1;
	snprintf(text, sizeof(text), "%s%s %s", addresses_request,
		 prefix_format(prefix, prefix_text), mount_view_format(&view, view_text));
	const size_t size = query(set, text, table, &ret->message);
	addresses_parse(ret, size);
}

struct service_entry service_entry_of(uint64_t inode, const struct ip *ip)
{
	struct service_entry entry = {.inode = inode, .family = ip->family};
	memcpy(entry.address, ip->bytes, sizeof(entry.address));
	return entry;
}

int service_entry_compare(const void *a, const void *b)
{
	const struct service_entry *left = a, *right = b;
	return left->inode < right->inode ? -1 : left->inode > right->inode;
}

void service_addresses_free(struct service_addresses *addresses)
{
	netns_mounts_free(addresses->mounts);
	free(addresses->message);
}

bool service_addresses_have(const struct service_addresses *addresses, uint64_t inode)
{
	const struct service_entry key = {.inode = inode};
	return addresses->n_entries && bsearch(&key, addresses->entries, addresses->n_entries,
					       sizeof(key), service_entry_compare);
}

bool service_container_is(const struct service_container *starting,
			  const struct container *container)
{
	return container->source_kind == starting->kind &&
	       engine_names_include(&starting->names, container->source);
}

uint32_t service_file_hash(const char *file)
{
	return (uint32_t)hash_text(HASH_START, file);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* The names are lines. False: one does not fit. */
static bool cuts_format(const struct service_container *container, char text[SERVICE_QUERY_SIZE])
{
	const struct engine_names *names = &container->names;
	const int length = snprintf(text, SERVICE_QUERY_SIZE, "%s%u\n%s\n%s\n%s", cuts_request,
				    (unsigned)container->kind, or_empty(names->id),
				    or_empty(names->name), or_empty(names->other));
	size_t lines = 0;
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	return lines == 3 && length < SERVICE_QUERY_SIZE;
}

static const char *name_cut(char **text)
{
	const char *name = strsep(text, "\n");
	return name && *name ? name : NULL;
}

bool service_query_cuts_parse(char *text, struct service_container *ret)
{
	const size_t length = strlen(cuts_request);
	if (strncmp(text, cuts_request, length) != 0)
		return false;
	text += length;
	const char *kind = name_cut(&text);
	*ret = (struct service_container){.kind = kind ? strtoul(kind, NULL, 10) : N_SOURCE_KINDS};
	ret->names.id = name_cut(&text);
	ret->names.name = name_cut(&text);
	ret->names.other = name_cut(&text);
	return ret->kind < N_SOURCE_KINDS;
}

size_t service_query_cuts(uint64_t content, const struct service_container *container,
			  struct service_cut **ret_cuts)
{
	struct keeper keeper;
	char *message, text[SERVICE_QUERY_SIZE];
	*ret_cuts = NULL;
	if (!cuts_format(container, text) || !files_keeper_find(content, PATIENCE_MS, &keeper))
		return 0;
	const size_t size = ask(&keeper, text, -1, &message);
	*ret_cuts = (void *)message;
	return size / sizeof(**ret_cuts);
}

char *service_query_tags(const char *set)
{
	char *message;
	(void)query(set, tags_request, -1, &message);
	return message;
}

bool service_query_parse(const char *text, struct prefix *ret_prefix, struct mount_view *ret_view)
{
	char prefix[PREFIX_TEXT_SIZE];
	const size_t length = strlen(addresses_request);
	const size_t end = length + strcspn(text + length, " ");
	if (strncmp(text, addresses_request, length) != 0 || end - length >= sizeof(prefix))
		return false;
	snprintf(prefix, sizeof(prefix), "%.*s", (int)(end - length), text + length);
	return prefix_parse(prefix, ret_prefix) && mount_view_parse(text + end, ret_view);
}

bool service_query_is_tags(const char *text)
{
	return strcmp(text, tags_request) == 0;
}
