#include "reconcile/observe/engine_scaled.h"

#include "kernel/netns.h"
#include "kernel/process.h"
#include "reconcile/observe/engine_trust.h"
#include "reconcile/observe/namespace.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* More are not looked into. */
#define CANDIDATES_MAX 100

static bool is_holders(const struct lookup *lookup, const struct owner_tag *mark)
{
	const size_t length = mark->role == ROLE_ATTACH ? strlen(mark->set) : 0;
	for (size_t i = 0; length && i < lookup->n_holders; i++)
		if (strncmp(lookup->holders[i], mark->set, length) == 0 &&
		    lookup->holders[i][length] == '/' &&
		    strcmp(lookup->holders[i] + length + 1, mark->container) == 0)
			return true;
	return false;
}

/* Whether a link in the namespace has the mark of one of the attachments. Takes `fd` over. */
static bool holds_attachment(const struct lookup *lookup, int fd, const struct stat *stat)
{
	const struct namespace_read_options nothing = {0};
	struct error ignored;
	struct stat host;
	bool addr_proto = false, holds = false;
	struct live_ns *ns = namespace_new(fd, stat, lookup->source);
	const int host_fd = netns_open_own(&host, &ignored);
	if (host_fd >= 0 && namespace_read(ns, host_fd, &nothing, &addr_proto, &ignored) == 0)
		for (size_t i = 0; i < ns->n_links && !holds; i++)
			holds = is_holders(lookup, &ns->links[i].mark);
	if (host_fd >= 0) {
		netns_return(host_fd);
		close(host_fd);
	}
	namespace_free(ns);
	return holds;
}

static bool candidate_holds(const struct lookup *lookup, const struct engine_container *container)
{
	struct error ignored;
	struct stat stat;
	const int process = container->pid ? process_open(container->pid, &ignored) : -1;
	if (process < 0)
		return false;
	int fd = lookup_namespace_open(lookup->lookups, process, &stat, &ignored);
	close(process);
	if (fd >= 0 && engine_believed(container, fd) && !netns_same(&stat, &lookup->lookups->host))
		return holds_attachment(lookup, fd, &stat);
	if (fd >= 0)
		close(fd);
	return false;
}

static void candidate_ask(struct lookup *lookup);

static void candidate_answered(void *data, const struct engine_container *container,
			       const struct error *error)
{
	struct lookup *lookup = data;
	struct question *question = &lookup->question;
	question->inquiry = NULL;
	if (!container && error->errnum == EHOSTDOWN) {
		question->found(lookup, NULL, error);
	} else if (!container || !candidate_holds(lookup, container)) {
		question->candidate++;
		candidate_ask(lookup);
	} else {
		struct engine_container found = *container;
		found.note = engine_stays(question->arena, &question->scaled, container->name);
		question->found(lookup, &found, NULL);
	}
}

/* One after another: the first that has the attachment is meant. */
static void candidate_ask(struct lookup *lookup)
{
	struct question *question = &lookup->question;
	if (question->candidate < question->candidates.count &&
	    question->candidate < CANDIDATES_MAX)
		question->inquiry =
			engine_inspect_begin(lookup->lookups->engines, lookup->kind,
					     question->candidates.ids[question->candidate],
					     question->arena, candidate_answered, lookup);
	else
		question->found(lookup, NULL, &question->scaled);
}

void scaled_search(struct lookup *lookup, const struct error *scaled, scaled_found *found)
{
	lookup->question.scaled = *scaled;
	lookup->question.found = found;
	lookup->question.candidate = 0;
	candidate_ask(lookup);
}
