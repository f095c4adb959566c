#include "reconcile/observe/engine_scaled.h"

#include "kernel/netns.h"
#include "kernel/process.h"
#include "lib/cleanup.h"
#include "reconcile/observe/engine_trust.h"
#include "reconcile/observe/namespace.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The limit of candidates to inspect. */
#define CANDIDATES_MAX 1000

static bool is_holders(const struct lookup *lookup, const struct owner_tag *tag)
{
	const size_t length = tag->role == ROLE_ATTACH ? strlen(tag->set) : 0;
	for (size_t i = 0; length && i < lookup->n_holders; i++)
		if (strncmp(lookup->holders[i], tag->set, length) == 0 &&
		    lookup->holders[i][length] == '/' &&
		    strcmp(lookup->holders[i] + length + 1, tag->container) == 0)
			return true;
	return false;
}

/* Whether a link in the namespace has the owner tag of one of the attachments; negative errno: it
 * cannot be read. Closes `fd`. */
static int netns_has_attachment(const struct lookup *lookup, int fd, const struct stat *stat,
				struct error *error)
{
	const struct namespace_read_options nothing = {0};
	struct stat host;
	bool addr_proto = false;
	struct live_ns *ns = namespace_new(fd, stat, lookup->source);
	cleanup_close const int host_fd = netns_open_own(&host, error);
	int has_attachment =
		host_fd < 0 ? host_fd : namespace_read(ns, host_fd, &nothing, &addr_proto, error);
	for (size_t i = 0; has_attachment == 0 && i < ns->n_links; i++)
		has_attachment = is_holders(lookup, &ns->links[i].tag);
	if (host_fd >= 0)
		netns_return(host_fd);
	namespace_free(ns);
	return has_attachment;
}

static int candidate_has_attachment(const struct lookup *lookup,
				    const struct engine_container *container, struct error *error)
{
	struct stat stat;
	if (!container->pid)
		return 0;
	cleanup_close const int process = process_open(container->pid, error);
	if (process < 0)
		return process;
	cleanup_close int fd = lookup_namespace_open(lookup->lookups, process, &stat, error);
	if (fd < 0)
		return fd;
	if (engine_is_trusted(container, fd) && !netns_same(&stat, &lookup->lookups->host))
		return netns_has_attachment(lookup, fd_steal(&fd), &stat, error);
	return 0;
}

static void container_found(struct lookup *lookup, const struct engine_container *container)
{
	struct engine_query *query = &lookup->query;
	struct engine_container found = *container;
	found.note = engine_stays(query->arena, &query->scaled, container->name);
	query->found(lookup, &found, NULL);
}

/* The first candidate with the attachment is the result. If none has it, an unreadable candidate is
 * the result, since it may have the attachment. */
static void candidates_finish(struct lookup *lookup)
{
	const struct engine_query *query = &lookup->query;
	for (size_t i = 0; i < query->n_candidates; i++)
		if (query->candidates[i].has_attachment) {
			container_found(lookup, &query->candidates[i].container);
			return;
		}
	query->found(lookup, NULL, query->unreadable.errnum ? &query->unreadable : &query->scaled);
}

static void unreadable_note(struct engine_query *query, const char *name, const struct error *error)
{
	if (query->unreadable.errnum || error->errnum == ENOENT || error->errnum == ESRCH)
		return;
	query->unreadable = *error;
	if (name)
		error_prepend(&query->unreadable, "container \"%s\"", name);
}

static void candidate_answered(void *data, const struct engine_container *container,
			       const struct error *failure)
{
	struct candidate *candidate = data;
	struct lookup *lookup = candidate->lookup;
	struct engine_query *query = &lookup->query;
	struct error error;
	candidate->inspection = NULL;
	int has_attachment = container ? candidate_has_attachment(lookup, container, &error) : 0;
	candidate->has_attachment = has_attachment > 0;
	if (container)
		candidate->container = *container;
	if (!container)
		unreadable_note(query, NULL, failure);
	else if (has_attachment < 0)
		unreadable_note(query, container->name, &error);
	if (--query->unanswered == 0)
		candidates_finish(lookup);
}

/* All are inspected concurrently: one without an answer does not delay the others. */
void scaled_search(struct lookup *lookup, const struct error *scaled, scaled_found *found)
{
	struct engine_query *query = &lookup->query;
	const size_t count = query->ids.count < CANDIDATES_MAX ? query->ids.count : CANDIDATES_MAX;
	query->scaled = *scaled;
	query->found = found;
	query->candidates = arena_alloc(query->arena, count * sizeof(*query->candidates));
	query->n_candidates = query->unanswered = count;
	for (size_t i = 0; i < count; i++) {
		struct candidate *candidate = &query->candidates[i];
		candidate->lookup = lookup;
		candidate->inspection = engine_inspect_begin(lookup->lookups->engines, lookup->kind,
							     query->ids.ids[i], query->arena,
							     candidate_answered, candidate);
	}
}
