#include "lib/memory.h"
#include "lib/thread_pool.h"
#include "reconcile/observe/internal.h"
#include "reconcile/observe/namespace.h"
#include "reconcile/observe/netns_lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

size_t *namespace_slot(const struct observer *observer, ino_t inode)
{
	for (size_t i = (size_t)inode * 0x9e3779b1u;; i++) {
		size_t *slot = &observer->table[i & (observer->table_size - 1)];
		if (!*slot || observer->namespaces[*slot - 1].ns->inode == inode)
			return slot;
	}
}

void namespaces_grow(struct observer *observer)
{
	observer->table_size = observer->table_size ? observer->table_size * 2 : 256;
	observer->table =
		arena_alloc(observer->scratch, observer->table_size * sizeof(*observer->table));
	for (size_t i = 0; i < observer->n_namespaces; i++)
		*namespace_slot(observer, observer->namespaces[i].ns->inode) = i + 1;
}

struct namespace *namespace_add(struct observer *observer, struct live_ns *ns)
{
	struct namespace *namespace =
		array_push(observer->scratch, observer->namespaces, observer->n_namespaces);
	*namespace = (struct namespace){.ns = ns, .lookup = NOBODY};
	*namespace_slot(observer, ns->inode) = observer->n_namespaces;
	if (observer->n_namespaces * 2 > observer->table_size)
		namespaces_grow(observer);
	return namespace;
}

struct namespace *namespace_of(struct observer *observer, int fd, const struct stat *stat,
			       const char *name)
{
	size_t *slot = namespace_slot(observer, stat->st_ino);
	if (!*slot)
		return namespace_add(observer, namespace_new(fd, stat, name));
	struct namespace *namespace = &observer->namespaces[*slot - 1];
	if (namespace->ns->handle) {
		close(fd);
		return namespace;
	}
	namespace->ns->handle = ns_handle_new(fd);
	namespace->ns->dead = false;
	namespace_rename(namespace->ns, name);
	namespace_source(namespace->ns, NULL);
	namespace->reopened = true;
	return namespace;
}

void unreadable_add(struct observer *observer, const struct unreadable *unreadable)
{
	struct live *live = observer->live;
	struct unreadable *added = array_push(live->arena, live->unreadable, live->n_unreadable);
	*added = *unreadable;
	added->text = arena_strdup(live->arena, unreadable->text);
}

void unreadable_add_namespace(struct observer *observer, ino_t inode, const char *name,
			      const struct error *error)
{
	char text[600];
	snprintf(text, sizeof(text), "network namespace %s: %s", name, error->text);
	unreadable_add(observer, &(struct unreadable){.kind = UNREADABLE_NAMESPACE,
						      .inode = inode,
						      .errnum = error->errnum,
						      .text = text});
}

static struct namespace_read_options read_options_of(struct observer *observer,
						     const struct namespace *namespace)
{
	struct namespace_read_options read_options = {.links_only = observer->owner_tags,
						      .own_routes = observer->own_routes &&
								    namespace->ns->host};
	for (size_t i = namespace->lookup; i != NOBODY; i = observer->next_container[i])
		*array_push(observer->scratch, read_options.containers, read_options.n_containers) =
			observer->live->container_lookups[i].container;
	return read_options;
}

static void namespace_failed(struct observer *observer, const struct namespace *namespace,
			     const struct error *error)
{
	for (size_t i = namespace->lookup; i != NOBODY; i = observer->next_container[i]) {
		struct container_lookup *lookup = &observer->live->container_lookups[i];
		lookup->state = CONTAINER_FAILED;
		lookup->ns = NULL;
		lookup->code = error->code;
		lookup->reason = arena_strdup(observer->live->arena, error->text);
		lookup->hint = error->errnum == EPERM ? HINT_CAPABILITIES : NULL;
	}
	if (error->errnum == EMFILE || error->errnum == ENFILE)
		observer->no_descriptors = true;
	else if (namespace->lookup == NOBODY && !namespace->ns->crowded &&
		 (observer->everything || !namespace->process || error->errnum != EPERM))
		unreadable_add_namespace(observer, namespace->ns->inode, namespace->ns->name,
					 error);
}

/* The state is incomplete: no change may be based on a part of it. */
static void namespace_crowded(struct observer *observer, const struct namespace *namespace)
{
	struct error error;
	error_set(&error, E2BIG, "network namespace %s has more %s than mvapply reads",
		  namespace->ns->name, namespace->ns->crowded);
	error_code(&error, CODE_CROWDED);
	namespace_failed(observer, namespace, &error);
}

/* Reads one namespace. Threads share no other variable data. */
struct read_job {
	const struct namespace *namespace;
	int host_fd;
	struct namespace_read_options read_options;
	bool addr_proto;
	struct error *failure; /* NULL: none */
};

static void read_job_run(void *data, size_t number)
{
	struct read_job *job = (struct read_job *)data + number;
	struct error error;
	if (namespace_read(job->namespace->ns, job->host_fd, &job->read_options, &job->addr_proto,
			   &error) == 0)
		return;
	job->failure = memory_new(1, sizeof(error));
	*job->failure = error;
}

static struct read_job *read_jobs_list(struct observer *observer, size_t *ret_count)
{
	const int host_fd = observer->namespaces[0].ns->handle->fd;
	struct read_job *jobs =
		arena_alloc(observer->scratch, observer->n_namespaces * sizeof(*jobs));
	*ret_count = 0;
	for (size_t i = 0; i < observer->n_namespaces; i++) {
		const struct namespace *namespace = &observer->namespaces[i];
		if (namespace->ns->stale && namespace->ns->handle)
			jobs[(*ret_count)++] = (struct read_job){
				.namespace = namespace,
				.host_fd = host_fd,
				.read_options = read_options_of(observer, namespace)};
	}
	return jobs;
}

/* Returns the error of the host's namespace, which fails the observation. */
static int read_job_finish(struct observer *observer, struct read_job *job, struct error *error)
{
	int status = 0;
	observer->live->addr_proto |= job->addr_proto;
	if (job->failure && job->namespace->ns->host) {
		*error = *job->failure;
		status = -error->errnum;
	} else if (job->failure) {
		namespace_failed(observer, job->namespace, job->failure);
	} else if (job->namespace->ns->crowded) {
		namespace_crowded(observer, job->namespace);
	}
	free(job->failure);
	return status;
}

/* The kernel holds one lock (RTNL) for half of the time that a namespace takes: of more threads
 * most would only spin for it. */
#define READ_THREADS_MAX 4

static size_t read_threads(size_t count)
{
	const size_t processors = pool_processors();
	if (count < THREADS_FROM)
		return 1;
	return processors < READ_THREADS_MAX ? processors : READ_THREADS_MAX;
}

int namespaces_read(struct observer *observer, struct error *error)
{
	int status = 0;
	size_t count;
	struct read_job *jobs = read_jobs_list(observer, &count);
	/* The host's namespace is the first, and this thread is in it: no thread has to enter
	 * it. */
	const size_t own = count && jobs[0].namespace->ns->host;
	if (own)
		read_job_run(jobs, 0);
	pool_run(count - own, read_threads(count), read_job_run, jobs + own);
	netns_return(observer->namespaces[0].ns->handle->fd);
	for (size_t i = 0; i < count; i++) {
		int failed = read_job_finish(observer, &jobs[i], error);
		status = failed < 0 ? failed : status;
	}
	return status;
}
