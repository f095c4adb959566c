/* Answers the queries of cmd/service_query.h. */
#include "cmd/attach/declared_addresses.h"
#include "cmd/excerpt.h"
#include "cmd/service_query.h"
#include "cmd/watch/internal.h"
#include "kernel/link_kind.h"
#include "lib/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel would have reported a change of its links and addresses. The events of the host's own
 * addresses are filtered. */
static bool is_current(const struct live_ns *ns)
{
	return !ns->host && ns->nsid >= 0 && ns->details && !ns->stale && !ns->rate_limited &&
	       !ns->crowded && !ns->dead;
}

struct entries {
	struct service_entry *items;
	uint32_t count;
};

static void entry_add(struct entries *entries, const struct live_ns *ns, const struct ip *ip)
{
	entries->items[entries->count++] = service_entry_of(ns->inode, ip);
}

/* Whether the link is on one of the host's, as an attachment is: other links with the address cause
 * no conflict. */
static bool is_on_host(const struct live_ns *ns, int ifindex)
{
	enum driver ignored;
	const struct live_link *link = live_link_by_index(ns, ifindex);
	return !link || (link_handler(link, &ignored) && link->parent_where == PARENT_HOST);
}

static void ns_add(struct entries *entries, const struct live_ns *ns, const struct prefix *prefix)
{
	const size_t before = entries->count;
	for (size_t i = 0; i < ns->n_addrs; i++)
		if (prefix_contains(prefix, &ns->addrs[i].prefix.ip) &&
		    is_on_host(ns, ns->addrs[i].ifindex))
			entry_add(entries, ns, &ns->addrs[i].prefix.ip);
	if (entries->count == before)
		entry_add(entries, ns, &(struct ip){0});
}

static struct entries entries_of(const struct live *live, const struct prefix *prefix)
{
	size_t room = 1;
	for (size_t i = 0; i < live->n_namespaces; i++)
		room += live->namespaces[i]->n_addrs + 1;
	struct entries entries = {.items = memory_new(room, sizeof(*entries.items))};
	for (size_t i = 0; i < live->n_namespaces; i++)
		if (is_current(live->namespaces[i]))
			ns_add(&entries, live->namespaces[i], prefix);
	qsort(entries.items, entries.count, sizeof(*entries.items), service_entry_compare);
	return entries;
}

/* The caller has the same files. */
static const struct desired *files_in_use(const struct service *service)
{
	return service->next ? service->next : service->desired;
}

static void declared_write(FILE *file, const struct other_addresses *declared)
{
	for (size_t i = 0; i < declared->count; i++) {
		const struct service_entry entry = service_entry_of(0, &declared->items[i]);
		fwrite(&entry, sizeof(entry), 1, file);
	}
}

/* The mounted namespaces without an entry. */
static void mounts_write(FILE *file, const struct netns_mounts *mounts,
			 const struct entries *entries)
{
	for (size_t i = 0; i < mounts->count; i++) {
		const struct netns_place *place = &mounts->places[i];
		const struct service_entry key = {.inode = place->inode};
		if (!bsearch(&key, entries->items, entries->count, sizeof(key),
			     service_entry_compare))
			fprintf(file, "%ju %s%c", (uintmax_t)place->inode, place->path, '\0');
	}
}

/* The answer, which the caller frees. */
struct answer {
	char *bytes;
	size_t size;
};

static FILE *answer_open(struct answer *answer)
{
	return memory_or_die(open_memstream(&answer->bytes, &answer->size));
}

static struct answer addresses_answer(struct service *service, const struct prefix *prefix,
				      const struct mount_view *view, int table)
{
	struct answer answer = {0};
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	const struct desired *files = files_in_use(service);
	FILE *file = answer_open(&answer);
	const struct netns_mounts *mounts = mounts_table_of(service->mounts, view, table);
	const struct entries entries = entries_of(service->live, prefix);
	struct other_addresses declared = {0};
	struct service_head head = {.n_entries = entries.count, .mounts = mounts != NULL};
	head.open = !declared_addresses_find(files, NULL, prefix, arena, &declared);
	head.n_declared = (uint32_t)declared.count;
	fwrite(&head, sizeof(head), 1, file);
	fwrite(entries.items, sizeof(*entries.items), entries.count, file);
	declared_write(file, &declared);
	if (mounts)
		mounts_write(file, mounts, &entries);
	free(entries.items);
	fclose(file);
	return answer;
}

static struct answer cuts_answer(const struct service *service,
				 const struct service_container *container)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct answer answer = {0};
	size_t count = 0;
	const struct service_cut *cuts =
		excerpt_cuts(files_in_use(service), container, arena, &count);
	FILE *file = answer_open(&answer);
	if (count)
		fwrite(cuts, sizeof(*cuts), count, file);
	fclose(file);
	return answer;
}

static void tags_write(FILE *file, const struct live_ns *ns)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	fprintf(file, "%ju", (uintmax_t)ns->inode);
	for (size_t i = 0; i < ns->n_links; i++)
		if (role_in_container(ns->links[i].tag.role))
			fprintf(file, "\t%s", owner_tag_format(arena, &ns->links[i].tag));
	fputc('\n', file);
}

static struct answer tags_answer(const struct live *live)
{
	struct answer answer = {0};
	FILE *file = answer_open(&answer);
	for (size_t i = 0; i < live->n_namespaces; i++)
		if (is_current(live->namespaces[i]))
			tags_write(file, live->namespaces[i]);
	fclose(file);
	return answer;
}

/* Nothing if it is no request of this version, or the service is not certain of anything. */
static struct answer answer_make(struct service *service, char *request, int table)
{
	struct prefix prefix;
	struct mount_view view;
	struct service_container container;
	if (!files_in_use(service))
		return (struct answer){0};
	const bool tags = service_query_is_tags(request);
	if (service_query_cuts_parse(request, &container))
		return cuts_answer(service, &container);
	if (!tags && !service_query_parse(request, &prefix, &view))
		return (struct answer){0};
	service_read_events(service);
	if (!service->live || service->lost)
		return (struct answer){0};
	return tags ? tags_answer(service->live) : addresses_answer(service, &prefix, &view, table);
}

bool service_answer(struct service *service, int fd, char *request, int table)
{
	const struct answer answer = answer_make(service, request, table);
	const ssize_t sent =
		answer.size ? send(fd, answer.bytes, answer.size, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
	free(answer.bytes);
	return answer.size && sent == (ssize_t)answer.size;
}
